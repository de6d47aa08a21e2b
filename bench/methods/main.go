// Command methods is our side of bench/methods.sh.
//
//	methods clip FOLDER    writes a CLIP of ViT-B/16+'s size with random values
//	methods score METHOD CLIP CHECKPOINT CLASS BATCH PICTURES MAPS
//
// score reads PICTURES, uint8 values [N, S, S, 3] of the method's size S, scores them in
// batches, writes the maps [N, S, S] to MAPS as float32, and prints a line of JSON. A
// CHECKPOINT of "" is none. It does what `acdclip predict` does between reading pictures
// and writing results.
package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/config"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/detect"
	"acdclip/pkg/domain"
	"acdclip/pkg/events"
	"acdclip/pkg/model/methods"
)

// plusArch is the architecture of open_clip's ViT-B-16-plus-240.
var plusArch = pretrained.Arch{
	ImageSize: 240, Patch: 16, VisionWidth: 896, VisionLayers: 12, VisionHeads: 14,
	EmbedDim:      640,
	ContextLength: 77, VocabSize: 49408, TextWidth: 640, TextLayers: 12, TextHeads: 10,
	Activation: pretrained.GELU,
}

// result is what score prints: for each batch the seconds and the seconds of all
// processors, for each picture the score, and the peak memory in bytes after loading.
type result struct {
	Seconds []float64 `json:"seconds"`
	CPU     []float64 `json:"cpu"`
	Scores  []float32 `json:"scores"`
	Peak    int64     `json:"peak"`
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 2 && args[0] == "clip":
		return pretrained.WriteRandom(args[1], plusArch, 0)
	case len(args) == 8 && args[0] == "score":
		batch, err := strconv.Atoi(args[5])
		if err != nil {
			return err
		}
		d, err := open(args[1], args[2], args[3])
		if err != nil {
			return err
		}
		defer d.Close()
		return score(d, args[4], batch, args[6], args[7])
	default:
		return errors.New("usage: methods clip FOLDER, or methods score METHOD CLIP CHECKPOINT CLASS BATCH PICTURES MAPS")
	}
}

func open(method, clip, checkpoint string) (*detect.Detector, error) {
	loaded, err := methods.All().Catalog().Load(config.Sources{
		Env: os.Environ(), Set: []string{"method=" + method, "clip=" + clip, "device=cpu"}, OwnModel: true,
	})
	if err != nil {
		return nil, err
	}
	return detect.Open(context.Background(), detect.Options{
		Methods: methods.All(), Config: loaded, Checkpoint: checkpoint, Emit: func(events.Event) {},
	})
}

func score(d *detect.Detector, class string, batch int, from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	size := d.Size()
	var pictures []pixels.Picture
	for picture := range slices.Chunk(content, size*size*3) {
		pictures = append(pictures, pixels.Picture{Width: size, Height: size, Pix: picture})
	}
	ctx, classes := context.Background(), domain.Classes{Prompts: []string{class}, Domain: domain.Industrial}
	if err := d.Prepare(ctx, classes); err != nil {
		return err
	}
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil { // resets VmHWM
		return err
	}
	var out result
	var maps bytes.Buffer
	for some := range slices.Chunk(pictures, batch) {
		start, before := time.Now(), processors()
		scored, err := d.Score(ctx, classes, some, make([]int, len(some)))
		if err != nil {
			return err
		}
		out.Seconds, out.CPU = append(out.Seconds, time.Since(start).Seconds()), append(out.CPU, processors()-before)
		for _, one := range scored {
			out.Scores = append(out.Scores, one.Score)
			if err := binary.Write(&maps, binary.LittleEndian, one.Map.Scores); err != nil {
				return err
			}
		}
	}
	if out.Peak, err = peak(); err != nil {
		return err
	}
	if err := os.WriteFile(to, maps.Bytes(), 0o644); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(out)
}

// processors returns the seconds that the process has used on all processors.
func processors() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
}

// peak returns the highest memory in bytes since it was reset.
func peak() (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, found := strings.CutPrefix(line, "VmHWM:"); found {
			kilobytes, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kilobytes * 1024, err
		}
	}
	return 0, errors.New("/proc/self/status has no VmHWM")
}
