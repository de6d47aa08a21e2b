package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"acdclip/cgo/torch"
	"acdclip/internal/golden"
	"acdclip/internal/toymethod"
	"acdclip/pkg/anomalymap"
	"acdclip/pkg/metrics"
	"acdclip/pkg/model/methods"
	"acdclip/pkg/present"
	"acdclip/pkg/published"
)

func TestMain(m *testing.M) {
	golden.UseNative(torch.NativeVariable)
	testscript.Main(m, map[string]func(){
		"acdclip": main,
		// The program with a method and a metric more, one row each.
		"acdclip-more": func() {
			metrics.Table = append(metrics.Table, metrics.Metric{Name: "image_gini", Title: "image Gini", Image: func(r metrics.Ranking) float64 { return max(0, 2*r.AUROC-1) }})
			os.Exit(runWith(append(methods.All(), toymethod.Row()), published.All()))
		},
		// The program with the table of published weights that the command publish makes.
		"acdclip-published": func() { os.Exit(runWith(methods.All(), publishedTable())) },
	})
}

// TestScripts runs the program itself as testdata/script says.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		Setup:               setup,
		Condition:           condition,
		RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status":  status,
			"picture": drawPicture, "flat": drawFlat,
			"deep":     drawDeep,
			"exif":     orient,
			"map":      drawMap,
			"promise":  promise,
			"truncate": truncate,
			"turn":     turn,
			"rows":     rows,
			"size":     size,

			"samescores": sameScores,
			"samemaps":   sameMaps,

			"waitfor":        waitFor,
			"waitforclasses": waitForClasses,

			"publish": publish,

			"freeport": freePort, "get": getURL, "post": postPictures,
			"startpost": startPost, "endpost": endPost,
			"receiver": startReceiver, "posted": posted, "waitposted": waitPosted,
			"samerows": sameRows, "terminate": terminate, "hangup": hangUp, "metric": metric,
		},
	})
}

// setup tells the scripts where the libraries are, since their program lies in
// a temporary folder, and keeps them to one thread each.
func setup(env *testscript.Env) error {
	env.Setenv(torch.NativeVariable, os.Getenv(torch.NativeVariable))
	env.Setenv(torch.LibtorchVariable, os.Getenv(torch.LibtorchVariable))
	env.Setenv("ACDCLIP_THREADS", "1")
	env.Setenv("ACDCLIP_DEVICE", "cpu")
	env.Values[startedRequest{}] = new(*exchange)
	env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, ".cache"))
	env.Setenv("ABLATION", filepath.Join(golden.Root(), "scripts", "ablation.sh"))
	env.Setenv("ACDCLIP", "acdclip")
	env.Setenv("SHARED", golden.Shared())
	env.Setenv("GOLDEN_OWN", filepath.Join(golden.Root(), "testdata", "golden"))
	return nil
}

// condition knows [shared]: the golden numbers and real pictures lie beside the
// checkout; and [hangup]: the programs that a script starts can be hung up.
func condition(name string) (bool, error) {
	switch name {
	case "shared":
		return present.Folder(golden.Shared("golden")) && present.Folder(golden.Shared("data")), nil
	case "hangup":
		return !signal.Ignored(syscall.SIGHUP), nil // who ignores it hands that on
	}
	return false, fmt.Errorf("unknown condition %q", name)
}

