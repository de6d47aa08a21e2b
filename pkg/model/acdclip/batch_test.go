package acdclip

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/cliptest"
	"acdclip/internal/golden"
	"acdclip/pkg/model"
	"acdclip/pkg/model/acdclip/options"
)

// TestMixedBatch checks that in a batch of two classes each picture has the same scores as
// alone, and that the batch's loss and gradients are the means over the pictures.
func TestMixedBatch(t *testing.T) {
	for _, preset := range []string{options.Paper, options.Released} {
		t.Run(string(preset), func(t *testing.T) {
			r := presetRecipe(t, preset)
			err := with(t, r, func(s *torch.Scope, m *Model) error {
				batch := cliptest.Batch(s, m.imageSize())
				if err := s.Inference(func() error { return compareScores(t, s, m, batch) }); err != nil {
					return err
				}
				return compareMeanLoss(t, s, m, batch)
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

func compareScores(t *testing.T, s *torch.Scope, m *Model, batch model.Batch) error {
	whole, err := prepareAndScore(s, m, batch)
	if err != nil {
		return err
	}
	values := func(of model.Scores) map[string]torch.Tensor {
		return map[string]torch.Tensor{"maps": of.Maps, "image scores": of.Image, "class probabilities": of.ClassProbabilities}
	}
	for i := range batch.ClassOf {
		alone, err := prepareAndScore(s, m, cliptest.Single(batch, i))
		if err != nil {
			return err
		}
		for name, together := range values(whole) {
			got := together.Narrow(0, int64(i), 1)
			want := values(alone)[name]
			if !slices.Equal(got.Shape(), want.Shape()) {
				t.Errorf("%s have the shape %v, alone %v", name, got.Shape(), want.Shape())
			}
			golden.Near(t, fmt.Sprintf("%s of picture %d", name, i), got.Float32s(), want.Float32s(), 5e-6)
		}
	}
	return nil
}

func prepareAndScore(s *torch.Scope, m *Model, batch model.Batch) (model.Scores, error) {
	ready, err := m.Prepare(context.Background(), s, batch.Classes)
	if err != nil {
		return model.Scores{}, err
	}
	return m.Score(s, batch.Pictures, batch.ClassOf, ready)
}

func compareMeanLoss(t *testing.T, s *torch.Scope, m *Model, batch model.Batch) error {
	whole, err := m.Loss(context.Background(), s, batch)
	if err != nil {
		return err
	}
	whole.Total.Backward()
	want := takeGradients(m)
	count := float64(len(batch.ClassOf))
	mean := make([]float64, len(whole.Parts)+1)
	for i := range batch.ClassOf {
		alone, err := m.Loss(context.Background(), s, cliptest.Single(batch, i))
		if err != nil {
			return err
		}
		for k, part := range alone.Parts {
			mean[k] += part.Value.Item() / count
		}
		mean[len(alone.Parts)] += alone.Total.Item() / count
		alone.Total.MulScalar(1 / count).Backward() // accumulates
	}
	for k, part := range append(whole.Parts, model.LossPart{Name: "total", Value: whole.Total}) {
		golden.Near(t, "loss "+part.Name, []float32{float32(part.Value.Item())}, []float32{float32(mean[k])}, 1e-5)
	}
	for name, gradient := range takeGradients(m) {
		golden.Near(t, "gradient of "+name, gradient, want[name], 1e-4)
	}
	return nil
}

// takeGradients returns and clears every parameter's gradient.
func takeGradients(m *Model) map[string][]float32 {
	gradients := map[string][]float32{}
	for _, p := range m.parameters {
		gradient, found := p.Tensor.Grad()
		if !found {
			gradients[p.Name] = nil
			continue
		}
		gradients[p.Name] = gradient.Float32s()
		p.Tensor.ClearGrad()
	}
	return gradients
}

// TestOrderOfClasses checks that numbers do not depend on a class's index in the prepared
// list or on the other classes.
func TestOrderOfClasses(t *testing.T) {
	err := with(t, presetRecipe(t, options.Released), func(s *torch.Scope, m *Model) error {
		return s.Inference(func() error {
			batch := cliptest.Batch(s, m.imageSize())
			first, err := prepareAndScore(s, m, batch)
			if err != nil {
				return err
			}
			batch.Classes = cliptest.Industrial(cliptest.Classes().Prompts[1], "something else, with a long name", cliptest.Classes().Prompts[0])
			batch.ClassOf = []int{0, 2, 0}
			second, err := prepareAndScore(s, m, batch)
			if err != nil {
				return err
			}
			if !slices.Equal(first.Maps.Float32s(), second.Maps.Float32s()) || !slices.Equal(first.Image.Float32s(), second.Image.Float32s()) {
				t.Error("another order of the classes gives other scores")
			}
			batch.ClassOf = []int{1, 1, 1}
			third, err := prepareAndScore(s, m, batch)
			if err != nil {
				return err
			}
			if slices.Equal(first.Image.Float32s(), third.Image.Float32s()) {
				t.Error("another class gives the same scores")
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}
