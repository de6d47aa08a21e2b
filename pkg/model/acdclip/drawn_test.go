package acdclip

import (
	"acdclip/internal/golden"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/pkg/domain"
	"acdclip/pkg/model"
)

// The classes of drawn batches: their prompts have different lengths.
var drawnClasses = industrial("nut", "black rubber gasket")

func industrial(prompts ...string) domain.Classes {
	return domain.Classes{Prompts: prompts, Domain: domain.Industrial}
}

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
	return model.Batch{
		Pictures: s.FromFloat32(normalValues(7, count*3*size*size), count, 3, size, size),
		Masks:    s.FromFloat32(masks, count, size, size),
		Labels:   []int64{1, 0, 1}, ClassOf: []int{1, 0, 1}, Classes: drawnClasses,
	}
}

// single returns picture i of a batch with only its own class.
func single(b model.Batch, i int) model.Batch {
	return model.Batch{
		Pictures: b.Pictures.Narrow(0, int64(i), 1), Masks: b.Masks.Narrow(0, int64(i), 1),
		Labels: b.Labels[i : i+1], ClassOf: []int{0}, Classes: industrial(b.Classes.Prompts[b.ClassOf[i]]),
	}
}

func normalValues(seed uint64, count int64) []float32 {
	random := rand.New(rand.NewPCG(seed, 0))
	values := make([]float32, count)
	for i := range values {
		values[i] = float32(random.NormFloat64())
	}
	return values
}

// near compares values. No difference may exceed limit times the largest expected value.
func near(t *testing.T, what string, got, want []float32, limit float64) {
	t.Helper()
	if len(got) != len(want) || len(want) == 0 {
		t.Errorf("%s: got %d values, want %d", what, len(got), len(want))
		return
	}
	scale, worst := math.Abs(float64(want[golden.Largest(want)])), 0.0
	for i := range got {
		worst = max(worst, math.Abs(float64(got[i]-want[i])))
	}
	if !(worst <= limit*scale) {
		t.Errorf("%s: largest difference %.3g, allowed %.3g", what, worst, limit*scale)
	}
}

func finite(values []float32) bool {
	return !slices.ContainsFunc(values, func(v float32) bool { return math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) })
}
