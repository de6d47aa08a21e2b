package clip

import (
	"context"
	"path/filepath"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/golden"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/config"
)

// TestPrecisionOfTheWeights: bf16 is the format of the blocks' matrices, in half
// the memory, and of nothing else.
func TestPrecisionOfTheWeights(t *testing.T) {
	checkpoint, err := pretrained.Open(filepath.Join(golden.Root(), "testdata", "golden", "clip_tiny_hf"))
	if err != nil {
		t.Fatal(err)
	}
	defer checkpoint.Close()
	rt, err := torch.Open(torch.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	handles := map[config.Precision]int64{}
	for precision, want := range map[config.Precision]torch.DType{
		config.PrecisionAuto: torch.Float32, config.PrecisionFP32: torch.Float32, config.PrecisionBF16: torch.BFloat16,
	} {
		err := rt.Do(t.Context(), func(s *torch.Scope) error {
			before := torch.LiveHandles()
			model, err := Load(t.Context(), s, checkpoint, Options{Precision: precision})
			if err != nil {
				return err
			}
			handles[precision] = torch.LiveHandles() - before
			if model.Precision != precision.Format() {
				t.Errorf("%s: the model says %s", precision, model.Precision)
			}
			others := []torch.Tensor{model.Vision.conv, model.Vision.class, model.Vision.place, model.Vision.proj, model.Text.tokens, model.Text.place, model.Text.proj}
			for _, b := range append(append([]torch.FrozenBlock{}, model.Vision.blocks...), model.Text.blocks...) {
				others = append(others, b.Norm1.Weight, b.Norm1.Bias, b.Norm2.Weight, b.Norm2.Bias)
				for _, l := range []torch.Affine{b.QKV, b.Out, b.Expand, b.Reduce} {
					if l.Weight.DType() != want || l.Bias.DType() != want {
						t.Errorf("%s: a matrix has type %d and its bias %d, want %d", precision, l.Weight.DType(), l.Bias.DType(), want)
					}
				}
			}
			for _, other := range others {
				if other.DType() != torch.Float32 {
					t.Errorf("%s: what is no matrix has type %d", precision, other.DType())
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if handles[config.PrecisionBF16] != handles[config.PrecisionFP32] {
		t.Errorf("loading leaves %v tensors", handles)
	}
}

// TestLoadStops: when its context ends, and at a tensor that cannot be had.
func TestLoadStops(t *testing.T) {
	checkpoint, err := pretrained.Open(filepath.Join(golden.Root(), "testdata", "golden", "clip_tiny_hf"))
	if err != nil {
		t.Fatal(err)
	}
	defer checkpoint.Close()
	rt, err := torch.Open(torch.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	lacking := *checkpoint
	lacking.Tensors = lacking.Tensors[1:]
	err = rt.Do(t.Context(), func(s *torch.Scope) error {
		if _, err := Load(ended, s, checkpoint, Options{}); err != context.Canceled {
			t.Errorf("after the end of its context Load gave %v", err)
		}
		if _, err := Load(t.Context(), s, &lacking, Options{}); err == nil || err.Error() != checkpoint.Path+" has no tensor "+checkpoint.Tensors[0].Name {
			t.Errorf("without a tensor Load gave %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
