package adaclip

import (
	"context"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/golden"
	"acdclip/pkg/model"
	"acdclip/pkg/model/adaclip/options"
)

// largestValue returns the index of the value with the largest magnitude.
func largestValue(values []float32) int {
	place := 0
	for i, value := range values {
		if max(value, -value) > max(values[place], -values[place]) {
			place = i
		}
	}
	return place
}

// near compares values. No difference may exceed limit times the largest expected value.
func near(t testing.TB, what string, got, want []float32, limit float64) {
	t.Helper()
	if len(got) != len(want) || len(want) == 0 {
		t.Errorf("%s: got %d values, want %d", what, len(got), len(want))
		return
	}
	scale, worst := math.Abs(float64(want[largestValue(want)])), 0.0
	for i := range got {
		worst = max(worst, math.Abs(float64(got[i]-want[i])))
	}
	if !(worst <= limit*scale) {
		t.Errorf("%s: largest difference %.3g, allowed %.3g", what, worst, limit*scale)
	}
}

// tinyCLIP is the project's own golden CLIP: 6 + 6 blocks of width 64, patch size 7, for 21 pixels.
func tinyCLIP() string { return filepath.Join(golden.Root(), "testdata", "golden", "clip_tiny_hf") }

// tiny is a model on the tiny CLIP, for 35 pixels, with initial values.
func tiny() recipe {
	own, loss := options.Preset()
	own.ImageSize, own.Depth, own.Length, own.HSF.Clusters = 35, 2, 3, 3
	return recipe{clip: tinyCLIP(), options: own, loss: loss}
}

// The classes of drawn batches: their prompts have different lengths.
var drawnClasses = industrial("nut", "black rubber gasket")

// drawnBatch is three drawn pictures of two classes; the second is normal.
func drawnBatch(s *torch.Scope, m *Model) model.Batch {
	const count = 3
	size := int64(m.imageSize())
	masks := make([]float32, count*size*size)
	for i := range size * size {
		if i%size < size/3 {
			masks[i] = 1
		}
		if i/size > size/2 {
			masks[2*size*size+i] = 1
		}
	}
	random := rand.New(rand.NewPCG(7, 0))
	values := make([]float32, count*3*size*size)
	for i := range values {
		values[i] = float32(random.NormFloat64())
	}
	return model.Batch{
		Pictures: s.FromFloat32(values, count, 3, size, size), Masks: s.FromFloat32(masks, count, size, size),
		Labels: []int64{1, 0, 1}, ClassOf: []int{1, 0, 1}, Classes: drawnClasses,
	}
}

// single returns picture i of a batch with only its own class.
func single(b model.Batch, i int) model.Batch {
	return model.Batch{
		Pictures: b.Pictures.Narrow(0, int64(i), 1), Masks: b.Masks.Narrow(0, int64(i), 1),
		Labels: b.Labels[i : i+1], ClassOf: []int{0}, Classes: industrial(b.Classes.Prompts[b.ClassOf[i]]),
	}
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
