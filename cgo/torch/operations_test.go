package torch

import (
	"math"
	"slices"
	"testing"
)

// The expected values were computed by hand or with the formula next to them.
func TestOperations(t *testing.T) {
	erf := func(x float64) float32 { return float32(x / 2 * (1 + math.Erf(x/math.Sqrt2))) }
	e := float32(math.E)
	tests := []struct {
		name  string
		run   func(s *Scope) Tensor
		shape []int64
		want  []float32
	}{
		{"Add", func(s *Scope) Tensor { return row(s, 1, 2).Add(row(s, 3, 5)) }, []int64{2}, []float32{4, 7}},
		{"Sub", func(s *Scope) Tensor { return row(s, 1, 2).Sub(row(s, 3, 5)) }, []int64{2}, []float32{-2, -3}},
		{"Mul", func(s *Scope) Tensor { return row(s, 1, 2).Mul(row(s, 3, 5)) }, []int64{2}, []float32{3, 10}},
		{"Div", func(s *Scope) Tensor { return row(s, 1, 2).Div(row(s, 4, 5)) }, []int64{2}, []float32{0.25, 0.4}},
		{"AddScalar", func(s *Scope) Tensor { return row(s, 1, 2).AddScalar(0.5) }, []int64{2}, []float32{1.5, 2.5}},
		{"MulScalar", func(s *Scope) Tensor { return row(s, 1, 2).MulScalar(-3) }, []int64{2}, []float32{-3, -6}},
		{"Pow", func(s *Scope) Tensor { return row(s, 3, -2).Pow(2) }, []int64{2}, []float32{9, 4}},
		{"Log", func(s *Scope) Tensor { return row(s, 1, e).Log() }, []int64{2}, []float32{0, 1}},
		{"Clamp", func(s *Scope) Tensor { return row(s, -1, 0.5, 2).Clamp(0, 1) }, []int64{3}, []float32{0, 0.5, 1}},
		{"GELU", func(s *Scope) Tensor { return row(s, -1, 2).GELU() }, []int64{2}, []float32{erf(-1), erf(2)}},
		{"LeakyReLU", func(s *Scope) Tensor { return row(s, -1, 2).LeakyReLU(0.01) }, []int64{2}, []float32{-0.01, 2}},
		{"MatMul", func(s *Scope) Tensor { return table(s, 1, 2, 3, 4).MatMul(table(s, 1, 0, 1, 1)) }, []int64{2, 2}, []float32{3, 2, 7, 4}},
		{"Linear", func(s *Scope) Tensor { return table(s, 1, 2, 3, 4).Linear(table(s, 1, 0, 1, 1), row(s, 10, 20)) }, []int64{2, 2}, []float32{11, 23, 13, 27}},
		{"Conv2d", func(s *Scope) Tensor {
			return s.FromFloat32([]float32{1, 2, 3, 4}, 1, 1, 2, 2).Conv2d(s.FromFloat32([]float32{1, 0, 0, 1}, 1, 1, 2, 2), 1, 1, 1)
		}, []int64{1, 1, 3, 3}, []float32{1, 2, 0, 3, 5, 2, 0, 3, 4}},
		{"Softmax", func(s *Scope) Tensor { return row(s, 0, 0).Softmax(0) }, []int64{2}, []float32{0.5, 0.5}},
		{"LayerNorm", func(s *Scope) Tensor { return row(s, 1, 3).LayerNorm(row(s, 2, 2), row(s, 1, 1), 0) }, []int64{2}, []float32{-1, 3}},
		{"Norm", func(s *Scope) Tensor { return table(s, 3, 4, 6, 8).Norm(-1) }, []int64{2, 1}, []float32{5, 10}},
		{"Normalize", func(s *Scope) Tensor { return table(s, 3, 4, 0, 0).Normalize(-1) }, []int64{2, 2}, []float32{0.6, 0.8, 0, 0}},
		{"Mean", func(s *Scope) Tensor { return table(s, 1, 2, 3, 4).Mean(0) }, []int64{2}, []float32{2, 3}},
		{"Mean of all", func(s *Scope) Tensor { return table(s, 1, 2, 3, 4).Mean() }, nil, []float32{2.5}},
		{"Sum", func(s *Scope) Tensor { return table(s, 1, 2, 3, 4).Sum(1) }, []int64{2}, []float32{3, 7}},
		{"AMax", func(s *Scope) Tensor { return table(s, 1, 9, 3, 4).AMax(0, 1) }, nil, []float32{9}},
		{"Resize, bilinear", func(s *Scope) Tensor { return line(s, 0, 4).Resize(Bilinear, 1, 4) }, []int64{1, 1, 1, 4}, []float32{0, 1, 3, 4}},
		{"Resize, bilinear, to less", func(s *Scope) Tensor { return line(s, 0, 1, 2, 9).Resize(Bilinear, 1, 2) }, []int64{1, 1, 1, 2}, []float32{0.5, 5.5}},
		{"Resize, bilinear, aligned", func(s *Scope) Tensor {
			return s.FromFloat32([]float32{0, 2, 4, 6}, 1, 1, 2, 2).Resize(BilinearAligned, 3, 3)
		}, []int64{1, 1, 3, 3}, []float32{0, 1, 2, 2, 3, 4, 4, 5, 6}},
		// At 1/4 between two values the weights are -27/256, 225/256, 67/256 and -9/256.
		{"Resize, bicubic", func(s *Scope) Tensor { return line(s, 0, 0, 256, 0).Resize(Bicubic, 1, 8).Narrow(3, 3, 3) }, []int64{1, 1, 1, 3}, []float32{67, 225, 225}},
		{"Resize, bicubic, antialias, keeps a constant", func(s *Scope) Tensor { return s.Full(3, 1, 1, 2, 2).Resize(BicubicAntialias, 1, 3) }, []int64{1, 1, 1, 3}, []float32{3, 3, 3}},
		{"CrossEntropy", func(s *Scope) Tensor { return CrossEntropy(table(s, 0, 0, 5, 5), s.FromInt64([]int64{0, 1}, 2)) }, nil, []float32{float32(math.Ln2)}},
		{"Reshape", func(s *Scope) Tensor { return table(s, 1, 2, 3, 4).Reshape(-1) }, []int64{4}, []float32{1, 2, 3, 4}},
		{"Expand", func(s *Scope) Tensor { return row(s, 1, 2).Expand(2, 2) }, []int64{2, 2}, []float32{1, 2, 1, 2}},
		{"Permute", func(s *Scope) Tensor { return s.FromFloat32([]float32{1, 2}, 1, 2, 1).Permute(1, 2, 0) }, []int64{2, 1, 1}, []float32{1, 2}},
		{"Transpose", func(s *Scope) Tensor { return table(s, 1, 2, 3, 4).Transpose(0, 1).Contiguous() }, []int64{2, 2}, []float32{1, 3, 2, 4}},
		{"Narrow", func(s *Scope) Tensor { return row(s, 1, 2, 3).Narrow(0, 1, 2) }, []int64{2}, []float32{2, 3}},
		{"IndexSelect", func(s *Scope) Tensor { return row(s, 1, 2, 3).IndexSelect(0, s.FromInt64([]int64{2, 0, 2}, 3)) }, []int64{3}, []float32{3, 1, 3}},
		{"Cat", func(s *Scope) Tensor { return Cat(0, row(s, 1), row(s, 2, 3)) }, []int64{3}, []float32{1, 2, 3}},
		{"Stack", func(s *Scope) Tensor { return Stack(1, row(s, 1, 2), row(s, 3, 4)) }, []int64{2, 2}, []float32{1, 3, 2, 4}},
		{"ReflectPad", func(s *Scope) Tensor { return s.FromFloat32([]float32{1, 2, 3, 4}, 1, 1, 2, 2).ReflectPad(1) }, []int64{1, 1, 4, 4},
			[]float32{4, 3, 4, 3, 2, 1, 2, 1, 4, 3, 4, 3, 2, 1, 2, 1}},
		{"To", func(s *Scope) Tensor { return s.FromUint8([]uint8{0, 255}, 2).To(Float32) }, []int64{2}, []float32{0, 255}},
		{"To bfloat16 and back", func(s *Scope) Tensor { return row(s, 257).To(BFloat16).To(Float32) }, []int64{1}, []float32{256}},
		{"To float16 and back", func(s *Scope) Tensor { return row(s, 2049).To(Float16).To(Float32) }, []int64{1}, []float32{2048}},
		{"no values", func(s *Scope) Tensor { return s.FromFloat32(nil, 0, 3) }, []int64{0, 3}, nil},
	}
	rt := open(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			do(t, rt, func(s *Scope) error {
				got := test.run(s)
				if !slices.Equal(got.Shape(), test.shape) {
					t.Errorf("shape %v, want %v", got.Shape(), test.shape)
				}
				values := got.Float32s()
				for i, want := range test.want {
					if len(values) != len(test.want) || math.Abs(float64(values[i]-want)) > 1e-6 {
						t.Fatalf("got %v, want %v", values, test.want)
					}
				}
				return nil
			})
		})
	}
}