// status N COMMAND ARGUMENT...: the command ends with this exit status.
func status(ts *testscript.TestScript, _ bool, args []string) {
	got := 0
	var exit *exec.ExitError
	switch err := ts.Exec(args[1], args[2:]...); {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	default:
		ts.Check(err)
	}
	if want := number(ts, args[0]); got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// picture FILE WIDTH HEIGHT [N]: a gradient, in the format that the name says;
// N of them, with a number for the name's *.
func drawPicture(ts *testscript.TestScript, _ bool, args []string) {
	drawn := image.NewRGBA(image.Rect(0, 0, number(ts, args[1]), number(ts, args[2])))
	for y := range drawn.Rect.Dy() {
		for x := range drawn.Rect.Dx() {
			drawn.Set(x, y, color.RGBA{uint8(x), uint8(y), uint8(x + y), 255})
		}
	}
	var b bytes.Buffer
	if strings.HasSuffix(args[0], ".jpg") {
		ts.Check(jpeg.Encode(&b, drawn, nil))
	} else {
		ts.Check(png.Encode(&b, drawn))
	}
	if len(args) < 4 {
		write(ts, args[0], b.Bytes())
		return
	}
	for i := range number(ts, args[3]) {
		write(ts, strings.Replace(args[0], "*", strconv.Itoa(i), 1), b.Bytes())
	}
}

// flat FILE WIDTH HEIGHT GREY: a grey PNG of one value, as a mask that marks everything or nothing.
func drawFlat(ts *testscript.TestScript, _ bool, args []string) {
	drawn := image.NewGray(image.Rect(0, 0, number(ts, args[1]), number(ts, args[2])))
	for i := range drawn.Pix {
		drawn.Pix[i] = uint8(number(ts, args[3]))
	}
	var b bytes.Buffer
	ts.Check(png.Encode(&b, drawn))
	write(ts, args[0], b.Bytes())
}

// map FILE WIDTH HEIGHT [SCALE]: an anomaly map whose scores rise from left to right, below
// 1 or the scale, as NumPy saves it or a TIFF.
func drawMap(ts *testscript.TestScript, _ bool, args []string) {
	m := anomalymap.Map{Width: number(ts, args[1]), Height: number(ts, args[2])}
	scale := 1
	if len(args) > 3 {
		scale = number(ts, args[3])
	}
	for i := range m.Width * m.Height {
		m.Scores = append(m.Scores, float32(scale*(i%m.Width))/float32(m.Width))
	}
	var b bytes.Buffer
	if strings.HasSuffix(args[0], ".tif") {
		ts.Check(anomalymap.WriteTIFF(&b, &m))
	} else {
		ts.Check(anomalymap.WriteNPY(&b, &m))
	}
	write(ts, args[0], b.Bytes())
}

// promise FILE WIDTH HEIGHT: a PNG of which there is nothing but the header.
func promise(ts *testscript.TestScript, _ bool, args []string) {
	header := []byte("IHDR")
	header = binary.BigEndian.AppendUint32(header, uint32(number(ts, args[1])))
	header = binary.BigEndian.AppendUint32(header, uint32(number(ts, args[2])))
	header = append(header, 8, 2, 0, 0, 0)
	file := binary.BigEndian.AppendUint32([]byte("\x89PNG\r\n\x1a\n"), uint32(len(header)-4))
	file = append(file, header...)
	write(ts, args[0], binary.BigEndian.AppendUint32(file, crc32.ChecksumIEEE(header)))
}

// truncate FILE: its second half is cut off.
func truncate(ts *testscript.TestScript, _ bool, args []string) {
	content := ts.ReadFile(args[0])
	write(ts, args[0], []byte(content[:len(content)/2]))
}

// turn FILE N: a JPEG gets the EXIF orientation N.
func turn(ts *testscript.TestScript, _ bool, args []string) {
	exif := []byte("Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00")
	exif = append(exif, byte(number(ts, args[1])), 0, 0, 0, 0, 0, 0, 0)
	segment := binary.BigEndian.AppendUint16([]byte("\xff\xd8\xff\xe1"), uint16(len(exif)+2))
	write(ts, args[0], slices.Concat(segment, exif, []byte(strings.TrimPrefix(ts.ReadFile(args[0]), "\xff\xd8"))))
}

// rows FILE N: it has that many lines.
func rows(ts *testscript.TestScript, _ bool, args []string) {
	if got := strings.Count(ts.ReadFile(args[0]), "\n"); got != number(ts, args[1]) {
		ts.Fatalf("%s has %d lines, want %s", args[0], got, args[1])
	}
}

// size FILE WIDTH HEIGHT: it is a PNG of that size.
func size(ts *testscript.TestScript, _ bool, args []string) {
	config, err := png.DecodeConfig(strings.NewReader(ts.ReadFile(args[0])))
	ts.Check(err)
	if config.Width != number(ts, args[1]) || config.Height != number(ts, args[2]) {
		ts.Fatalf("%s has %d x %d pixels, want %s x %s", args[0], config.Width, config.Height, args[1], args[2])
	}
}

// waitfor FILE [TEXT]: until it is there, and holds the text.
func waitFor(ts *testscript.TestScript, _ bool, args []string) {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		content, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil && (len(args) < 2 || strings.Contains(string(content), args[1])) {
			return
		}
	}
	ts.Fatalf("%s did not appear", args[0])
}

// waitforclasses FOLDER N: until an evaluation has kept so many finished classes there.
func waitForClasses(ts *testscript.TestScript, _ bool, args []string) {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		kept, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "????????????????????????.json"))
		ts.Check(err)
		if len(kept) >= number(ts, args[1]) {
			return
		}
	}
	ts.Fatalf("no %s finished classes appeared in %s", args[1], args[0])
}

func number(ts *testscript.TestScript, text string) int {
	n, err := strconv.Atoi(text)
	ts.Check(err)
	return n
}

func write(ts *testscript.TestScript, name string, content []byte) {
	path := ts.MkAbs(name)
	ts.Check(os.MkdirAll(filepath.Dir(path), 0o755))
	ts.Check(os.WriteFile(path, content, 0o644))
}
