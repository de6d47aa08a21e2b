package evaluation

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"acdclip/internal/drawn"
	"acdclip/internal/goroutines"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/data/synth"
	"acdclip/pkg/evaluation/finished"
	"acdclip/pkg/events"
	"acdclip/pkg/metrics"
	"acdclip/pkg/report"
	"acdclip/pkg/scoring"
)

// TestScoresThatAreNotFinite checks that such a picture counts as failed and that the metrics use the others.
func TestScoresThatAreNotFinite(t *testing.T) {
	set := drawn.Set(t, synth.Objects)
	var warnings []string
	var classes []*Class
	wrong := errors.New("a score that is not a finite number")
	scorer, err := (&fakes{opened: 1, spoil: func(s *scoring.Scored) {
		if s.Picture.Index == 0 {
			s.Err, s.Score = wrong, float32(math.NaN())
		}
	}}).Detector(t.Context(), checkpointOf(t, load(t), "a", nil))
	if err != nil {
		t.Fatal(err)
	}
	b := ByClass{
		Scorer: scorer, Set: set, Load: pixels.LoadOptions{}, Batch: 1, Result: report.Result{Classes: Rows(set, nil)}, Costs: &scoring.Costs{},
		Warn:     func(event events.Event) { warnings = append(warnings, event.(events.Warning).Text) },
		Scored:   func(scoring.Scored) {},
		Finished: func(c *Class) error { classes = append(classes, c); return c.ComputeMetrics() },
	}
	if err := b.Run(t.Context(), []Batches{BatchesOf(set, 0, 1), BatchesOf(set, 1, 1)}); err != nil {
		t.Fatal(err)
	}
	if len(classes) != 2 || len(warnings) != 1 || !strings.Contains(warnings[0], wrong.Error()) {
		t.Fatalf("%d classes, warnings %q", len(classes), warnings)
	}
	first := classes[0]
	if first.Row.Failed != 1 || first.Row.Normal+first.Row.Anomalous != 4 || first.Row.Metrics[metrics.ImageAUROC] == 0 || first.Scores[0].Error == "" || first.Scores[1].Error != "" {
		t.Errorf("row %+v, scores %+v", first.Row, first.Scores)
	}
	if row := classes[1].Row; row.Failed != 0 {
		t.Errorf("the other class %+v", row)
	}
	for _, c := range classes {
		if err := c.pixels.Add([]float32{1}, nil, 1, 1); err == nil {
			t.Errorf("the pixels of class %s are still collected", c.Row.Class)
		}
	}
}

// more is a scorer that returns pictures that were not requested.
type more struct{ scoring.Scorer }

func (m more) ScoreAll(ctx context.Context, w scoring.Work, each func(scoring.Scored) error) error {
	if err := m.Scorer.ScoreAll(ctx, w, each); err != nil {
		return err
	}
	return each(scoring.Scored{Picture: pixels.Picture{Item: w.Items[0]}})
}

// TestScorerThatKeepsPicturesBack checks that classes with missing pictures are not finished.
func TestScorerThatKeepsPicturesBack(t *testing.T) {
	set := drawn.Set(t, synth.Objects)
	for _, short := range []int{1, 4, 5, 10} {
		o := evaluating(t, set)
		o.Detectors.(*fakes).short = short
		path := filepath.Join(t.TempDir(), "unfinished")
		stopping(t, "fewer pictures", t.Context(), o, path, errOtherPictures)
		if kept, err := countClasses(path); kept != (10-short)/5 || err != nil {
			t.Errorf("%d pictures were kept back: %d classes are kept, %v", short, kept, err)
		}
	}
}

func TestScorerWithOtherPictures(t *testing.T) {
	set := drawn.Set(t, synth.Objects)
	b := ByClass{
		Scorer: more{&fake{&fakes{inUse: 1}, checkpointOf(t, load(t), "a", nil)}}, Set: set, Batch: 2,
		Result: report.Result{Classes: Rows(set, nil)}, Costs: &scoring.Costs{},
		Warn: func(events.Event) {}, Scored: func(scoring.Scored) {}, Finished: func(c *Class) error { return c.ComputeMetrics() },
	}
	before := runtime.NumGoroutine()
	if err := b.Run(t.Context(), []Batches{BatchesOf(set, 1, 2), BatchesOf(set, 0, 2)}); !errors.Is(err, errOtherPictures) {
		t.Errorf("one more: %v", err)
	}
	goroutines.NoneLeft(t, before)
}

// TestClassesWithoutPictures checks that a share finishes classes of which it has no pictures.
func TestClassesWithoutPictures(t *testing.T) {
	o := evaluating(t, drawn.Set(t, synth.Objects))
	o.Batch = 5 // one batch a class
	folder := t.TempDir()
	for index := 1; index <= 3; index++ {
		o.Share = finished.Share{Index: index, Of: 3}
		var seen eventList
		o.Emit = seen.emit
		result, scores := evaluate(t, o, filepath.Join(folder, o.Share.Folder()))
		want := 5
		if index == 3 {
			want = 0
		}
		if len(scores) != want || len(result.Results[0].Classes) != 2 || (len(seen) == 0) != (want == 0) {
			t.Errorf("share %d has %d scores, %d events", index, len(scores), len(seen))
		}
	}
	merge(t, folder)
}
