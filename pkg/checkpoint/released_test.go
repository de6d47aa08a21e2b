package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"acdclip/internal/golden"
	"acdclip/pkg/atomicfile"
	"acdclip/pkg/model/acdclip/options"
	"acdclip/pkg/weights"
)

func TestGoldenReleasedDescription(t *testing.T) {
	for _, groups := range []int{2, 3, 4, 6} {
		name := fmt.Sprintf("released_n%d_adapter_1.pth", groups)
		t.Run(name, func(t *testing.T) {
			golden.Run(t, []string{name}, func(t *testing.T, f golden.Folder) {
				c := open(t, f.File(name))
				m := c.Metadata
				if m.Method != options.Name || m.Preset != options.Released || m.Auxiliary != Unknown || m.Seed != nil || m.CLIP != "" || m.Epoch != 1 {
					t.Errorf("the file says of itself %+v", m)
				}
				width := dim(t, c, "visual.0.proj.0.weight", 1)
				model := m.Model.(*options.Model)
				a, hidden := model.Adapter, int(dim(t, c, "visual.0.gate.0.bias", 0))
				if model.Groups != groups || a.Rank != 16 || a.ConvRank != 8 || a.Hidden != hidden || a.HiddenFor(int(width)) != hidden {
					t.Errorf("N %d, r %d, r_c %d, h %d", model.Groups, a.Rank, a.ConvRank, a.Hidden)
				}
				preset, loss, _ := options.Preset(options.Released)
				if model.Fusion != preset.Fusion || model.Score != preset.Score || *m.Loss.(*options.Loss) != loss {
					t.Errorf("beside the sizes, the file is not the released preset: %+v, %+v", m.Model, m.Loss)
				}
				for _, tensor := range c.file.Tensors {
					if own, known := options.OwnName(tensor.Name); !known || c.tensors[own] != tensor {
						t.Errorf("tensor %s is not known", tensor.Name)
					}
				}
			})
		})
	}
}

func dim(t *testing.T, c *Checkpoint, name string, i int) int64 {
	t.Helper()
	tensor, found := c.tensors[name]
	if !found {
		t.Fatalf("there is no tensor %s", name)
	}
	return tensor.Shape[i]
}

// TestNotCheckpoint checks that a CLIP in any container is not taken for a checkpoint.
func TestNotCheckpoint(t *testing.T) {
	own := filepath.Join(golden.Root(), "testdata", "golden")
	for _, path := range []string{
		filepath.Join(own, "clip_tiny_openai.pt"), filepath.Join(own, "clip_tiny_hf", "pytorch_model.bin"), filepath.Join(own, "loss.safetensors"),
	} {
		if c, err := Open(path, methods()); !errors.Is(err, ErrNotCheckpoint) {
			if err == nil {
				c.Close()
			}
			t.Errorf("%s gave %v", path, err)
		}
	}
}

// TestIncompleteReleased opens a safetensors file with the released code's names that lacks the tensors that determine the sizes.
func TestIncompleteReleased(t *testing.T) {
	blend := weights.Value{Name: "image_adapter.m_i_w.0.i_w", Shape: []int64{1, 1, 1}, Float32: []float32{0.2}}
	a := weights.Value{Name: "text_adapter.lora_adapters.0.lora_A", Shape: []int64{1, 2}, Float32: []float32{1, 2}}
	flat := weights.Value{Name: a.Name, Shape: []int64{2}, Float32: a.Float32}
	conv := weights.Value{Name: "image_adapter.lora_adapters.0.conv_lora_blocks.0.conv_lora_A.weight", Shape: []int64{1, 1, 1, 1}, Float32: []float32{1}}
	proj := weights.Value{Name: "image_adapter.seg_proj.0.fc.0.weight", Shape: []int64{1, 1}, Float32: []float32{1}}
	for _, test := range []struct {
		name    string
		tensors []weights.Value
		says    string
	}{
		{"no A", []weights.Value{blend}, "text.0.A"},
		{"A of one dimension", []weights.Value{blend, flat}, "text.0.A"},
		{"no convolution", []weights.Value{blend, a}, "visual.0.conv_down.3"},
		{"no projection", []weights.Value{blend, a, conv}, "visual.0.proj.0.weight"},
		{"no group", []weights.Value{a, conv, proj}, "model.groups"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "adapter.safetensors")
			err := atomicfile.Write(path, func(w io.Writer) error { return weights.WriteSafetensors(w, nil, test.tensors) })
			if err != nil {
				t.Fatal(err)
			}
			if c, err := Open(path, methods()); err == nil || !strings.Contains(err.Error(), test.says) {
				if err == nil {
					c.Close()
				}
				t.Errorf("got %v, want an error with %s", err, test.says)
			}
		})
	}
}
