package cliptest

import (
	"math/rand/v2"

	"acdclip/cgo/torch"
	"acdclip/pkg/domain"
	"acdclip/pkg/model"
)

// Classes are the classes of drawn batches: their prompts have different lengths.
func Classes() domain.Classes { return Industrial("nut", "black rubber gasket") }

// Industrial returns classes of the industrial domain.
func Industrial(prompts ...string) domain.Classes {
	return domain.Classes{Prompts: prompts, Domain: domain.Industrial}
}

// Batch returns three drawn pictures of two classes, of size x size pixels; the second is
// normal.
func Batch(s *torch.Scope, size int) model.Batch {
	const count = 3
	side := int64(size)
	masks := make([]float32, count*side*side)
	for i := range side * side {
		if i%side < side/3 {
			masks[i] = 1
		}
		if i/side > side/2 {
			masks[2*side*side+i] = 1
		}
	}
	return model.Batch{
		Pictures: s.FromFloat32(Normal(7, count*3*side*side), count, 3, side, side),
		Masks:    s.FromFloat32(masks, count, side, side),
		Labels:   []int64{1, 0, 1}, ClassOf: []int{1, 0, 1}, Classes: Classes(),
	}
}

// Single returns picture i of a batch with only its own class.
func Single(b model.Batch, i int) model.Batch {
	return model.Batch{
		Pictures: b.Pictures.Narrow(0, int64(i), 1), Masks: b.Masks.Narrow(0, int64(i), 1),
		Labels: b.Labels[i : i+1], ClassOf: []int{0}, Classes: Industrial(b.Classes.Prompts[b.ClassOf[i]]),
	}
}

// Normal draws values of the standard normal distribution.
func Normal(seed uint64, count int64) []float32 {
	random := rand.New(rand.NewPCG(seed, 0))
	values := make([]float32, count)
	for i := range values {
		values[i] = float32(random.NormFloat64())
	}
	return values
}
