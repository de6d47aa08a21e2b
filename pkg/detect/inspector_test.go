package detect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/drawn"
	"acdclip/internal/golden"
	"acdclip/pkg/batching"
	"acdclip/pkg/builtin"
	"acdclip/pkg/data"
	"acdclip/pkg/data/synth"
	"acdclip/pkg/domain"
	"acdclip/pkg/events"
	"acdclip/pkg/inspection"
	"acdclip/pkg/scoring"
	"acdclip/pkg/trained"
)

func ExampleOpenInspector() {
	ctx := context.Background()
	inspector, err := OpenInspector(ctx, Settings{Set: []string{"device=cpu"}}) // the built-in model
	if err != nil {
		fmt.Println(err)
		return
	}
	defer inspector.Close()

	// A plate with a hole, in memory.
	plate := image.NewGray(image.Rect(0, 0, 320, 240))
	for i := range plate.Pix {
		plate.Pix[i] = 170 + uint8(i*i%7)
	}
	for y := 100; y < 120; y++ {
		for x := 200; x < 220; x++ {
			plate.SetGray(x, y, color.Gray{20})
		}
	}
	result, err := inspector.Score(ctx, inspection.Picture{Image: plate, Class: "metal plate"})
	if err != nil {
		fmt.Println(err)
		return
	}
	found := result.Regions(result.MapMax * 0.9).List[0]
	x, y := found.Box[0]+found.Box[2]/2, found.Box[1]+found.Box[3]/2
	fmt.Printf("%d x %d pixels, most anomalous near the hole: %v\n", result.Width, result.Height, math.Hypot(float64(x-210), float64(y-110)) < 20)

	// Output: 320 x 240 pixels, most anomalous near the hole: true
}

func ExampleDetector_Inspector() {
	options, err := Settings{Set: []string{"device=cpu"}}.Options()
	if err != nil {
		fmt.Println(err)
		return
	}
	detector, err := Open(context.Background(), options)
	if err != nil {
		fmt.Println(err)
		return
	}
	inspector := detector.Inspector(batching.Options{Batch: 8})
	defer inspector.Close() // closes the Detector too
	_, err = inspector.Score(context.Background(), inspection.Picture{Encoded: []byte("a text")})
	fmt.Println(err)

	// Output: not a picture: it contains text that starts with "a text"
}

// TestInspectorScoresLikePredict compares the scores of many goroutines with those of the
// same pictures from disk: the same bits at one batch size, up to rounding otherwise.
func TestInspectorScoresLikePredict(t *testing.T) {
	set := drawn.Set(t, synth.Objects)
	classes := []string{"nut", "metal_bolt"}
	var inputs []data.Found
	for _, item := range set.Items {
		inputs = append(inputs, data.Found{Path: item.Path})
	}
	classOf := func(i int) string { return classes[i%2] }
	var want []scoring.Scored
	d, at := open(t), 0
	err := Predict(t.Context(), d, PredictOptions{Inputs: inputs, Batch: 1, Domain: set.Domain, PromptOf: func(data.Found) string {
		at++
		return strings.ReplaceAll(classOf(at-1), "_", " ")
	}}, func(events.Event) {}, func(_ data.Found, s scoring.Scored) error {
		want = append(want, s)
		return s.Err
	})
	if err != nil {
		t.Fatal(err)
	}
	for batch, within := range map[int]float64{1: 0, 4: 1e-5} {
		i := openOwn(t).Inspector(batching.Options{Batch: batch})
		var running sync.WaitGroup
		for at, input := range inputs {
			running.Go(func() {
				content, err := os.ReadFile(input.Path)
				if err != nil {
					t.Error(err)
					return
				}
				got, err := i.Score(t.Context(), inspection.Picture{Encoded: content, Class: classOf(at), Domain: set.Domain})
				if err != nil {
					t.Error(err)
					return
				}
				off := max(differ(got.Score, want[at].Score), differ(got.MapMax, want[at].MapMax), differ(*got.ClassProbability, *want[at].ClassProbability))
				for v, value := range got.Map.Scores {
					off = max(off, differ(value, want[at].Map.Scores[v]))
				}
				if off > within || got.Width != want[at].Picture.Width || got.Height != want[at].Picture.Height {
					t.Errorf("batches of %d: picture %d is off by %v", batch, at, off)
				}
			})
		}
		running.Wait()
		i.Close()
	}
}

func differ(a, b float32) float64 { return math.Abs(float64(a) - float64(b)) }

