package torch

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestGradients(t *testing.T) {
	do(t, open(t), func(s *Scope) error {
		x := row(s, 1, 2)
		x.RequireGrad(true)
		if _, found := x.Grad(); found {
			t.Error("there is a gradient before Backward")
		}
		x.Pow(2).Sum().Backward()
		grad, found := x.Grad()
		if !found || !slices.Equal(grad.Float32s(), []float32{2, 4}) {
			t.Errorf("d(x^2) gave %v", grad.Float32s())
		}
		x.MulScalar(1).Sum().Backward() // adds to it
		if grad, _ := x.Grad(); !slices.Equal(grad.Float32s(), []float32{3, 5}) {
			t.Errorf("two backward passes gave %v", grad.Float32s())
		}
		x.ClearGrad()
		if _, found := x.Grad(); found {
			t.Error("there is a gradient after ClearGrad")
		}
		return nil
	})
}

func TestClipGradNorm(t *testing.T) {
	do(t, open(t), func(s *Scope) error {
		for _, test := range []struct{ gradient, want []float32 }{
			{[]float32{0.3, 0.4}, []float32{0.3, 0.4}}, // short: unchanged
			{[]float32{3, 4}, []float32{0.6, 0.8}},
		} {
			x := row(s, 1, 1)
			x.RequireGrad(true)
			x.Mul(row(s, test.gradient...)).Sum().Backward()
			x.ClipGradNorm(1)
			grad, _ := x.Grad()
			for i, value := range grad.Float32s() {
				if math.Abs(float64(value-test.want[i])) > 1e-6 {
					t.Errorf("clipping %v gave %v", test.gradient, grad.Float32s())
				}
			}
		}
		return nil
	})
}

