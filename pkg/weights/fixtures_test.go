package weights

import (
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// scripts/fixtures writes the files in testdata with torch and safetensors.

func open(t *testing.T, path string) *File {
	t.Helper()
	file, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

func fixture(t *testing.T, name string) *File {
	t.Helper()
	return open(t, filepath.Join("testdata", name))
}

// floats returns a tensor's values as bits, so that NaN and -0 compare.
func floats(t *testing.T, tensor *Tensor) []uint32 {
	t.Helper()
	values := make([]float32, tensor.NumElements())
	if err := tensor.ReadFloat32(values); err != nil {
		t.Fatal(err)
	}
	return bitsOf(values)
}

func bitsOf(values []float32) []uint32 {
	bits := make([]uint32, len(values))
	for i, v := range values {
		bits[i] = math.Float32bits(v)
	}
	return bits
}

func TestReadsWhatTorchWrote(t *testing.T) {
	cases := []struct {
		file, truth string
		format      Format
	}{
		{"layouts.pt", "layouts.safetensors", FormatTorch},
		{"protocol4.pt", "layouts.safetensors", FormatTorch},
		{"deflated.pt", "layouts.safetensors", FormatTorch},
		{"nested.pth", "nested.safetensors", FormatTorch},
		{"scripted.pt", "scripted.safetensors", FormatTorchScript},
	}
	for _, c := range cases {
		t.Run(c.file, func(t *testing.T) {
			got, want := fixture(t, c.file), fixture(t, c.truth)
			if got.Format != c.format || want.Format != FormatSafetensors {
				t.Errorf("formats %q and %q", got.Format, want.Format)
			}
			if len(got.Tensors) != len(want.Tensors) || len(want.Tensors) == 0 {
				t.Fatalf("%d tensors, want %d", len(got.Tensors), len(want.Tensors))
			}
			for _, expected := range want.Tensors {
				tensor, ok := got.Lookup(expected.Name)
				if !ok {
					t.Errorf("no tensor %s", expected.Name)
					continue
				}
				compare(t, tensor, expected)
			}
		})
	}
}

func compare(t *testing.T, got, want *Tensor) {
	t.Helper()
	if got.DType != want.DType || !slices.Equal(got.Shape, want.Shape) {
		t.Errorf("%s: %s %v, want %s %v", want.Name, got.DType, got.Shape, want.DType, want.Shape)
		return
	}
	if a, b := floats(t, got), floats(t, want); !slices.Equal(a, b) {
		t.Errorf("%s: %x, want %x", want.Name, a, b)
	}
}

// The conversion of each type is checked against numbers written here.
func TestConvertsEveryType(t *testing.T) {
	infinite, nan := float32(math.Inf(1)), float32(math.NaN())
	cases := map[string][]float32{
		"float16":  {0, float32(math.Copysign(0, -1)), 1, -1.5, 0x1p-24, -0x1p-24, 1023 * 0x1p-24, 65504, infinite, -infinite, nan, 0x1.998p-4},
		"bfloat16": {0, float32(math.Copysign(0, -1)), 1, -1.5, 0x1.02p-24, -0x1.02p-24, 0x1p-14, 65536, infinite, -infinite, nan, 0x1.9ap-4},
		"float64":  {0, float32(math.Copysign(0, -1)), 1, -1.5, 6e-8, -6e-8, 6.1e-5, 65504, infinite, -infinite, nan, 0.1},
		"scalar":   {2.5},
		"empty":    {},
		"int8":     {-128, 0, 127},
		"uint8":    {0, 1, 255},
		"int16":    {-32768, 5, 32767},
		"int32":    {-0x1p31, 0x1p31},
		"int64":    {-0x1p63, 7, 0x1p63},
		"bool":     {1, 0, 1},
		"expanded": {1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3},
	}
	file := fixture(t, "layouts.pt")
	for name, want := range cases {
		tensor, ok := file.Lookup(name)
		if !ok {
			t.Errorf("no tensor %s", name)
			continue
		}
		got := make([]float32, tensor.NumElements())
		if err := tensor.ReadFloat32(got); err != nil {
			t.Error(err)
		}
		same := func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) || a != a && b != b }
		if !slices.EqualFunc(got, want, same) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func TestScalarsAndMetadata(t *testing.T) {
	file := fixture(t, "nested.pth")
	want := map[string]any{
		"epoch": int64(7), "loss": 0.25, "name": "tiny", "best": true,
		"optimizer.param_groups.0.lr": 1e-3, "optimizer.param_groups.0.betas.1": 0.999,
	}
	for name, value := range want {
		if file.Scalars[name] != value {
			t.Errorf("%s is %v, want %v", name, file.Scalars[name], value)
		}
	}
	if _, there := file.Scalars["nothing"]; there {
		t.Error("None became a value")
	}
	if got := fixture(t, "layouts.safetensors").Metadata["note"]; got != `a "quoted" ü` {
		t.Errorf("metadata %q", got)
	}
	if got := fixture(t, "scripted.pt").Scalars["sizes.1"]; got != int64(4) {
		t.Errorf("sizes.1 is %v", got)
	}
}

func TestTranspose(t *testing.T) {
	file := fixture(t, "layouts.pt")
	straight, _ := file.Lookup("contiguous")
	want, _ := file.Lookup("transposed")
	turned, err := straight.Transpose()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(turned.Shape, want.Shape) || !slices.Equal(floats(t, turned), floats(t, want)) {
		t.Errorf("transposed: %v %x", turned.Shape, floats(t, turned))
	}
	flat, _ := file.Lookup("scalar")
	if _, err := flat.Transpose(); err == nil {
		t.Error("a scalar was transposed")
	}
}

func TestWrongRoom(t *testing.T) {
	file := fixture(t, "layouts.pt")
	tensor, _ := file.Lookup("int8")
	for _, n := range []int{0, 2, 4} {
		if tensor.ReadFloat32(make([]float32, n)) == nil {
			t.Errorf("3 values were read into %d", n)
		}
	}
	file.Close()
	if err := tensor.ReadFloat32(make([]float32, 3)); err == nil || !strings.Contains(err.Error(), "layouts.pt") {
		t.Errorf("reading a closed file: %v", err)
	}
}

func TestRefusedFixtures(t *testing.T) {
	cases := []struct {
		file string
		kind error
		says string
	}{
		{"legacy.pt", ErrUnsupported, "save it again"},
		{"command.pt", ErrUnsupported, "system"},
		{"whole_module.pt", ErrUnsupported, "torch.nn.modules.container.Sequential"},
		{"complex.pt", ErrUnsupported, "torch.ComplexFloatStorage"},
		{"sparse.pt", ErrUnsupported, "_rebuild_sparse_tensor"},
		{"uint16.pt", ErrUnsupported, "torch.uint16"},
		{"single_tensor.pt", ErrUnsupported, "single tensor"},
		{"plain.zip", ErrNotWeights, "without a data.pkl"},
	}
	for _, c := range cases {
		_, err := Open(filepath.Join("testdata", c.file))
		if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), c.file) {
			t.Errorf("%s: %v", c.file, err)
		}
	}
}

func TestConcurrentReads(t *testing.T) {
	file, truth := fixture(t, "deflated.pt"), fixture(t, "layouts.safetensors")
	for _, want := range truth.Tensors {
		t.Run(want.Name, func(t *testing.T) {
			t.Parallel()
			tensor, _ := file.Lookup(want.Name)
			compare(t, tensor, want)
		})
	}
}
