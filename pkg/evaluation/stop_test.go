package evaluation

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"acdclip/internal/drawn"
	"acdclip/internal/golden"
	"acdclip/internal/goroutines"
	"acdclip/pkg/data/synth"
	"acdclip/pkg/events"
	"acdclip/pkg/metrics"
	"acdclip/pkg/scoring"
)

// stopping runs an evaluation that must end with an error, and checks that it leaves
// nothing open.
func stopping(t *testing.T, what string, ctx context.Context, o Options, path string, want error) {
	t.Helper()
	before := runtime.NumGoroutine()
	_, _, err := runIn(ctx, o, path)
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
	o.Detectors.(*fakes).closed(t)
	goroutines.NoneLeft(t, before)
}

// TestErrorsEndIt checks that an error of the scorer or of Map, at any picture, is returned
// with the target's name, leaves nothing open, and keeps finished classes.
func TestErrorsEndIt(t *testing.T) {
	set := drawn.Set(t, synth.Objects)
	failed := errors.New("no memory")
	whole, all := evaluate(t, evaluating(t, set), "")
	want := files(t, whole, all)
	goesOn := func(what string, o Options, path string, least int) {
		t.Helper()
		if kept, err := countClasses(path); err != nil || kept < least {
			t.Errorf("%s: %d classes are kept, and %d at least were finished: %v", what, kept, least, err)
		}
		o.Detectors, o.Files = &fakes{machine: machine()}, nil
		result, scores := evaluate(t, o, path)
		golden.SameText(t, what, files(t, result, scores), want)
	}
	for at := range 4 { // batches: two of each class
		o := evaluating(t, set)
		o.Detectors.(*fakes).before = func(_ context.Context, batch int) error {
			if batch == at {
				return failed
			}
			return nil
		}
		path := filepath.Join(t.TempDir(), "unfinished")
		stopping(t, "scorer", t.Context(), o, path, failed)
		goesOn("after an error of the scorer", o, path, at/2) // what was scored before is counted
	}
	for at := range len(set.Items) {
		o := evaluating(t, set)
		count := 0
		o.Files = func(Job, scoring.Scored) error {
			if count++; count > at {
				return failed
			}
			return nil
		}
		path := filepath.Join(t.TempDir(), "unfinished")
		stopping(t, "Map", t.Context(), o, path, failed)
		goesOn("after an error of Map", o, path, at/5)
	}
	o := evaluating(t, set)
	o.Files = func(Job, scoring.Scored) error { return failed }
	if _, _, err := runIn(t.Context(), o, ""); !strings.Contains(err.Error(), "evaluating "+set.Name+": "+set.Items[0].Path) {
		t.Errorf("the error does not name target and picture: %v", err)
	}
}

// TestDetectorsThatFail checks that everything that was opened is closed.
func TestDetectorsThatFail(t *testing.T) {
	failed := errors.New("another CLIP")
	o := evaluating(t, drawn.Set(t, synth.Objects))
	o.Detectors = &fakes{refuse: failed}
	stopping(t, "Open", t.Context(), o, "", failed)
	o.Detectors = &fakes{broken: failed}
	stopping(t, "Detector", t.Context(), o, "", failed)
	o.Detectors = &fakes{machine: machine()}
	o.Pixels = metrics.Options{Memory: -1}
	if _, _, err := runIn(t.Context(), o, ""); err == nil || !strings.Contains(err.Error(), "negative") {
		t.Errorf("metrics that cannot begin: %v", err)
	}
	o.Detectors.(*fakes).closed(t)
}

// TestScoresThatCannotBeCounted checks that the error for a map with a NaN names the picture.
func TestScoresThatCannotBeCounted(t *testing.T) {
	set := drawn.Set(t, synth.Objects)
	o := evaluating(t, set)
	o.Detectors.(*fakes).spoil = func(s *scoring.Scored) {
		if s.Picture.Index == 7 {
			s.Map.Scores[3] = float32(math.NaN())
		}
	}
	before := runtime.NumGoroutine()
	if _, _, err := runIn(t.Context(), o, ""); !errors.Is(err, metrics.ErrNotFinite) || !strings.Contains(err.Error(), set.Items[7].Path) {
		t.Errorf("got %v", err)
	}
	goroutines.NoneLeft(t, before)
}

// TestCancelled cancels at any picture, before and inside a batch and while a map is saved.
func TestCancelled(t *testing.T) {
	set := drawn.Set(t, synth.Objects)
	for at := range 10 {
		for what, in := range map[string]func(*Options, func() bool){
			"while scored": func(o *Options, due func() bool) {
				o.Detectors.(*fakes).spoil = func(*scoring.Scored) { due() }
			},
			"while counted": func(o *Options, due func() bool) {
				o.Files = func(Job, scoring.Scored) error { due(); return nil }
			},
			"by who is told": func(o *Options, due func() bool) {
				o.Emit = func(event events.Event) {
					if _, is := event.(events.Progress); is {
						due()
					}
				}
			},
		} {
			ctx, cancel := context.WithCancel(t.Context())
			o := evaluating(t, set)
			o.Batch = 1 + at%4
			var count atomic.Int32
			in(&o, func() bool {
				if int(count.Add(1)) == at+1 {
					cancel()
				}
				return true
			})
			path := filepath.Join(t.TempDir(), "unfinished")
			before := runtime.NumGoroutine()
			_, _, err := runIn(ctx, o, path)
			cancel()
			if err != nil && !errors.Is(err, context.Canceled) || err == nil && at < 9-2*o.Batch {
				t.Errorf("cancelled %s at picture %d: %v", what, at, err)
			}
			o.Detectors.(*fakes).closed(t)
			goroutines.NoneLeft(t, before)
			again := evaluating(t, set)
			again.Batch = o.Batch
			evaluate(t, again, path)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	stopping(t, "before it began", ctx, evaluating(t, set), "", context.Canceled)
}
