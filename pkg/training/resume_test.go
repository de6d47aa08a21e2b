package training

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"acdclip/internal/drawn"
	"acdclip/internal/rundir"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/config"
	"acdclip/pkg/contents"
	"acdclip/pkg/data/synth"
	"acdclip/pkg/events"
)

// memoryLog is a log in memory that can stop the training at a line.
type memoryLog struct {
	lines  []string
	stopAt int // number of lines at which to stop
	stop   func()
}

func (l *memoryLog) Begin(lines int) error {
	l.lines = l.lines[:lines]
	return nil
}

func (l *memoryLog) Write(event events.Event) error {
	var line bytes.Buffer
	if err := events.NewWriter(&line, nil).Write(event); err != nil {
		return err
	}
	if l.lines = append(l.lines, line.String()); len(l.lines) == l.stopAt {
		l.stop()
	}
	return nil
}

func (l *memoryLog) Sync() error { return nil }

// without returns the lines without values that depend on time.
func (l *memoryLog) withoutTimings() string {
	return regexp.MustCompile(`"(pictures_per_second|seconds)":[^,}]+`).ReplaceAllString(strings.Join(l.lines, ""), "")
}

// filesOf returns the files of a run except its state.
func filesOf(t *testing.T, folder string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if entry.Name() != rundir.StateFile {
			files[entry.Name()] = string(content)
		}
	}
	return files
}

func readState(t *testing.T, o Options) *checkpoint.State {
	t.Helper()
	state, err := readStateFile(filepath.Join(pathOf(o), rundir.StateFile))
	if err != nil {
		t.Fatal(err)
	}
	return &state
}

// TestTrainResumes checks that a run that is stopped after any line of the log and resumed,
// with another number of workers, gives the same files and log as an uninterrupted run.
func TestTrainResumes(t *testing.T) {
	set := drawn.Set(t, synth.Textures)
	if err := os.WriteFile(set.Items[3].Path, []byte("no picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	options := func() (Options, *memoryLog) {
		o := short(t, set, "data.skip_bad=true", "train.accumulate=2", "train.batch=2")
		log := &memoryLog{}
		*logOf(o) = log
		return o, log
	}
	whole, wholeLog := options()
	whole.Load.Workers = 1
	if err := Train(context.Background(), whole); err != nil {
		t.Fatal(err)
	}
	want := filesOf(t, pathOf(whole))
	for stop := 1; stop < len(wholeLog.lines)-1; stop++ { // after the last step the run ends normally
		o, log := options()
		ctx, cancel := context.WithCancel(context.Background())
		log.stopAt, log.stop = stop, cancel
		if err := Train(ctx, o); !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped after line %d: %v", stop, err)
		}
		o.Resume = readState(t, o)
		if o.Resume.Place.LogLines < stop {
			t.Errorf("stopped after line %d, the state is that of line %d", stop, o.Resume.Place.LogLines)
		}
		o.Load.Workers = 3
		log.lines = append(log.lines, "{half a li")
		if err := Train(context.Background(), o); err != nil {
			t.Fatal(err)
		}
		for name, content := range filesOf(t, pathOf(o)) {
			if content != want[name] {
				t.Errorf("stopped after line %d: %s has other bytes", stop, name)
			}
		}
		if got := log.withoutTimings(); got != wholeLog.withoutTimings() {
			t.Errorf("stopped after line %d: the log is\n%s\nwant\n%s", stop, got, wholeLog.withoutTimings())
		}
	}
}

