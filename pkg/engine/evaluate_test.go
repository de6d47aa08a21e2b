package engine

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/golden"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/config"
	"acdclip/pkg/data"
	"acdclip/pkg/data/synth"
	"acdclip/pkg/events"
	"acdclip/pkg/model"
	"acdclip/pkg/report"
)

// trainedOn gives the path of a checkpoint that was trained on drawn textures, and its configuration.
func trainedOn(t *testing.T, settings ...string) (string, config.Loaded) {
	t.Helper()
	o := training(t, drawn(t, synth.Textures), append([]string{"train.epochs=1"}, settings...)...)
	if err := Train(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	loaded := load(t, "device=cpu", "threads=1", "clip="+o.Config.Clip)
	return filepath.Join(o.Folder, "last.safetensors"), loaded
}

// trained gives a detector that was trained on drawn textures.
func trained(t *testing.T) *Detector {
	t.Helper()
	path, loaded := trainedOn(t)
	d, err := OpenDetector(context.Background(), DetectorOptions{Config: loaded, Checkpoint: path, Emit: func(events.Event) {}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// evaluating gives options that score set with a checkpoint trained on drawn textures.
func evaluating(t *testing.T, set *data.Dataset, settings ...string) EvaluateOptions {
	t.Helper()
	path, loaded := trainedOn(t, settings...)
	checkpoint, err := ReadTrained(path, loaded)
	if err != nil {
		t.Fatal(err)
	}
	return EvaluateOptions{
		Config: loaded, Jobs: []Job{{Set: set, Checkpoint: &checkpoint}}, Version: "test", Batch: 4, Emit: func(events.Event) {},
	}
}

func evaluate(t *testing.T, o EvaluateOptions) (*report.Evaluation, []report.Score) {
	t.Helper()
	result, scores, err := Evaluate(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return result, scores
}

// Pictures one by one differ from batches by rounding alone.
func TestBatchesHardlyChangeScores(t *testing.T) {
	o := evaluating(t, drawn(t, synth.Objects))
	_, scores := evaluate(t, o)
	o.Batch, o.Load.Workers = 1, 1
	_, single := evaluate(t, o)
	for i := range scores {
		if difference := scores[i].Score - single[i].Score; difference > 1e-5 || difference < -1e-5 {
			t.Errorf("%s: %g in a batch, %g alone", scores[i].Path, scores[i].Score, single[i].Score)
		}
	}
}

// TestAnotherCLIPIsRefused: a checkpoint is used, and trained on, with the CLIP it was trained on alone.
func TestAnotherCLIPIsRefused(t *testing.T) {
	o := training(t, drawn(t, synth.Textures), "train.epochs=1")
	if err := Train(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	other := otherCLIP(t, o.Config.Clip)
	options := DetectorOptions{Config: load(t, "device=cpu", "threads=1", "clip="+other), Checkpoint: filepath.Join(o.Folder, "last.safetensors"), Emit: func(events.Event) {}}
	if _, err := OpenDetector(context.Background(), options); !errors.Is(err, ErrOtherCLIP) {
		t.Errorf("got %v, want ErrOtherCLIP", err)
	}
	if _, err := newRunClosed(training(t, o.Set, "train.init_from="+options.Checkpoint, "clip="+other)); !errors.Is(err, ErrOtherCLIP) {
		t.Errorf("a training that begins with it gave %v, want ErrOtherCLIP", err)
	}
	var seen eventList
	options.AllowOtherCLIP, options.Emit = true, seen.emit
	d, err := OpenDetector(context.Background(), options)
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	if len(seen) == 0 {
		t.Error("taking another CLIP gave no warning")
	}
}

// otherCLIP makes a CLIP of the same shape as path's with other values.
func otherCLIP(t *testing.T, path string) string {
	t.Helper()
	c, err := pretrained.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	folder := filepath.Join(t.TempDir(), "clip")
	if err := pretrained.WriteRandom(folder, c.Arch, 5); err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestDetectorNeedsCLIP(t *testing.T) {
	options := DetectorOptions{Config: load(t), Checkpoint: filepath.Join(golden.Root(), "testdata", "golden", "released_n2_adapter_1.pth"), Emit: func(events.Event) {}}
	if _, err := OpenDetector(context.Background(), options); !errors.Is(err, ErrNoCLIP) {
		t.Errorf("got %v, want ErrNoCLIP", err)
	}
}

// countingMethod counts the classes that it prepares.
type countingMethod struct {
	model.Method
	prepared int
}

func (m *countingMethod) Prepare(ctx context.Context, s *torch.Scope, classes []model.Class) (model.Prepared, error) {
	m.prepared += len(classes)
	return m.Method.Prepare(ctx, s, classes)
}

// TestPromptsAreKept: a class's prompts are encoded once, and its scores stay the same.
func TestPromptsAreKept(t *testing.T) {
	d := trained(t)
	counting := &countingMethod{Method: d.method}
	d.method = counting
	set := drawn(t, synth.Objects)
	var inputs []data.Found
	for _, item := range set.Items[:2] {
		inputs = append(inputs, data.Found{Path: item.Path})
	}
	var scores []float32
	for _, names := range [][]string{{"bolt", "bolt"}, {"bolt", "bolt"}, {"bolt", "nut"}, {"nut", "bolt"}} {
		o := PredictOptions{
			Inputs: inputs, Domain: domain.Industrial, Batch: 1,
			PromptOf: func(found data.Found) string {
				return names[slices.IndexFunc(inputs, func(f data.Found) bool { return f.Path == found.Path })]
			},
		}
		err := d.Predict(t.Context(), o, func(events.Event) {}, func(_ data.Found, scored Scored) error {
			scores = append(scores, scored.Score)
			return scored.Err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if counting.prepared != 2 {
		t.Errorf("%d classes were prepared", counting.prepared)
	}
	if scores[0] != scores[2] || scores[1] != scores[3] || scores[0] != scores[4] || scores[1] != scores[7] || scores[0] == scores[6] {
		t.Errorf("scores %v", scores)
	}
}

func TestPredictStopsWithItsContext(t *testing.T) {
	d := trained(t)
	set := drawn(t, synth.Objects)
	var inputs []data.Found
	for _, item := range set.Items {
		inputs = append(inputs, data.Found{Path: item.Path})
	}
	ctx, cancel := context.WithCancel(context.Background())
	count := 0
	o := PredictOptions{Inputs: inputs, PromptOf: func(data.Found) string { return "object" }, Domain: domain.Industrial, Batch: 2}
	err := d.Predict(ctx, o, func(events.Event) {}, func(data.Found, Scored) error {
		if count++; count == 3 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || count < 3 || count > 4 {
		t.Errorf("after %d pictures: %v", count, err)
	}
}

// TestGates: each picture has weights of the gateway that sum to 1 over the text levels.
func TestGates(t *testing.T) {
	o := evaluating(t, drawn(t, synth.Objects))
	o.Gates = true
	result, scores := evaluate(t, o)
	for _, score := range scores {
		if len(score.Gates) != 2*2*2 {
			t.Fatalf("%s: %d weights", score.Path, len(score.Gates))
		}
	}
	for _, mean := range result.GateMeans(scores) {
		for i := range 2 {
			for state := range 2 {
				if sum := mean.At(i, 0, state) + mean.At(i, 1, state); math.Abs(sum-1) > 1e-6 {
					t.Errorf("class %q, group %d, state %d: the weights sum to %v", mean.Class, i, state, sum)
				}
			}
		}
	}
}

// TestChangedCheckpoint: numbers are never those of another file than the results say.
func TestChangedCheckpoint(t *testing.T) {
	o := evaluating(t, drawn(t, synth.Objects))
	other, _ := trainedOn(t, "seed=1")
	if err := os.Rename(other, o.Jobs[0].Checkpoint.Path); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Evaluate(context.Background(), o); !errors.Is(err, errChanged) || !strings.Contains(err.Error(), o.Jobs[0].Checkpoint.Path) {
		t.Errorf("got %v", err)
	}
}
