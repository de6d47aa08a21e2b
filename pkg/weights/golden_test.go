package weights_test

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"acdclip/internal/golden"
	"acdclip/pkg/weights"
)

// The released code's checkpoints are nested state dicts, flattened to dotted names.
func TestGoldenReleasedCheckpoints(t *testing.T) {
	golden.Run(t, []string{"released_n3_adapter_1.pth"}, func(t *testing.T, folder golden.Folder) {
		for _, path := range folder.Glob("released_n*_adapter_1.pth") {
			var groups int
			if _, err := fmt.Sscanf(filepath.Base(path), "released_n%d_", &groups); err != nil {
				t.Fatal(err)
			}
			file, err := weights.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			checkReleased(t, file, int64(groups))
			file.Close()
		}
	})
}

func checkReleased(t *testing.T, file *weights.File, groups int64) {
	t.Helper()
	if file.Format != weights.FormatTorch || file.Scalars["epoch"] != int64(1) || len(file.Scalars) != 1 {
		t.Errorf("%s: %s with %v", file.Path, file.Format, file.Scalars)
	}
	first, ok := file.Lookup("image_adapter.m_i_w.0.i_w")
	if !ok || len(first.Shape) != 3 {
		t.Fatalf("%s: no blending vector (%v)", file.Path, first)
	}
	wide := first.Shape[2]
	bias, ok := file.Lookup("image_adapter.seg_proj.0.fc.0.bias")
	if !ok || len(bias.Shape) != 1 {
		t.Fatalf("%s: no bias of a hidden layer (%v)", file.Path, bias)
	}
	hidden := bias.Shape[0]
	for i := range groups {
		for name, shape := range map[string][]int64{
			"image_adapter.m_i_w.%d.i_w":                                           {1, 1, wide},
			"image_adapter.lora_adapters.%d.fusion_conv.weight":                    {wide, 2 * wide, 1, 1},
			"image_adapter.lora_adapters.%d.conv_lora_blocks.1.lora_A":             {wide, 16},
			"image_adapter.lora_adapters.%d.conv_lora_blocks.1.conv_lora_B.weight": {16, 8, 5, 5},
			"image_adapter.seg_proj.%d.fc.0.weight":                                {hidden, wide},
			"text_adapter.lora_adapters.%d.lora_A":                                 nil,
			"text_adapter.layer_norms.%d.weight":                                   nil,
		} {
			tensor, ok := file.Lookup(fmt.Sprintf(name, i))
			if !ok || shape != nil && !slices.Equal(tensor.Shape, shape) {
				t.Errorf("%s: "+name+": %v, want %v", file.Path, i, tensor, shape)
			}
		}
	}
	for _, tensor := range file.Tensors {
		if !strings.HasPrefix(tensor.Name, "image_adapter.") && !strings.HasPrefix(tensor.Name, "text_adapter.") {
			t.Errorf("%s: tensor %s", file.Path, tensor.Name)
		}
		values := make([]float32, tensor.NumElements())
		if err := tensor.ReadFloat32(values); err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(values, func(v float32) bool { return math.IsNaN(float64(v)) || math.Abs(float64(v)) > 100 }) {
			t.Errorf("%s: %s holds values that no training gives", file.Path, tensor.Name)
		}
	}
}
