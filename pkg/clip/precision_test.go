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
	"acdclip/pkg/clip/pretrained"
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

// TestTowersForInference compares towers that are loaded for inference with others. The text
// tower gives the same bits, also if its weights are kept as the float16 that they are stored
// as. The image tower's packed products, activation and attention round otherwise. In int8 a
// weight or input is off by up to half a step, the 127th part of its row's largest; of random
// values that is about 0.7 % of a row's length on each side of four products.
func TestTowersForInference(t *testing.T) {
	golden32 := filepath.Join(golden.Root(), "testdata", "golden", "clip_tiny_hf")
	want := golden.Open(t, filepath.Join(golden.Root(), "testdata", "golden", "clip_tiny.safetensors"))
	picture, ids := want.Take(t, "in.image"), want.Take(t, "in.ids")
	half := filepath.Join(t.TempDir(), "half")
	arch := pretrained.TinyArch()
	arch.ImageSize, arch.Patch = int(picture.Shape[2]), 7
	if err := pretrained.WriteRandom(half, arch, 1); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{golden32, half} {
		outputs := func(options clip.Options) (image, text []float32) {
			options.Activation = activation.GELU
			with(t, path, options, func(s *torch.Scope, model *clip.Model) {
				_ = s.Inference(func() error {
					image, text = see(s, model, picture).Float32s(), read(s, model, ids).Float32s()
					return nil
				})
			})
			return image, text
		}
		image, text := outputs(clip.Options{})
		for format, bound := range map[string]float64{"fp32": 1e-6, "int8": 1.0 / 32} { // observed: 3e-7, 0.015
			quick, quickText := outputs(clip.Options{Precision: format, Inference: true})
			if off := departure(quick, image); !(off < bound) {
				t.Errorf("%s, %s: patch tokens depart by %.2g of their length, want less than %.2g", path, format, off, bound)
			}
			if !slices.Equal(quickText, text) {
				t.Errorf("%s, %s: other texts", path, format)
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
