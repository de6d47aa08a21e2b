package engine

import (
	"errors"
	"math"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/pkg/data/synth"
	"acdclip/pkg/domain"
	"acdclip/pkg/model"
	"acdclip/pkg/scoring"
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

// TestScoresThatAreNotFinite: such a picture has failed, and the others have not.
func TestScoresThatAreNotFinite(t *testing.T) {
	d, set := trained(t), drawn(t, synth.Objects)
	d.method = &once{Method: d.method}
	work := scoring.Work{
		Items: set.Items, Classes: domain.Classes{Prompts: []string{"object"}, Domain: set.Domain}, ClassOf: make([]int, len(set.Items)),
		Batches: scoring.Chunks(len(set.Items), 1), Costs: &scoring.Costs{},
	}
	err := d.ScoreAll(t.Context(), work, func(scored scoring.Scored) error {
		if first := scored.Picture.Index == 0; errors.Is(scored.Err, errNotFinite) != first || !first && scored.Err != nil {
			t.Errorf("picture %d: %v", scored.Picture.Index, scored.Err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
