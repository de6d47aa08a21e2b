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
	"acdclip/pkg/config"
	"acdclip/pkg/weights"
)

func TestGoldenReleasedDescription(t *testing.T) {
	for _, groups := range []int{2, 3, 4, 6} {
		name := fmt.Sprintf("released_n%d_adapter_1.pth", groups)
		t.Run(name, func(t *testing.T) {
			golden.Run(t, []string{name}, func(t *testing.T, f golden.Folder) {
				c := open(t, f.File(name))
				m := c.Metadata
				if m.Method != config.ACDCLIP || m.Preset != config.Released || m.Auxiliary != Unknown || m.Seed != nil || m.CLIP != "" || m.Epoch != 1 {
					t.Errorf("the file says of itself %+v", m)
				}
				width := dim(t, c, "visual.0.proj.0.weight", 1)
				a := m.Model.Adapter
				if m.Model.Groups != groups || a.Rank != 16 || a.ConvRank != 8 || int64(a.Hidden) != dim(t, c, "visual.0.gate.0.bias", 0) || a.HiddenFor(int(width)) != int(width)/4 {
					t.Errorf("N %d, r %d, r_c %d, h %d", m.Model.Groups, a.Rank, a.ConvRank, a.Hidden)
				}
				preset, err := config.Preset(config.Released)
				if err != nil {
					t.Fatal(err)
				}
				if m.Model.Fusion != preset.Model.Fusion || m.Model.Score != preset.Model.Score || m.Loss != preset.Loss {
					t.Errorf("beside the sizes, the file is not the released preset: %+v, %+v", m.Model, m.Loss)
				}
				for _, tensor := range c.file.Tensors {
					if own, known := OwnName(tensor.Name); !known || c.tensors[own] != tensor {
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

func TestOwnName(t *testing.T) {
	tests := []struct{ released, own string }{
		{"image_adapter.m_i_w.0.i_w", "visual.0.blend"},
		{"image_adapter.m_i_w.11.i_w", "visual.11.blend"},
		{"image_adapter.lora_adapters.1.conv_lora_blocks.0.lora_A", "visual.1.down.3"},
		{"image_adapter.lora_adapters.1.conv_lora_blocks.1.lora_A", "visual.1.down.5"},
		{"image_adapter.lora_adapters.1.conv_lora_blocks.0.lora_B", "visual.1.up.3"},
		{"image_adapter.lora_adapters.2.conv_lora_blocks.1.conv_lora_A.weight", "visual.2.conv_down.5"},
		{"image_adapter.lora_adapters.2.conv_lora_blocks.0.conv_lora_B.weight", "visual.2.conv_up.3"},
		{"image_adapter.lora_adapters.3.fusion_conv.weight", "visual.3.fuse"},
		{"image_adapter.seg_proj.0.fc.0.weight", "visual.0.proj.0.weight"},
		{"image_adapter.seg_proj.0.fc.2.bias", "visual.0.proj.2.bias"},
		{"image_adapter.seg_layer_norms.0.weight", "visual.0.norm.weight"},
		{"image_adapter.det_proj.0.fc.2.weight", "visual.0.det_proj.2.weight"},
		{"image_adapter.det_layer_norms.0.bias", "visual.0.det_norm.bias"},
		{"image_adapter.vision_text_gate.4.0.bias", "visual.4.gate.0.bias"},
		{"text_adapter.m_t_w.0.i_w", "text.0.blend"},
		{"text_adapter.lora_adapters.5.lora_A", "text.5.A"},
		{"text_adapter.lora_adapters.5.lora_B", "text.5.B"},
		{"text_adapter.layer_norms.1.weight", "text.1.norm.weight"},
	}
	for _, test := range tests {
		if own, known := OwnName(test.released); !known || own != test.own {
			t.Errorf("%s is %s (%v), want %s", test.released, own, known, test.own)
		}
	}
	for _, name := range []string{
		"", "visual.0.blend", "image_adapter.m_i_w.x.i_w", "image_adapter.m_i_w.0.i_w.more", "more.image_adapter.m_i_w.0.i_w",
		"image_adapter.lora_adapters.0.conv_lora_blocks.2.lora_A", // a third branch, whose kernel nobody knows
		"image_adapter.seg_proj.0.fc.1.weight", "text_adapter.lora_adapters.0.lora_C",
	} {
		if own, known := OwnName(name); known || own != name {
			t.Errorf("%q is known as %q", name, own)
		}
	}
}

// TestNotCheckpoint: a CLIP, in any container, is told from a checkpoint.
func TestNotCheckpoint(t *testing.T) {
	own := filepath.Join(golden.Root(), "testdata", "golden")
	for _, path := range []string{
		filepath.Join(own, "clip_tiny_openai.pt"), filepath.Join(own, "clip_tiny_hf", "pytorch_model.bin"), filepath.Join(own, "loss.safetensors"),
	} {
		if c, err := Open(path); !errors.Is(err, ErrNotCheckpoint) {
			if err == nil {
				c.Close()
			}
			t.Errorf("%s gave %v", path, err)
		}
	}
}

// TestIncompleteReleased: the released code's names, here in safetensors, without the tensors that tell the sizes.
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
			if c, err := Open(path); err == nil || !strings.Contains(err.Error(), test.says) {
				if err == nil {
					c.Close()
				}
				t.Errorf("got %v, want an error with %s", err, test.says)
			}
		})
	}
}