// TestTrainResumesFromAnyState checks that checkpoints and log may be ahead of the state, as
// when the program is killed before it writes the state.
func TestTrainResumesFromAnyState(t *testing.T) {
	o := short(t, drawn.Set(t, synth.Textures), "train.batch=5", "train.save_minutes=0")
	log := &memoryLog{}
	var states []*checkpoint.State
	*logOf(o) = &spied{log, func() { states = append(states, readState(t, o)) }}
	if err := Train(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	want, wantLog := filesOf(t, pathOf(o)), log.withoutTimings()
	for i, state := range states { // the states before each line
		o.Resume, *logOf(o) = state, log
		if err := Train(context.Background(), o); err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(filesOf(t, pathOf(o)), want) || log.withoutTimings() != wantLog {
			t.Errorf("from the state before line %d, of %+v, the files or the log are others", i+1, state.Place)
		}
	}
	if len(states) != 6 {
		t.Errorf("%d states were seen", len(states))
	}
}

// spied is a logger that calls a function before each line.
type spied struct {
	*memoryLog
	before func()
}

func (s *spied) Write(event events.Event) error {
	s.before()
	return s.memoryLog.Write(event)
}

// TestTrainRefusesAnotherRun checks that a run cannot be resumed with settings that change the numbers.
func TestTrainRefusesAnotherRun(t *testing.T) {
	set := drawn.Set(t, synth.Textures)
	o := short(t, set, "train.epochs=1")
	o.Contents = "sha256:1"
	if err := Train(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		says   string
		change func(*Options)
	}{
		{"", func(o *Options) { o.Config.Train.Epochs = 2 }},
		{"", func(o *Options) { o.Config.Threads = 0 }}, // then the run's own value is used
		{"", func(o *Options) { o.Config.Device = config.DeviceAuto }},
		{"threads: 1 there, 2 here", func(o *Options) { o.Config.Threads = 2 }},
		{"acdclip's version: test there, v2 here", func(o *Options) { o.Version = "v2" }},
		{"the contents of pictures or masks", func(o *Options) { o.Contents = "sha256:2" }},
		{"the list of pictures, classes and masks", func(o *Options) { o.Set, _ = set.Select(nil, 6) }},
		{"the mask threshold: 1 there, 9 here", func(o *Options) {
			o.Set, _ = set.Select(nil, 0)
			changed := *o.Set
			o.Set, changed.MaskThreshold = &changed, 9
		}},
		{"the configuration", func(o *Options) { o.Config.Train.LRDecay = 0.5 }},
		{"the configuration's recipe.max_pixels", func(o *Options) { o.Config.Data.MaxPixels = 1e6 }},
		{"the prompt names", func(o *Options) {
			o.Set, _ = set.Select(nil, 0)
			o.Set.Classes = append(o.Set.Classes[:0:0], o.Set.Classes...)
			o.Set.Classes[0].Prompt, o.Set.Classes[1].Prompt = o.Set.Classes[1].Prompt, o.Set.Classes[0].Prompt
		}},
	} {
		again := o
		again.Resume = readState(t, o)
		test.change(&again)
		_, err := newRunClosed(again)
		switch {
		case test.says == "" && err != nil:
			t.Errorf("got %v", err)
		case test.says != "" && (!errors.Is(err, ErrOtherRun) || !strings.Contains(err.Error(), test.says)):
			t.Errorf("got %v, want %q", err, test.says)
		}
	}
}

// newRunClosed creates a run and closes it.
func newRunClosed(o Options) (*run, error) {
	r, err := newRun(context.Background(), o)
	if err == nil {
		r.backbone.Close()
	}
	return r, err
}

// TestTrainSavesWhatItHas checks that a run that ends with an error also saves the state of the last complete step.
func TestTrainSavesWhatItHas(t *testing.T) {
	t.Run("at a picture that cannot be read", func(t *testing.T) {
		set := drawn.Set(t, synth.Textures)
		o := short(t, set, "train.batch=1", "train.epochs=1", "data.cache=0")
		o.Load.Workers = 1
		log := &memoryLog{}
		*logOf(o) = log
		r, err := newRun(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer r.backbone.Close()
		order := r.loading().Order
		if err := os.WriteFile(set.Items[order[4]].Path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := r.train(context.Background()); err == nil {
			t.Fatal("a broken picture was learned from")
		}
		if place := readState(t, o).Place; place.Step != 4 || place.Pictures != 4 || place.LogLines != 4 {
			t.Errorf("the state is that of %+v", place)
		}
		// The run can be resumed with skip_bad, which has no effect up to that point.
		o.Resume, o.Config.Data.SkipBad = readState(t, o), true
		if err := Train(context.Background(), o); err != nil || len(log.lines) != 10 {
			t.Errorf("%v, %d lines", err, len(log.lines))
		}
	})
	t.Run("not in the middle of a step", func(t *testing.T) {
		o := short(t, drawn.Set(t, synth.Textures), "train.epochs=1")
		full := errors.New("disk full")
		*logOf(o) = logged(func(event events.Event) error {
			if step := event.(events.TrainStep); step.Step == 2 {
				return full
			}
			return nil
		})
		if err := Train(context.Background(), o); !errors.Is(err, full) {
			t.Errorf("got %v", err)
		}
		if place := readState(t, o).Place; place.Step != 0 { // the second step changed the parameters but is not in the log
			t.Errorf("the state is that of step %d", place.Step)
		}
	})
	t.Run("when the folder is gone", func(t *testing.T) {
		o := short(t, drawn.Set(t, synth.Textures))
		ctx, cancel := context.WithCancel(context.Background())
		*logOf(o) = logged(func(events.Event) error {
			cancel()
			return os.RemoveAll(pathOf(o))
		})
		if err := Train(ctx, o); err == nil || errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), rundir.StateFile) {
			t.Errorf("got %v", err)
		}
	})
}

// TestTrainSavesInTime checks that with train.save_minutes 0 each step saves a state.
func TestTrainSavesInTime(t *testing.T) {
	for minutes, want := range map[string]string{"0": "0 1 2 3 4", "60": "0 0 0 0 0"} {
		o := short(t, drawn.Set(t, synth.Textures), "train.epochs=1", "train.save_minutes="+minutes)
		var steps []string
		*logOf(o) = logged(func(event events.Event) error { // before the step's state is saved
			steps = append(steps, fmt.Sprint(readState(t, o).Place.Step))
			return nil
		})
		if err := Train(context.Background(), o); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(steps, " "); got != want {
			t.Errorf("save_minutes %s: the states are those of steps %s", minutes, got)
		}
	}
}

// TestTrainBeginsWithACheckpoint checks that training starts from the checkpoint's adapters and records it in the metadata.
func TestTrainBeginsWithACheckpoint(t *testing.T) {
	first := short(t, drawn.Set(t, synth.Textures), "train.epochs=1")
	first.Files = contents.NewSet([]contents.Sum{{Size: 1}})
	if err := Train(context.Background(), first); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(pathOf(first), rundir.LastFile)
	set := drawn.Set(t, synth.Objects)
	second := short(t, set, "train.epochs=1", "train.init_from="+path)
	second.Files = contents.NewSet([]contents.Sum{{Size: 2}})
	ctx, cancel := context.WithCancel(context.Background())
	*logOf(second) = logged(func(events.Event) error { cancel(); return nil })
	r, err := newRun(ctx, second)
	if err != nil {
		t.Fatal(err)
	}
	defer r.backbone.Close()
	if err := r.begin(); err != nil {
		t.Fatal(err)
	}
	before, err := readStateFile(filepath.Join(pathOf(first), rundir.StateFile))
	if err != nil {
		t.Fatal(err)
	}
	state := readState(t, second)
	if !reflect.DeepEqual(state.Parameters, before.Parameters) || state.Moves != 0 {
		t.Error("training does not start from the checkpoint's adapters")
	}
	if m := state.Metadata; !strings.HasPrefix(m.Recipe.InitFrom, "sha256:") || !m.Files.HasSize(1) || !m.Files.HasSize(2) {
		t.Errorf("metadata %+v", m)
	}
	// A started run no longer needs the checkpoint.
	if err := r.train(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	second.Resume = readState(t, second)
	*logOf(second) = logged(func(events.Event) error { return nil })
	if err := Train(context.Background(), second); err != nil {
		t.Fatal(err)
	}
	c, err := openCheckpoint(filepath.Join(pathOf(second), rundir.LastFile))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if c.Metadata.Recipe.InitFrom != state.Metadata.Recipe.InitFrom || !c.Metadata.Files.HasSize(1) {
		t.Errorf("metadata of the resumed run %+v", c.Metadata.Recipe)
	}
	for setting, says := range map[string]string{"model.groups=3": "model.groups: is 3, but the checkpoint to start from was trained with 2", "model.adapter.hidden=5": "model.adapter.hidden: is 5, but"} {
		_, err := newRunClosed(short(t, set, "train.init_from="+filepath.Join(pathOf(second), rundir.LastFile), setting))
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", setting, err)
		}
	}
}

// TestEstimateTraining checks that an estimate takes three steps and leaves nothing behind.
func TestEstimateTraining(t *testing.T) {
	for epochs, measured := range map[string]int{"1": 1, "2": 2, "4": 3} { // each epoch has one step
		o := short(t, drawn.Set(t, synth.Textures), "train.save_minutes=0", "train.batch=10", "train.epochs="+epochs)
		e, err := o.Estimate(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if e.Measured != measured || e.Left != e.Steps || e.SecondsPerStep <= 0 || e.Cache < 0 || !strings.Contains(e.Conditions, "on cpu with 1") {
			t.Errorf("%+v", e)
		}
		if files := filesOf(t, pathOf(o)); len(files) > 0 {
			t.Errorf("left %v", files)
		}
	}
	o := short(t, drawn.Set(t, synth.Textures), "train.epochs=1", "train.batch=2")
	ctx, cancel := context.WithCancel(context.Background())
	*logOf(o) = &memoryLog{stopAt: 2, stop: cancel}
	if err := Train(ctx, o); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if _, err := o.Estimate(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	o.Resume = readState(t, o)
	if e, err := o.Estimate(context.Background()); err != nil || e.Left != 3 || e.Steps != 5 {
		t.Errorf("of a run to resume: %+v, %v", e, err)
	}
}

// TestEstimateValidation checks that the validation is measured separately, and that the
// estimate for a run stopped during a validation takes steps of the next epoch.
func TestEstimateValidation(t *testing.T) {
	options := func() Options {
		return short(t, drawn.Set(t, synth.Textures), "train.epochs=2", "train.batch=1", "train.validate=1")
	}
	o := options()
	e, err := o.Estimate(context.Background())
	if err != nil || e.HeldOut != 5 || e.Validations != 2 || e.SecondsPerValidation <= 0 || e.Measured != 3 || e.Left != 10 {
		t.Errorf("%+v, %v", e, err)
	}
	o = options()
	ctx, cancel := context.WithCancel(context.Background())
	o.Emit = func(event events.Event) {
		if begun, is := event.(events.StageStarted); is && begun.Within != "" {
			cancel()
		}
	}
	if err := Train(ctx, o); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	o.Resume, o.Emit = readState(t, o), func(events.Event) {}
	e, err = o.Estimate(context.Background())
	if err != nil || e.Validations != 2 || e.Measured != 3 || e.Left != 5 || e.SecondsPerStep <= 0 {
		t.Errorf("of a run to resume: %+v, %v", e, err)
	}
}
