package clip_test

import (
	"math"
	"path/filepath"
	"slices"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/golden"
	"acdclip/pkg/clip"
	"acdclip/pkg/clip/activation"
)

// TestTowersInBF16 compares the towers' outputs with those of float32. Rounding to
// bfloat16, which has 8 significant bits, changes a value by at most 2^-8 of itself. A
// branch of a block rounds its matrices, their inputs and their products; for independent
// errors the expected error is at most about 2^-7.5 of the output's norm. The observed
// error is 0.0049, or 2^-7.7; the bound is 2^-7.
func TestTowersInBF16(t *testing.T) {
	const bound = 1.0 / 128
	want := golden.Open(t, filepath.Join(golden.Root(), "testdata", "golden", "clip_tiny.safetensors"))
	picture, ids := want.Take(t, "in.image"), want.Take(t, "in.ids")
	for _, option := range []activation.Activation{activation.GELU, activation.QuickGELU} {
		outputs := func(precision string) (all map[string][]float32) {
			options := clip.Options{Activation: option, Precision: precision}
			with(t, filepath.Join(golden.Root(), "testdata", "golden", "clip_tiny_hf"), options, func(s *torch.Scope, model *clip.Model) {
				all = map[string][]float32{"patch tokens": see(s, model, picture).Float32s(), "texts": read(s, model, ids).Float32s()}
			})
			return all
		}
		single, half, again := outputs(clip.Auto), outputs("bf16"), outputs("bf16")
		for name := range single {
			if off := departure(half[name], single[name]); !(off > 0 && off < bound) {
				t.Errorf("%s, %s: bf16 departs by %.2g of their length, want a little, and less than %.2g", option, name, off, bound)
			}
			if !slices.Equal(half[name], again[name]) {
				t.Errorf("%s, %s: bf16 gives other values the second time", option, name)
			}
		}
	}
}

// departure returns the norm of the difference divided by the norm of want.
func departure(got, want []float32) float64 {
	difference, length := 0.0, 0.0
	for i := range want {
		difference += math.Pow(float64(got[i]-want[i]), 2)
		length += math.Pow(float64(want[i]), 2)
	}
	return math.Sqrt(difference / length)
}
