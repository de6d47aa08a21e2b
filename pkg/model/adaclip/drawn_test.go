package adaclip

import (
	"context"
	"path/filepath"

	"acdclip/cgo/torch"
	"acdclip/internal/golden"
	"acdclip/pkg/model"
	"acdclip/pkg/model/adaclip/options"
)

// tinyCLIP is the project's own golden CLIP: 6 + 6 blocks of width 64, patch size 7, for 21 pixels.
func tinyCLIP() string { return filepath.Join(golden.Root(), "testdata", "golden", "clip_tiny_hf") }

// tiny is a model on the tiny CLIP, for 35 pixels, with initial values.
func tiny() recipe {
	own, loss := options.Preset()
	own.ImageSize, own.Depth, own.Length, own.HSF.Clusters = 35, 2, 3, 3
	return recipe{clip: tinyCLIP(), options: own, loss: loss}
}

func prepareAndScore(s *torch.Scope, m *Model, batch model.Batch) (model.Scores, error) {
	ready, err := m.Prepare(context.Background(), s, batch.Classes)
	if err != nil {
		return model.Scores{}, err
	}
	return m.Score(s, batch.Pictures, batch.ClassOf, ready)
}

// takeGradients returns and clears every parameter's gradient; nil for none.
func takeGradients(m *Model) map[string][]float32 {
	gradients := map[string][]float32{}
	for _, p := range m.parameters {
		gradients[p.Name] = nil
		if gradient, found := p.Tensor.Grad(); found {
			gradients[p.Name] = gradient.Float32s()
			p.Tensor.ClearGrad()
		}
	}
	return gradients
}
