package clip

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/golden"
	"acdclip/pkg/clip/pretrained"
)

// TestFormats checks each format's conversion of a weight and a bias, and a product with
// them. bfloat16 cannot represent 257.
func TestFormats(t *testing.T) {
	onRuntime(t, func(s *torch.Scope) error {
		value := func(v float32) torch.Tensor { return s.FromFloat32([]float32{v}, 1, 1) }
		for _, test := range []struct {
			name                string
			weight, bias, input float32
		}{
			{"fp32", 257, 257, 257},
			{"bf16", 256, 256, 256},
		} {
			format, err := formatOf(string(test.name), formats)
			if err != nil || format.Name != test.name || format.Doc == "" {
				t.Errorf("%s: %v, %+v", test.name, err, format)
				continue
			}
			m := format.matrix(value(257), value(257).Reshape(1))
			one := format.matrix(value(1), s.Full(0, 1))
			got := []float32{m.Weight.Float32s()[0], m.Bias.Float32s()[0], one.Apply(value(257)).Float32s()[0]}
			if want := []float32{test.weight, test.bias, test.input}; !slices.Equal(got, want) {
				t.Errorf("%s makes %v, want %v", test.name, got, want)
			}
		}
		for precision, want := range map[string]string{"": "fp32", Auto: "fp32", "bf16": "bf16"} {
			if format, err := formatOf(precision, formats); err != nil || format.Name != want {
				t.Errorf("%q is %s: %v", precision, format.Name, err)
			}
		}
		return nil
	})
}

// TestFormatOfTheMatrices checks that a format converts exactly the matrices of the blocks
// of both towers, and that loading leaves no further tensors behind.
func TestFormatOfTheMatrices(t *testing.T) {
	checkpoint := openTiny(t)
	onRuntime(t, func(s *torch.Scope) error {
		handles := map[string]int64{}
		var given []string
		table := append(Formats(), Format{Name: "spy", matrix: func(weight, bias torch.Tensor) torch.Matrix {
			given = append(given, fmt.Sprint(weight.Shape(), bias.Shape()))
			return torch.Matrix{Weight: weight.To(torch.Float16), Bias: bias.To(torch.Float16)}
		}})
		for _, precision := range []string{"fp32", "bf16", "spy"} {
			before := torch.LiveHandles()
			model, err := load(t.Context(), s, checkpoint, Options{Precision: precision}, table)
			if err != nil {
				return err
			}
			handles[precision] = torch.LiveHandles() - before
			if model.Precision != precision {
				t.Errorf("%s: the model says %s", precision, model.Precision)
			}
		}
		if handles["bf16"] != handles["fp32"] || handles["spy"] != handles["fp32"] {
			t.Errorf("loading leaves %v tensors", handles)
		}
		var want []string
		for _, tower := range []struct{ blocks, width, hidden int }{
			{checkpoint.Arch.VisionLayers, checkpoint.Arch.VisionWidth, 4 * checkpoint.Arch.VisionWidth},
			{checkpoint.Arch.TextLayers, checkpoint.Arch.TextWidth, 4 * checkpoint.Arch.TextWidth},
		} {
			c, h := tower.width, tower.hidden
			for range tower.blocks {
				for _, size := range [][2]int{{3 * c, c}, {c, c}, {h, c}, {c, h}} {
					want = append(want, fmt.Sprint([]int{size[0], size[1]}, []int{size[0]}))
				}
			}
		}
		if !slices.Equal(given, want) {
			t.Errorf("a format was given %v, want %v", given, want)
		}
		return nil
	})
}

// TestAnotherFormat runs both towers in an additional format: weights as whole numbers from
// -127 to 127 with a scale per output.
func TestAnotherFormat(t *testing.T) {
	row := Format{Name: "int8 weights", matrix: func(weight, bias torch.Tensor) torch.Matrix {
		scale := weight.Pow(2).AMax(1).Pow(0.5).MulScalar(1.0 / 127)
		steps := weight.Div(scale.Reshape(-1, 1))
		whole := steps.AddScalar(128.5).To(torch.Uint8).To(torch.Float32).AddScalar(-128) // the conversion rounds positive values down
		return torch.Matrix{Weight: whole.To(torch.Int8), Bias: bias, Scale: scale}
	}}
	table := append(Formats(), row)
	checkpoint := openTiny(t)
	outputs := func(precision string) (all map[string][]float32) {
		onRuntime(t, func(s *torch.Scope) error {
			model, err := load(t.Context(), s, checkpoint, Options{Precision: precision}, table)
			if err != nil {
				return err
			}
			size := int64(model.Arch.ImageSize)
			values := make([]float32, 3*size*size)
			for i := range values {
				values[i] = float32(math.Sin(float64(i * i)))
			}
			x := model.Vision.Embed(s.FromFloat32(values, 1, 3, size, size))
			for i := range model.Vision.Depth {
				x = model.Vision.Block(s, i, x)
			}
			p := NewPrompts(s, [][]int32{{49406, 320, 1125, 539, 49407}})
			y := model.Text.Embed(p)
			for i := range model.Text.Depth {
				y = model.Text.Block(s, i, y)
			}
			all = map[string][]float32{"patch tokens": x.Float32s(), "texts": model.Text.Head(p.Ends(y)).Float32s()}
			return nil
		})
		return all
	}
	// The error of a weight is at most 1/254 of its row's largest value, which is about
	// three times the typical weight: typically 0.7 %. The observed error of the outputs is
	// 0.0097.
	single, whole := outputs("fp32"), outputs("int8 weights")
	for name, want := range single {
		difference, length := 0.0, 0.0
		for i, value := range want {
			difference += math.Pow(float64(whole[name][i]-value), 2)
			length += math.Pow(float64(value), 2)
		}
		if off := math.Sqrt(difference / length); !(off > 0 && off < 1.0/64) {
			t.Errorf("%s: int8 departs by %.2g of their length, want a little", name, off)
		}
	}
}

// TestUnknownNames checks the errors for an unknown number format and an unknown way to resize.
func TestUnknownNames(t *testing.T) {
	checkpoint := openTiny(t)
	onRuntime(t, func(s *torch.Scope) error {
		for want, options := range map[string]Options{"int4": {Precision: "int4"}, "nearest": {Positions: "nearest"}} {
			if _, err := Load(t.Context(), s, checkpoint, options); !errors.Is(err, ErrOptions) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s gave %v", want, err)
			}
		}
		return nil
	})
}

// TestLoadStops checks that loading stops when its context ends and at a tensor that cannot be read.
func TestLoadStops(t *testing.T) {
	checkpoint := openTiny(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	lacking := *checkpoint
	lacking.Tensors = lacking.Tensors[1:]
	onRuntime(t, func(s *torch.Scope) error {
		if _, err := Load(ended, s, checkpoint, Options{}); err != context.Canceled {
			t.Errorf("after the end of its context Load gave %v", err)
		}
		if _, err := Load(t.Context(), s, &lacking, Options{}); err == nil || err.Error() != checkpoint.Path+" has no tensor "+checkpoint.Tensors[0].Name {
			t.Errorf("without a tensor Load gave %v", err)
		}
		return nil
	})
}

func openTiny(t *testing.T) *pretrained.Checkpoint {
	t.Helper()
	checkpoint, err := pretrained.Open(filepath.Join(golden.Root(), "testdata", "golden", "clip_tiny_hf"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { checkpoint.Close() })
	return checkpoint
}

func onRuntime(t *testing.T, f func(s *torch.Scope) error) {
	t.Helper()
	rt, err := torch.Open(torch.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	if err := rt.Do(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}
