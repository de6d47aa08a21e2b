package torch

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// numbers describes a number format of matrices.
type numbers struct {
	name   string
	limit  float64 // of differences, relative to the largest value
	matrix func(s *Scope, weight, bias Tensor) Matrix
}

var formats = []numbers{
	{"float32", 1e-5, func(_ *Scope, weight, bias Tensor) Matrix { return plain(weight, bias, Float32) }},
	{"bfloat16", 1.0 / 32, func(_ *Scope, weight, bias Tensor) Matrix { return plain(weight, bias, BFloat16) }},
	{"float16", 1.0 / 256, func(_ *Scope, weight, bias Tensor) Matrix { return plain(weight, bias, Float16) }},
	{"int8", 1e-5, wholeNumbers},
	{"int8 on both sides", 1.0 / 32, func(s *Scope, weight, bias Tensor) Matrix {
		m := wholeNumbers(s, weight, bias)
		m.RoundInputs = true
		return m
	}},
}

func plain(weight, bias Tensor, format DType) Matrix {
	return Matrix{Weight: weight.To(format), Bias: bias.To(format)}
}

// wholeNumbers converts a weight to int8; the largest value of each output becomes 127.
func wholeNumbers(s *Scope, weight, bias Tensor) Matrix {
	values, scales, in := weight.Float32s(), make([]float32, weight.Dim(0)), int(weight.Dim(1))
	for i := range scales {
		row := values[i*in : (i+1)*in]
		for _, value := range row {
			scales[i] = max(scales[i], float32(math.Abs(float64(value)))/127)
		}
		for j := range row {
			row[j] = float32(math.Round(float64(row[j] / scales[i])))
		}
	}
	whole := s.FromFloat32(values, weight.Shape()...).To(Int8)
	return Matrix{Weight: whole, Bias: bias, Scale: s.FromFloat32(scales, int64(len(scales)))}
}

// multiplied computes m.Apply(x) with other operations, without rounding x to whole numbers.
func multiplied(x Tensor, m Matrix) Tensor {
	weight := m.Weight
	if m.Scale.Defined() {
		weight = weight.To(m.Bias.dtype()).Mul(m.Scale.Reshape(-1, 1))
	}
	return x.To(m.Bias.dtype()).Linear(weight, m.Bias)
}

func (t Tensor) dtype() DType {
	t.mustBeOpen("dtype")
	return DType(t.gotorch().Dtype())
}

// TestMatrix compares the products of each format with values computed by hand.
func TestMatrix(t *testing.T) {
	scales := func(s *Scope) Matrix {
		return Matrix{Weight: table(s, 3, -4, 127, 1).To(Int8), Bias: row(s, 10, 0), Scale: row(s, 0.5, 2)}
	}
	for _, test := range []struct {
		name     string
		matrix   func(s *Scope) Matrix
		x        []float32
		want     []float32
		gradient []float32 // of the sum of the products with respect to x
	}{
		{"float32", func(s *Scope) Matrix { return plain(table(s, 1, 2, 3, 4), row(s, 10, 20), Float32) },
			[]float32{1, 257}, []float32{1 + 514 + 10, 3 + 1028 + 20}, []float32{4, 6}},
		{"bfloat16", func(s *Scope) Matrix { return plain(table(s, 1, 2, 3, 4), row(s, 10, 20), BFloat16) },
			[]float32{0, 257}, []float32{520, 1040}, []float32{4, 6}}, // 257 becomes 256; bfloat16 cannot represent 522 and 1044
		{"float16", func(s *Scope) Matrix { return plain(table(s, 1, 2, 3, 4), row(s, 10, 20), Float16) },
			[]float32{0, 257}, []float32{524, 1048}, []float32{4, 6}},
		{"int8", scales, []float32{1.25, 2}, []float32{0.5*(3*1.25-4*2) + 10, 2 * (127*1.25 + 2)}, []float32{1.5 + 254, -2 + 2}},
		{"int8 on both sides", func(s *Scope) Matrix { m := scales(s); m.RoundInputs, m.InputScale = true, s.Full(0.5); return m },
			[]float32{1.1, 100}, []float32{0.5*(3*1-4*63.5) + 10, 2 * (127*1 + 63.5)}, []float32{1.5 + 254, -2 + 2}}, // 1.1 is 2 steps; 127 steps are the maximum
		{"int8 on both sides, by the row", func(s *Scope) Matrix { m := scales(s); m.RoundInputs = true; return m },
			[]float32{127, -1.6}, []float32{0.5*(3*127+4*2) + 10, 2 * (127*127 - 2)}, []float32{1.5 + 254, -2 + 2}}, // a step is 1
	} {
		do(t, open(t), func(s *Scope) error {
			m, x := test.matrix(s), row(s, test.x...)
			rows := Cat(0, x.Reshape(1, 2), x.Reshape(1, 2).MulScalar(0))
			if got := m.Apply(rows).Float32s(); !slices.Equal(got, append(test.want[:2:2], m.Bias.Float32s()...)) {
				t.Errorf("%s: %v, want %v, and the bias for zeros", test.name, got, test.want)
			}
			x.RequireGrad(true)
			y := m.Apply(x)
			if y.dtype() != m.Bias.dtype() || !slices.Equal(y.Float32s(), test.want) {
				t.Errorf("%s: for a gradient %v of type %d, want %v", test.name, y.Float32s(), y.dtype(), test.want)
			}
			y.Sum().Backward()
			if gradient, _ := x.Grad(); !slices.Equal(gradient.Float32s(), test.gradient) {
				t.Errorf("%s: gradient %v, want %v", test.name, gradient.Float32s(), test.gradient)
			}
			return nil
		})
	}
}

// TestMatricesRefused checks the errors for invalid matrices.
func TestMatricesRefused(t *testing.T) {
	for want, change := range map[string]func(s *Scope, m *Matrix){
		"needs a scale":   func(_ *Scope, m *Matrix) { m.RoundInputs = true },
		"not frozen":      func(_ *Scope, m *Matrix) { m.Weight.RequireGrad(true) },
		"the zero Tensor": func(_ *Scope, m *Matrix) { m.Bias = Tensor{} },
	} {
		err := open(t).Do(t.Context(), func(s *Scope) error {
			m := plain(table(s, 1, 2, 3, 4), row(s, 10, 20), Float32)
			change(s, &m)
			m.Apply(row(s, 1, 2))
			return nil
		})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