// openOwn is open for a Detector that something else closes.
func openOwn(t *testing.T) *Detector {
	t.Helper()
	d, err := Open(t.Context(), own(t))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Closing an Inspector frees all tensors.
func TestInspectorFreesItsMemory(t *testing.T) {
	before := torch.LiveHandles()
	i := openOwn(t).Inspector(batching.Options{})
	if _, err := i.Score(t.Context(), inspection.Picture{Image: image.NewGray(image.Rect(0, 0, 9, 9))}); err != nil {
		t.Fatal(err)
	}
	if torch.LiveHandles() <= before {
		t.Error("an open Inspector holds no tensors")
	}
	i.Close()
	if left := torch.LiveHandles(); left != before {
		t.Errorf("%d tensors after Close, %d before", left, before)
	}
}

// TestMaxClasses checks that the classes that were used last are kept prepared, that the
// others are freed, and that a class has the same scores when it comes back.
func TestMaxClasses(t *testing.T) {
	o := own(t)
	o.MaxClasses = 3
	d, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	counting := &countingMethod{Method: d.method}
	d.method = counting
	prepare := func(prompts ...string) int {
		t.Helper()
		before := counting.prepared
		if err := d.Prepare(t.Context(), domain.Classes{Prompts: prompts, Domain: domain.Industrial}); err != nil {
			t.Fatal(err)
		}
		return counting.prepared - before
	}
	prepare("a", "b", "c")
	full := torch.LiveHandles()
	for _, c := range []struct {
		prompts string
		want    int // classes that are prepared
	}{
		{"a", 0}, {"d", 1}, {"a", 0}, {"c", 0}, {"b", 1}, {"c a", 0}, {"d", 1}, {"a c d", 0}, {"e f g h", 4}, {"a", 1},
	} {
		if got := prepare(strings.Fields(c.prompts)...); got != c.want {
			t.Errorf("%s: %d classes were prepared, want %d", c.prompts, got, c.want)
		}
	}
	for n := range 20 {
		prepare(fmt.Sprint("class ", n))
	}
	if now := torch.LiveHandles(); now > full {
		t.Errorf("%d tensors after many classes, %d with three", now, full)
	}
	if len(d.kept) != 3 {
		t.Errorf("%d classes are kept", len(d.kept))
	}
}

func TestSettings(t *testing.T) {
	adapters := filepath.Join(golden.Root(), "testdata", "golden", "released_n2_adapter_1.pth")
	for _, c := range []struct {
		name             string
		settings         Settings
		clip, checkpoint string
		method           string
	}{
		{"nothing", Settings{}, builtin.Tiny, builtin.Tiny, "acdclip"},
		{"a method that learns nothing", Settings{Method: "winclip"}, builtin.Tiny, "", "winclip"},
		{"files", Settings{CLIP: "/clip.pt", Checkpoint: adapters}, "/clip.pt", adapters, "acdclip"},
	} {
		o, err := c.settings.Options()
		got := o.Config.Config
		if err != nil || got.Clip != c.clip || o.Checkpoint != c.checkpoint || got.Method != c.method || o.MaxClasses != DefaultMaxClasses || !got.Data.EXIFOrientation.Applies() {
			t.Errorf("%s: CLIP %q, checkpoint %q, method %q, %d classes, %v", c.name, got.Clip, o.Checkpoint, got.Method, o.MaxClasses, err)
		}
	}
	for says, s := range map[string]Settings{
		"no_such_key":        {Set: []string{"no_such_key=1"}},
		"method: must be":    {Method: "none"},
		"no-such-file.pth":   {Checkpoint: "no-such-file.pth", CLIP: builtin.Tiny},
		"needs a checkpoint": {Method: "anomalyclip"},
	} {
		i, err := OpenInspector(t.Context(), s)
		if err == nil {
			i.Close()
		}
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v", s, err)
		}
	}
	if _, err := OpenInspector(t.Context(), Settings{CLIP: filepath.Join(t.TempDir(), "none.pt"), Checkpoint: adapters}); !errors.Is(err, os.ErrNotExist) || errors.Is(err, trained.ErrNoCLIP) {
		t.Errorf("a CLIP that is not there: %v", err)
	}
}

// TestAnotherModule checks the program of docs/library.md outside this module.
func TestAnotherModule(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(golden.Root(), "docs", "library.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```go\n(.*?)```").FindSubmatch(text)
	if found == nil {
		t.Fatal("docs/library.md has no program")
	}
	folder := t.TempDir()
	sums, err := os.ReadFile(filepath.Join(golden.Root(), "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	module, err := os.ReadFile(filepath.Join(golden.Root(), "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	// The same versions of the same modules, so that nothing is downloaded.
	module = bytes.Replace(module, []byte("module acdclip"), []byte("module example.org/inspect"), 1)
	module = regexp.MustCompile(`(?m)^tool .*$`).ReplaceAll(module, nil)
	module = fmt.Appendf(module, "\nrequire acdclip v0.0.0\nreplace acdclip => %s\n", golden.Root())
	for name, content := range map[string][]byte{"main.go": found[1], "go.mod": module, "go.sum": sums} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	vet := func() ([]byte, error) {
		command := exec.Command("go", "vet", "-mod=mod", ".")
		command.Dir, command.Env = folder, append(os.Environ(), "GOPROXY=off", "GOWORK=off")
		return command.CombinedOutput()
	}
	if output, err := vet(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	wrong := bytes.Replace(found[1], []byte("result.Score)"), []byte("result.NoScore)"), 1)
	if slices.Equal(wrong, found[1]) {
		t.Fatal("the program does not print a score")
	}
	if err := os.WriteFile(filepath.Join(folder, "main.go"), wrong, 0o644); err != nil {
		t.Fatal(err)
	}
	if output, err := vet(); err == nil || !bytes.Contains(output, []byte("NoScore")) {
		t.Errorf("a wrong program passes: %v: %s", err, output)
	}
}
