package engine

import (
	"math"
	"strings"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/pkg/data/synth"
	"acdclip/pkg/events"
	"acdclip/pkg/metrics"
	"acdclip/pkg/model"
	"acdclip/pkg/report"
)

// once is a method whose first image scores are NaN.
type once struct {
	model.Method
	done bool
}

func (o *once) Score(s *torch.Scope, pictures torch.Tensor, classOf []int, prepared model.Prepared) (model.Scores, error) {
	scores, err := o.Method.Score(s, pictures, classOf, prepared)
	if err == nil && !o.done {
		o.done, scores.Image = true, scores.Image.MulScalar(math.NaN())
	}
	return scores, err
}

// TestScoresThatAreNotFinite: such a picture has failed, and the metrics are those of the others.
func TestScoresThatAreNotFinite(t *testing.T) {
	d, set := trained(t), drawn(t, synth.Objects)
	d.method = &once{Method: d.method}
	var warnings []string
	var finished []*classTally
	s := scorer{
		detector: d, set: set, batch: 1, pixels: metrics.Options{}, result: report.Result{Classes: rows(set)}, costs: &costs{},
		warn:     func(w events.Warning) { warnings = append(warnings, w.Text) },
		scored:   func(Scored) {},
		finished: func(c *classTally) error { finished = append(finished, c); return c.metrics() },
	}
	if err := s.run(t.Context(), []classBatches{batchesOf(set, 0, 1), batchesOf(set, 1, 1)}); err != nil {
		t.Fatal(err)
	}
	if len(finished) != 2 || len(warnings) != 1 || !strings.Contains(warnings[0], errNotFinite.Error()) {
		t.Fatalf("%d classes, warnings %q", len(finished), warnings)
	}
	first := finished[0]
	if first.Row.Failed != 1 || first.Row.Normal+first.Row.Anomalous != 4 || first.Row.ImageAUROC == nil || first.Scores[0].Error == "" || first.Scores[1].Error != "" {
		t.Errorf("row %+v, scores %+v", first.Row, first.Scores)
	}
	if row := finished[1].Row; row.Failed != 0 {
		t.Errorf("the other class %+v", row)
	}
}