// TestAdam compares three steps with Adam's formulas in float64.
func TestAdam(t *testing.T) {
	do(t, open(t), func(s *Scope) error {
		x, idle := row(s, 1, -2), row(s, 5)
		x.RequireGrad(true)
		idle.RequireGrad(true)
		adam := &Adam{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
		adam.AddGroup(s, 0.1, []Tensor{x, idle})
		want, mean, square := []float64{1, -2}, []float64{0, 0}, []float64{0, 0}
		rate := 0.1
		for step := 1.0; step <= 3; step++ {
			adam.ClearGrads()
			x.Pow(3).Sum().Backward()
			adam.Step()
			for i := range want {
				g := 3 * want[i] * want[i]
				mean[i] = 0.9*mean[i] + 0.1*g
				square[i] = 0.999*square[i] + 0.001*g*g
				want[i] -= rate * mean[i] / (1 - math.Pow(0.9, step)) / (math.Sqrt(square[i]/(1-math.Pow(0.999, step))) + 1e-8)
			}
			if step == 2 {
				adam.ScaleRates(0.9)
				rate *= 0.9
			}
		}
		for i, value := range x.Float64s() {
			if math.Abs(value-want[i]) > 1e-6 {
				t.Errorf("three steps gave %v, want %v", x.Float64s(), want)
			}
		}
		if idle.Item() != 5 || math.Abs(adam.Rates()[0]-0.09) > 1e-12 {
			t.Errorf("a parameter without gradient moved to %v; rate %v", idle.Item(), adam.Rates())
		}
		return nil
	})
}

func TestGradNorm(t *testing.T) {
	do(t, open(t), func(s *Scope) error {
		for _, test := range []struct {
			name   string
			first  []float32 // gradient of the first parameter; nil: none
			second []float32
			want   float64
		}{
			{"of both", []float32{3, 0}, []float32{0, 4}, 5},
			{"of one alone", nil, []float32{6, 8}, 10},
			{"of none", nil, nil, 0},
			{"infinite", []float32{float32(math.Inf(-1)), 0}, []float32{1, 1}, math.Inf(1)},
			{"no number", []float32{1, 1}, []float32{0, float32(math.NaN())}, math.NaN()},
		} {
			var parameters []Tensor
			for _, gradient := range [][]float32{test.first, test.second} {
				x := row(s, 1, 1)
				x.RequireGrad(true)
				if gradient != nil {
					x.Mul(row(s, gradient...)).Sum().Backward()
				}
				parameters = append(parameters, x)
			}
			got := GradNorm(parameters...).Item()
			if got != test.want && !(math.IsNaN(got) && math.IsNaN(test.want)) {
				t.Errorf("%s: %g, want %g", test.name, got, test.want)
			}
		}
		return nil
	})
}

// TestAdamRestored: an optimiser that was given another's state goes on as that one, bit by bit.
func TestAdamRestored(t *testing.T) {
	do(t, open(t), func(s *Scope) error {
		begin := func(values ...float32) (*Adam, Tensor) {
			x := row(s, values...)
			x.RequireGrad(true)
			adam := &Adam{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
			adam.AddGroup(s, 0.1, []Tensor{x})
			return adam, x
		}
		step := func(adam *Adam, x Tensor) {
			adam.ClearGrads()
			x.Pow(3).Sum().Backward()
			adam.Step()
			adam.ScaleRates(0.9)
		}
		first, x := begin(1, -2)
		step(first, x)
		step(first, x)
		state := first.State()
		second, y := begin(x.Float32s()...)
		before := LiveHandles()
		second.Restore(s, state)
		if after := LiveHandles(); after != before {
			t.Errorf("%d tensors were left behind", after-before)
		}
		step(first, x)
		step(second, y)
		if !slices.Equal(x.Float32s(), y.Float32s()) || second.Steps() != 3 || !slices.Equal(first.Rates(), second.Rates()) {
			t.Errorf("after a restore %v, steps %d, rates %v; without %v, %v", y.Float32s(), second.Steps(), second.Rates(), x.Float32s(), first.Rates())
		}
		return nil
	})
	rt := open(t)
	err := rt.Do(t.Context(), func(s *Scope) error {
		(&Adam{}).Restore(s, AdamState{Rates: []float64{1}})
		return nil
	})
	if err == nil {
		t.Error("the state of other parameters was taken")
	}
}

// TestFrozenLinear: what flows through it has Linear's gradient, whichever way it
// lies in memory; a weight that wants one itself is refused.
func TestFrozenLinear(t *testing.T) {
	err := open(t).Do(context.Background(), func(s *Scope) error {
		weight, bias := s.FromFloat32([]float32{1, 2, 3, 4, 5, 6}, 3, 2), row(s, 1, 0, -1)
		x := s.FromFloat32([]float32{1, -2, 3, 0.5, 2, 2, -1, 4}, 2, 2, 2)
		x.RequireGrad(true)
		for name, shape := range map[string]func(Tensor) Tensor{
			"as it is":   func(x Tensor) Tensor { return x },
			"transposed": func(x Tensor) Tensor { return x.Transpose(0, 2) },
		} {
			gradient := func(y Tensor) []float32 {
				x.ClearGrad()
				y.Transpose(0, 2).Pow(2).Sum().Backward()
				grad, _ := x.Grad()
				return grad.Float32s()
			}
			got := gradient(shape(x).FrozenLinear(weight, bias))
			if want := gradient(shape(x).Linear(weight, bias)); !slices.Equal(got, want) {
				t.Errorf("%s: gradient %v, want %v", name, got, want)
			}
		}
		weight.RequireGrad(true)
		x.FrozenLinear(weight, bias)
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "not frozen") {
		t.Errorf("a trainable weight: %v", err)
	}
}

// TestFrozenLinearInBFloat16: the gradient of what was float32 is float32, and
// Linear's up to the roundings of the format, 2^-8 each, of the result and of what flows back.
func TestFrozenLinearInBFloat16(t *testing.T) {
	do(t, open(t), func(s *Scope) error {
		weight, bias := s.FromFloat32([]float32{1, 2, 3, 4, 5, 6}, 3, 2), row(s, 1, 0, -1)
		x := s.FromFloat32([]float32{1, -2, 3, 0.5, 2, 2, -1, 4}, 2, 2, 2)
		x.RequireGrad(true)
		gradient := func(y Tensor) Tensor {
			x.ClearGrad()
			y.Pow(2).Sum().Backward()
			grad, _ := x.Grad()
			return grad
		}
		y := x.FrozenLinear(weight.To(BFloat16), bias.To(BFloat16))
		got, want := gradient(y.To(Float32)), gradient(x.Linear(weight, bias)).Float32s()
		if y.DType() != BFloat16 || got.DType() != Float32 {
			t.Errorf("the result has type %d, the gradient %d", y.DType(), got.DType())
		}
		for i, value := range got.Float32s() {
			if math.Abs(float64(value-want[i])) > math.Abs(float64(want[i]))/64 {
				t.Errorf("gradient %v, want about %v", got.Float32s(), want)
			}
		}
		return nil
	})
}

// TestFrozenBlock: values and gradient are those of the operations one by one,
// bit by bit, in either format, with a graph and without.
func TestFrozenBlock(t *testing.T) {
	const batch, length, heads, width = 2, 5, 2, 8
	do(t, open(t), func(s *Scope) error {
		seed := 0
		drawn := func(shape ...int64) Tensor {
			count := int64(1)
			for _, n := range shape {
				count *= n
			}
			values := make([]float32, count)
			for i := range values {
				seed++
				values[i] = float32(math.Sin(float64(seed * seed)))
			}
			return s.FromFloat32(values, shape...)
		}
		x := drawn(batch, length, width)
		x.RequireGrad(true)
		for _, format := range []DType{Float32, BFloat16} {
			for _, variant := range []struct{ causal, quick bool }{{false, false}, {true, true}} {
				matrix := func(out, in int64) [2]Tensor { return [2]Tensor{drawn(out, in).To(format), drawn(out).To(format)} }
				norm1, norm2 := [2]Tensor{drawn(width), drawn(width)}, [2]Tensor{drawn(width), drawn(width)}
				qkv, out, expand, reduce := matrix(3*width, width), matrix(width, width), matrix(4*width, width), matrix(width, 4*width)
				b := FrozenBlock{Heads: heads, Causal: variant.causal, QuickGELU: variant.quick, Epsilon: 1e-5}
				for i, pair := range [][2]Tensor{norm1, qkv, out, norm2, expand, reduce} {
					b.Parts[2*i], b.Parts[2*i+1] = pair[0], pair[1]
				}
				y := x.LayerNorm(norm1[0], norm1[1], 1e-5).FrozenLinear(qkv[0], qkv[1])
				y = x.Add(y.SelfAttention(heads, variant.causal).FrozenLinear(out[0], out[1]))
				hidden := y.LayerNorm(norm2[0], norm2[1], 1e-5).FrozenLinear(expand[0], expand[1])
				if variant.quick {
					hidden = hidden.QuickGELU()
				} else {
					hidden = hidden.GELU()
				}
				y = y.Add(hidden.FrozenLinear(reduce[0], reduce[1]))
				gradient := func(y Tensor) []float32 {
					x.ClearGrad()
					y.Pow(3).Sum().Backward()
					grad, _ := x.Grad()
					return grad.Float32s()
				}
				got := b.Apply(x)
				var bare Tensor
				if err := s.NoGrad(func() error { bare = b.Apply(x); return nil }); err != nil {
					return err
				}
				if want := y.Float32s(); !slices.Equal(got.Float32s(), want) || !slices.Equal(bare.Float32s(), want) {
					t.Errorf("type %d, %+v: the values are others", format, variant)
				}
				if !slices.Equal(gradient(got), gradient(y)) {
					t.Errorf("type %d, %+v: the gradient is another", format, variant)
				}
			}
		}
		return nil
	})
}

// TestSelfAttention compares values and gradients with attention written out.
func TestSelfAttention(t *testing.T) {
	const batch, length, heads, width = 2, 3, 2, 2
	do(t, open(t), func(s *Scope) error {
		values := make([]float32, batch*length*3*heads*width)
		for i := range values {
			values[i] = float32(math.Sin(float64(i * i)))
		}
		qkv := s.FromFloat32(values, batch, length, 3*heads*width)
		qkv.RequireGrad(true)
		part := func(i int64) Tensor {
			return qkv.Narrow(2, i*heads*width, heads*width).Reshape(batch, length, heads, width).Transpose(1, 2)
		}
		weights := part(0).MatMul(part(1).Transpose(2, 3)).MulScalar(1 / math.Sqrt(width)).Softmax(3)
		want := weights.MatMul(part(2)).Transpose(1, 2).Reshape(batch, length, heads*width)
		got := qkv.SelfAttention(heads, false)
		gradient := func(y Tensor) []float32 {
			qkv.ClearGrad()
			y.Pow(2).Sum().Backward()
			grad, _ := qkv.Grad()
			return grad.Float32s()
		}
		for name, pair := range map[string][2][]float32{
			"values": {got.Float32s(), want.Float32s()}, "gradients": {gradient(got), gradient(want)},
		} {
			for i := range pair[1] {
				if len(pair[0]) != len(pair[1]) || math.Abs(float64(pair[0][i]-pair[1][i])) > 1e-6 {
					t.Fatalf("%s %v, want %v", name, pair[0], pair[1])
				}
			}
		}
		return nil
	})
}
