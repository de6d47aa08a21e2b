package engine

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"acdclip/pkg/checkpoint"
	"acdclip/pkg/data"
	"acdclip/pkg/data/synth"
	"acdclip/pkg/report"
)

// validations gives the validation lines of a log.
func (l *memoryLog) validations(t *testing.T) []report.Validation {
	t.Helper()
	var list []report.Validation
	for _, line := range l.lines {
		if !strings.Contains(line, `"event":"validation"`) {
			continue
		}
		var v report.Validation
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		list = append(list, v)
	}
	return list
}

// TestValidation: what is logged of each epoch is what eval finds with its
// checkpoint on the held-out class, which was not learned from; the best is kept.
func TestValidation(t *testing.T) {
	set := drawn(t, synth.Textures)
	o := training(t, set, "train.epochs=4", "train.validate=1", "train.lr.vision=0.01")
	log := &memoryLog{}
	o.Log = log
	if err := Train(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	held := set.Classes[1].Name
	found := log.validations(t)
	if len(found) != 4 {
		t.Fatalf("%d validations", len(found))
	}
	files := filesOf(t, o.Folder)
	best, bestMean := "", 0.
	for i, v := range found {
		path := filepath.Join(o.Folder, []string{"epoch-001.safetensors", "epoch-002.safetensors", "epoch-003.safetensors", "epoch-004.safetensors"}[i])
		mean := heldOutMean(t, o, path, held)
		want := (*mean.ImageAUROC + *mean.PixelAUROC) / 2
		if v.Epoch != i+1 || !slices.Equal(v.HeldOut, []string{held}) || *v.ImageAUROC != *mean.ImageAUROC || *v.PixelAUROC != *mean.PixelAUROC || *v.Mean != want {
			t.Errorf("epoch %d: %+v (%v, %v, %v), and eval finds %v and %v", i+1, v, *v.ImageAUROC, *v.PixelAUROC, *v.Mean, *mean.ImageAUROC, *mean.PixelAUROC)
		}
		if v.Best != (want > bestMean) {
			t.Errorf("epoch %d: best %v at %v after %v", i+1, v.Best, want, bestMean)
		}
		if v.Best {
			best, bestMean = filepath.Base(path), want
		}
	}
	if files[BestFile] != files[best] {
		t.Errorf("%s is not %s", BestFile, best)
	}
	c, err := checkpoint.Open(filepath.Join(o.Folder, LastFile))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if !slices.Equal(c.Metadata.Recipe.Validate, []string{held}) || len(c.Metadata.Prompts) != 1 {
		t.Errorf("held out %v, prompts %v", c.Metadata.Recipe.Validate, c.Metadata.Prompts)
	}
}

// heldOutMean evaluates a checkpoint on one class.
func heldOutMean(t *testing.T, o TrainOptions, path, class string) report.Mean {
	t.Helper()
	set, err := o.Set.Select([]string{class}, 0)
	if err != nil {
		t.Fatal(err)
	}
	loaded := load(t, "device=cpu", "threads=1", "clip="+o.Config.Clip)
	trained, err := ReadTrained(path, loaded)
	if err != nil {
		t.Fatal(err)
	}
	result, _ := evaluate(t, EvaluateOptions{
		Config: loaded, Jobs: []Job{{Set: set, Checkpoint: &trained}}, Batch: o.Config.Train.Batch, Emit: func(report.Event) {},
	})
	return result.Results[0].Mean()
}

// TestValidationResumes: stopped after any line, or in the middle of a validation,
// a run ends in the files and the log of one that was not stopped.
func TestValidationResumes(t *testing.T) {
	set := drawn(t, synth.Textures)
	bad := set.Items[slices.IndexFunc(set.Items, func(item data.Item) bool { return item.Class == set.Classes[1].Name })]
	if err := os.WriteFile(bad.Path, nil, 0o644); err != nil { // each validation warns of it
		t.Fatal(err)
	}
	options := func() (TrainOptions, *memoryLog) {
		o := training(t, set, "train.validate=1")
		log := &memoryLog{}
		o.Log = log
		return o, log
	}
	whole, wholeLog := options()
	if err := Train(context.Background(), whole); err != nil {
		t.Fatal(err)
	}
	want := filesOf(t, whole.Folder)
	if want[BestFile] == "" {
		t.Fatalf("no %s", BestFile)
	}
	for stop := range len(wholeLog.lines) - 1 { // 0: at the first warning, in the first validation
		o, log := options()
		ctx, cancel := context.WithCancel(context.Background())
		log.stopAt, log.stop = stop, cancel
		if stop == 0 {
			o.Emit = func(event report.Event) {
				if _, is := event.(report.Warning); is {
					cancel()
				}
			}
		}
		if err := Train(ctx, o); !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped after line %d: %v", stop, err)
		}
		o.Resume, o.Emit = readState(t, o), func(report.Event) {}
		if stop == 0 && (o.Resume.Place.Epoch != 1 || o.Resume.Place.Pictures == 0) {
			t.Errorf("stopped in a validation, the state is that of %+v", o.Resume.Place)
		}
		if err := Train(context.Background(), o); err != nil {
			t.Fatal(err)
		}
		for name, content := range filesOf(t, o.Folder) {
			if content != want[name] {
				t.Errorf("stopped after line %d: %s has other bytes", stop, name)
			}
		}
		same(t, "the log", log.withoutTimings(), wholeLog.withoutTimings())
		cancel()
	}
}

func TestValidationRefuses(t *testing.T) {
	set := drawn(t, synth.Textures)
	refused := func(says string, set *data.Dataset, settings ...string) {
		t.Helper()
		err := Train(context.Background(), training(t, set, settings...))
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v: %v", settings, err)
		}
	}
	refused("train.validate: dataset textures: 2 of its 2 classes cannot be held out", set, "train.validate=2")
	refused(`train.validate: dataset textures: no such class: "brick"`, set, "train.validate=[brick]")
	normal := *set
	normal.Items = slices.DeleteFunc(slices.Clone(set.Items), func(item data.Item) bool { return item.Class == set.Classes[1].Name && item.Anomalous })
	refused("nothing can be measured on them", &normal, "train.validate=1")
	bad := *set
	bad.Items = slices.DeleteFunc(slices.Clone(set.Items), func(item data.Item) bool { return item.Class == set.Classes[0].Name && item.Anomalous })
	refused(ErrNoAnomalies.Error(), &bad, "train.validate=1")
}