func TestValuesComeBack(t *testing.T) {
	do(t, open(t), func(s *Scope) error {
		if got := row(s, 5, 6).Float64s(); !slices.Equal(got, []float64{5, 6}) {
			t.Errorf("float64s are %v", got)
		}
		if got := s.FromInt64([]int64{3}, 1); got.Item() != 3 || got.dtype() != Int64 {
			t.Errorf("int64 came back as %v", got.Item())
		}
		return nil
	})
}

func TestVersion(t *testing.T) {
	found, err := Version() // loads
	if err != nil {
		t.Fatal(err)
	}
	built, _, err := versions()
	if err != nil || found == "" || minor(found) != minor(built) {
		t.Errorf("built with %q, runs on %q (%v)", built, found, err)
	}
	for version, want := range map[string]string{"2.11.0": "2.11", "2.6": "2.6", "3": "3"} {
		if got := minor(version); got != want {
			t.Errorf("minor(%q) is %q", version, got)
		}
	}
}

func row(s *Scope, values ...float32) Tensor { return s.FromFloat32(values, int64(len(values))) }

// line is a picture of one row.
func line(s *Scope, values ...float32) Tensor {
	return s.FromFloat32(values, 1, 1, 1, int64(len(values)))
}

// table is a 2 x 2 matrix.
func table(s *Scope, values ...float32) Tensor { return s.FromFloat32(values, 2, 2) }
