package training

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/drawn"
	"acdclip/internal/golden"
	"acdclip/internal/rundir"
	"acdclip/pkg/data"
	"acdclip/pkg/data/synth"
	"acdclip/pkg/detect"
	"acdclip/pkg/domain"
	"acdclip/pkg/evaluation"
	"acdclip/pkg/events"
	"acdclip/pkg/metrics"
	"acdclip/pkg/model"
	"acdclip/pkg/model/methods"
	"acdclip/pkg/report"
	"acdclip/pkg/trained"
)

// validations returns the validation lines of a log.
func (l *memoryLog) validations(t *testing.T) []events.Validation {
	t.Helper()
	var list []events.Validation
	for _, line := range l.lines {
		if !strings.Contains(line, `"event":"validation"`) {
			continue
		}
		var v events.Validation
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		list = append(list, v)
	}
	return list
}

// TestValidation checks that the logged validation of each epoch equals an evaluation of its
// checkpoint on the held-out class, that this class is not trained on, and that the best
// checkpoint is saved.
func TestValidation(t *testing.T) {
	set := drawn.Set(t, synth.Textures)
	o := short(t, set, "train.epochs=4", "train.validate=1", "train.lr.vision=0.01")
	log := &memoryLog{}
	*logOf(o) = log
	if err := Train(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	held := set.Classes[1].Name
	found := log.validations(t)
	if len(found) != 4 {
		t.Fatalf("%d validations", len(found))
	}
	files := filesOf(t, pathOf(o))
	best, bestMean := "", 0.
	for i, v := range found {
		path := filepath.Join(pathOf(o), []string{"epoch-001.safetensors", "epoch-002.safetensors", "epoch-003.safetensors", "epoch-004.safetensors"}[i])
		mean := heldOutMean(t, o, path, held)
		image, pixel := mean.Metrics[metrics.ImageAUROC], mean.Metrics[metrics.PixelAUROC]
		want := (image + pixel) / 2
		if v.Epoch != i+1 || !slices.Equal(v.HeldOut, []string{held}) || *v.ImageAUROC != image || *v.PixelAUROC != pixel || *v.Mean != want {
			t.Errorf("epoch %d: %+v (%v, %v, %v), and eval finds %v and %v", i+1, v, *v.ImageAUROC, *v.PixelAUROC, *v.Mean, image, pixel)
		}
		if v.Best != (want > bestMean) {
			t.Errorf("epoch %d: best %v at %v after %v", i+1, v.Best, want, bestMean)
		}
		if v.Best {
			best, bestMean = filepath.Base(path), want
		}
	}
	if files[rundir.BestFile] != files[best] {
		t.Errorf("%s is not %s", rundir.BestFile, best)
	}
	c, err := openCheckpoint(filepath.Join(pathOf(o), rundir.LastFile))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if !slices.Equal(c.Metadata.Recipe.Validate, []string{held}) || len(c.Metadata.Prompts) != 1 {
		t.Errorf("held out %v, prompts %v", c.Metadata.Recipe.Validate, c.Metadata.Prompts)
	}
}

// TestFirstOfEqualsIsBest checks that the first of epochs with equal validations is the best.
func TestFirstOfEqualsIsBest(t *testing.T) {
	o := short(t, drawn.Set(t, synth.Textures), "train.epochs=2", "train.validate=1", "train.lr.vision=1e-12", "train.lr.text=1e-12")
	log := &memoryLog{}
	*logOf(o) = log
	if err := Train(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	if found := log.validations(t); *found[0].Mean != *found[1].Mean || !found[0].Best || found[1].Best {
		t.Errorf("%+v", found)
	}
	if files := filesOf(t, pathOf(o)); files[rundir.BestFile] != files[rundir.EpochFile(1)] || files[rundir.BestFile] == files[rundir.EpochFile(2)] {
		t.Error("best is not the first epoch")
	}
}

// heldOutMean evaluates a checkpoint on one class.
func heldOutMean(t *testing.T, o Options, path, class string) report.Mean {
	t.Helper()
	set, err := o.Set.Select([]string{class}, 0)
	if err != nil {
		t.Fatal(err)
	}
	loaded := load(t, "device=cpu", "threads=1", "clip="+o.Config.Clip)
	m, err := trained.Read(path, methods.All().Cards(), loaded)
	if err != nil {
		t.Fatal(err)
	}
	emit := func(events.Event) {}
	evaluating, err := evaluation.Begin(context.Background(), evaluation.Options{
		Jobs: []evaluation.Job{{Set: set, Checkpoint: &m}}, Batch: o.Config.Train.Batch, Emit: emit,
		Detectors: &detect.Pool{Methods: methods.All(), Emit: emit},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer evaluating.Close()
	result, _, err := evaluating.Run(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return result.Results[0].Mean()
}

// TestValidationResumes checks that a run that is stopped after any line, or in the middle of
// a validation, and resumed ends in the same files and log as an uninterrupted run.
func TestValidationResumes(t *testing.T) {
	set := drawn.Set(t, synth.Textures)
	bad := set.Items[slices.IndexFunc(set.Items, func(item data.Item) bool { return item.Class == set.Classes[1].Name })]
	if err := os.WriteFile(bad.Path, nil, 0o644); err != nil { // each validation warns about it
		t.Fatal(err)
	}
	options := func() (Options, *memoryLog) {
		o := short(t, set, "train.validate=1", "data.skip_bad=true")
		log := &memoryLog{}
		*logOf(o) = log
		return o, log
	}
	if err := Train(context.Background(), short(t, set, "train.validate=1")); err == nil || !strings.Contains(err.Error(), "1 of the held-out pictures could not be scored") {
		t.Errorf("without data.skip_bad: %v", err)
	}
	whole, wholeLog := options()
	if err := Train(context.Background(), whole); err != nil {
		t.Fatal(err)
	}
	want := filesOf(t, pathOf(whole))
	if want[rundir.BestFile] == "" {
		t.Fatalf("no %s", rundir.BestFile)
	}
	for stop := range len(wholeLog.lines) - 1 { // 0: at the first warning, in the first validation
		o, log := options()
		ctx, cancel := context.WithCancel(context.Background())
		log.stopAt, log.stop = stop, cancel
		if stop == 0 {
			o.Emit = func(event events.Event) {
				if _, is := event.(events.Warning); is {
					cancel()
				}
			}
		}
		if err := Train(ctx, o); !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped after line %d: %v", stop, err)
		}
		o.Resume, o.Emit = readState(t, o), func(events.Event) {}
		if stop == 0 && (o.Resume.Place.Epoch != 1 || o.Resume.Place.Pictures == 0) {
			t.Errorf("stopped in a validation, the state is that of %+v", o.Resume.Place)
		}
		if err := Train(context.Background(), o); err != nil {
			t.Fatal(err)
		}
		for name, content := range filesOf(t, pathOf(o)) {
			if content != want[name] {
				t.Errorf("stopped after line %d: %s has other bytes", stop, name)
			}
		}
		golden.SameText(t, "the log", log.withoutTimings(), wholeLog.withoutTimings())
		cancel()
	}
}

func TestValidationRefuses(t *testing.T) {
	set := drawn.Set(t, synth.Textures)
	refused := func(says string, set *data.Dataset, settings ...string) {
		t.Helper()
		err := Train(context.Background(), short(t, set, settings...))
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v: %v", settings, err)
		}
		o := short(t, set, settings...)
		if early := o.Check(); err != nil && (early == nil || early.Error() != err.Error()) {
			t.Errorf("%v: %v beforehand", settings, early)
		}
	}
	refused("train.validate: dataset textures: 2 of its 2 classes cannot be held out", set, "train.validate=2")
	refused(`train.validate: dataset textures: no such class: "brick"`, set, "train.validate=[brick]")
	normal := *set
	normal.Items = slices.DeleteFunc(slices.Clone(set.Items), func(item data.Item) bool { return item.Class == set.Classes[1].Name && item.Anomalous })
	refused("no metric is defined", &normal, "train.validate=1")
	bad := *set
	bad.Items = slices.DeleteFunc(slices.Clone(set.Items), func(item data.Item) bool { return item.Class == set.Classes[0].Name && item.Anomalous })
	refused(ErrNoAnomalies.Error(), &bad, "train.validate=1")
}

// TestValidationRefusesAnotherRun checks that a run cannot be resumed with changes that affect the validation.
func TestValidationRefusesAnotherRun(t *testing.T) {
	set := drawn.Set(t, synth.Textures)
	o := short(t, set, "train.epochs=1", "train.validate=1")
	if err := Train(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	for says, change := range map[string]func(*data.Dataset){
		"the prompt names":             func(d *data.Dataset) { d.Classes[1].Prompt = "plank" },
		"the list of what is held out": func(d *data.Dataset) { d.Items[len(d.Items)-1].Anomalous = !d.Items[len(d.Items)-1].Anomalous },
		"the dataset's domain":         func(d *data.Dataset) { d.Domain = domain.Medical },
	} {
		again, changed := o, *set
		changed.Classes, changed.Items = slices.Clone(set.Classes), slices.Clone(set.Items)
		change(&changed)
		again.Set, again.Resume, again.Config.Train.Epochs = &changed, readState(t, o), 2
		if _, err := newRunClosed(again); !errors.Is(err, ErrOtherRun) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
}

// TestValidationIsShown checks that a validation is a stage within the training's stage.
func TestValidationIsShown(t *testing.T) {
	o := short(t, drawn.Set(t, synth.Textures), "train.epochs=1", "train.validate=1")
	var shown []string
	o.Emit = func(event events.Event) {
		switch event := event.(type) {
		case events.StageStarted:
			shown = append(shown, fmt.Sprintf("%s in %q: %d", event.Stage, event.Within, event.Total))
		case events.Progress:
			shown = append(shown, fmt.Sprintf("%s: %d of %d", event.Stage, event.Done, event.Total))
		case events.StageDone:
			shown = append(shown, event.Stage+" done")
		case events.Notice:
			if strings.Contains(event.Text, "held out") {
				shown = append(shown, event.Text)
			}
		}
	}
	if err := Train(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	want := `held out for validation: woven_fabric, 2 normal and 3 anomalous pictures
train on textures in "": 2
validate on textures in "train on textures": 5
validate on textures: 1 of 5
validate on textures: 2 of 5
validate on textures: 3 of 5
validate on textures: 4 of 5
validate on textures: 5 of 5
validate on textures done
train on textures done`
	golden.SameText(t, "what is shown", strings.Join(shown, "\n"), want)
}

// TestValidationWithoutPictures checks that unreadable pictures are reported once and counted
// after each epoch, and that without readable pictures no epoch is the best.
func TestValidationWithoutPictures(t *testing.T) {
	set := drawn.Set(t, synth.Textures)
	for _, item := range set.Items {
		if item.Class == set.Classes[1].Name {
			if err := os.WriteFile(item.Path, nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	o := short(t, set, "train.validate=1", "data.skip_bad=true")
	log, warnings := &memoryLog{}, 0
	*logOf(o) = log
	o.Emit = func(event events.Event) {
		if _, is := event.(events.Warning); is {
			warnings++
		}
	}
	if err := Train(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	for _, v := range log.validations(t) {
		if v.Skipped != 5 || v.Mean != nil || v.Best {
			t.Errorf("%+v", v)
		}
	}
	if warnings != 5 || filesOf(t, pathOf(o))[rundir.BestFile] != "" {
		t.Errorf("%d warnings, files %v", warnings, slices.Sorted(maps.Keys(filesOf(t, pathOf(o)))))
	}
}

// TestValidationWithoutMemory checks that the advice names settings of a training.
func TestValidationWithoutMemory(t *testing.T) {
	r, err := newRun(context.Background(), short(t, drawn.Set(t, synth.Textures), "train.validate=1"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.backbone.Close()
	r.method = greedy{r.method}
	_, err = r.validate(context.Background())
	if !errors.Is(err, torch.ErrOutOfMemory) || strings.Contains(err.Error(), "--batch") || strings.Count(err.Error(), "lower train.batch or model.image_size") != 1 {
		t.Errorf("got %v", err)
	}
}

// greedy is a method that needs more memory than there is.
type greedy struct{ model.Trainable }

func (greedy) Score(*torch.Scope, torch.Tensor, []int, model.Prepared) (model.Scores, error) {
	return model.Scores{}, torch.ErrOutOfMemory
}

// TestValidationIsLoggedWhole checks that if one of an epoch's lines cannot be written, none of them counts.
func TestValidationIsLoggedWhole(t *testing.T) {
	set := drawn.Set(t, synth.Textures)
	whole := short(t, set, "train.validate=1")
	wholeLog := &memoryLog{}
	*logOf(whole) = wholeLog
	if err := Train(context.Background(), whole); err != nil {
		t.Fatal(err)
	}
	o := short(t, set, "train.validate=1")
	log, full := &memoryLog{}, errors.New("disk full")
	*logOf(o) = &refusing{log, full}
	if err := Train(context.Background(), o); !errors.Is(err, full) {
		t.Fatalf("got %v", err)
	}
	o.Resume, *logOf(o) = readState(t, o), log
	if err := Train(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	golden.SameText(t, "the log", log.withoutTimings(), wholeLog.withoutTimings())
}

// refusing is a log that fails for validations.
type refusing struct {
	*memoryLog
	err error
}

func (r *refusing) Write(event events.Event) error {
	if _, is := event.(events.Validation); is {
		return r.err
	}
	return r.memoryLog.Write(event)
}

// TestBestCannotBeWritten checks that the earlier state stays, and that the resumed run ends in the same files.
func TestBestCannotBeWritten(t *testing.T) {
	set := drawn.Set(t, synth.Textures)
	whole := short(t, set, "train.validate=1")
	if err := Train(context.Background(), whole); err != nil {
		t.Fatal(err)
	}
	o := short(t, set, "train.validate=1")
	log := &memoryLog{}
	*logOf(o) = log
	inTheWay := filepath.Join(pathOf(o), rundir.BestFile, "folder")
	if err := os.MkdirAll(inTheWay, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Train(context.Background(), o); err == nil || !strings.Contains(err.Error(), rundir.BestFile) {
		t.Fatalf("got %v", err)
	}
	o.Resume = readState(t, o)
	if o.Resume.Place.Epoch != 1 {
		t.Errorf("the state is that of %+v", o.Resume.Place)
	}
	if err := os.RemoveAll(filepath.Dir(inTheWay)); err != nil {
		t.Fatal(err)
	}
	if err := Train(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(filesOf(t, pathOf(o)), filesOf(t, pathOf(whole))) {
		t.Error("the files are not those of a run that had room")
	}
}
