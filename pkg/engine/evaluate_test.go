package engine

import (
	"context"
	"errors"
	"fmt"
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
	"acdclip/pkg/metrics"
	"acdclip/pkg/model"
	"acdclip/pkg/report"
	"acdclip/pkg/shard"
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

func TestEvaluate(t *testing.T) {
	set := drawn(t, synth.Objects)
	o := evaluating(t, set)
	o.Load.Workers = 2
	all, scores := evaluate(t, o)
	result := all.Results[0]
	if len(scores) != len(set.Items) || len(result.Classes) != 2 {
		t.Fatalf("%d scores and %d rows", len(scores), len(result.Classes))
	}
	for i, row := range result.Classes {
		if row.Normal != 2 || row.Anomalous != 3 || row.Failed != 0 || row.PixelAUROC == nil || row.PixelAP == nil || row.ImageAP == nil {
			t.Errorf("row %+v", row)
		}
		var values []float32
		var labels []bool
		for j, score := range scores {
			if score.Path != set.Items[j].Path {
				t.Errorf("score %d is of %s, want %s", j, score.Path, set.Items[j].Path)
			}
			if score.Class == row.Class {
				values, labels = append(values, score.Score), append(labels, score.Anomalous)
			}
		}
		want, err := metrics.AUROC(values, labels)
		if err != nil || *row.ImageAUROC != want {
			t.Errorf("class %d: image AUROC %v, want %v of its scores (%v)", i, *row.ImageAUROC, want, err)
		}
	}
	// Pictures one by one differ from batches by rounding alone.
	o.Batch, o.Load.Workers = 1, 1
	again, single := evaluate(t, o)
	for i := range scores {
		if difference := scores[i].Score - single[i].Score; difference > 1e-5 || difference < -1e-5 {
			t.Errorf("%s: %g in a batch, %g alone", scores[i].Path, scores[i].Score, single[i].Score)
		}
	}
	if again := again.Results[0]; len(again.Classes) != 2 || again.ListHash != result.ListHash {
		t.Errorf("a second run gave %+v", again)
	}
}

func TestEvaluateGoesOnPastBrokenPictures(t *testing.T) {
	set := drawn(t, synth.Objects)
	o := evaluating(t, set)
	// Both normal pictures of the first class, and one anomalous of the second.
	for _, item := range set.Items {
		first := item.Class == set.Classes[0].Name
		if first && !item.Anomalous || !first && item.Defect == set.Items[len(set.Items)-1].Defect && item.Anomalous {
			if err := os.WriteFile(item.Path, nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	var seen eventList
	o.Emit = seen.emit
	all, scores := evaluate(t, o)
	result := all.Results[0]
	if row := result.Classes[0]; row.Failed != 2 || row.Normal != 0 || row.ImageAUROC != nil || row.PixelAUROC == nil {
		t.Errorf("a class without normal pictures: %+v", row)
	}
	if row := result.Classes[1]; row.Failed != 1 || row.ImageAUROC == nil {
		t.Errorf("a class with one broken picture: %+v", row)
	}
	warnings := slices.DeleteFunc(slices.Clone(seen), func(event events.Event) bool { _, is := event.(events.Warning); return !is })
	if len(scores) != len(set.Items) || len(warnings) != 3 {
		t.Errorf("%d scores, %d warnings", len(scores), len(warnings))
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

// TestFinishedClassesAreOfTheTarget: one with pictures that are none of it is refused.
func TestFinishedClassesAreOfTheTarget(t *testing.T) {
	o := evaluating(t, drawn(t, synth.Objects))
	var folder *shard.Folder
	path := filepath.Join(t.TempDir(), "unfinished")
	o.Finished = func(plan shard.Plan) (_ *shard.Folder, err error) {
		folder, err = shard.Create(path, plan, nil)
		return folder, err
	}
	evaluate(t, o)
	pictures := len(o.Jobs[0].Set.Items)
	for _, place := range []int{-1, pictures, pictures - 1} { // the last is of the other class
		kept, err := folder.Finished(0, 0)
		if err != nil {
			t.Fatal(err)
		}
		kept.Scores[0].Place = place
		if err := folder.Keep(0, 0, *kept, nil); err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("picture %d is none of it", place)
		if _, _, err := Evaluate(context.Background(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
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

// TestEvaluateLeavesUnmaskedPixelsOut: an anomalous picture without a mask counts for
// image metrics alone, and the mask threshold is obeyed and told.
func TestEvaluateLeavesUnmaskedPixelsOut(t *testing.T) {
	set := drawn(t, synth.Objects)
	o := evaluating(t, set)
	score := func() report.Result {
		result, _ := evaluate(t, o)
		return result.Results[0]
	}
	all := score()
	if all.MaskPolicy != "nonzero, after Pillow's nearest resize to image_size" {
		t.Errorf("mask policy %q", all.MaskPolicy)
	}
	at := slices.IndexFunc(set.Items, func(item data.Item) bool { return item.Anomalous })
	set.Items[at].Mask = ""
	fewer := score()
	if *fewer.Classes[0].ImageAUROC != *all.Classes[0].ImageAUROC || fewer.Classes[0].Anomalous != all.Classes[0].Anomalous {
		t.Error("an anomalous picture without a mask is lost for image metrics")
	}
	if *fewer.Classes[0].PixelAP == *all.Classes[0].PixelAP {
		t.Error("an anomalous picture without a mask counts for pixel metrics")
	}
	set.MaskThreshold = 128
	if high := score(); high.MaskPolicy != "at least 128, after Pillow's nearest resize to image_size" {
		t.Errorf("mask policy %q", high.MaskPolicy)
	}
}
