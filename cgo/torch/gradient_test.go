package torch

import (
	"math"
	"slices"
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
		x.MulScalar(1).Sum().Backward() // accumulates
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

// TestAdam compares three steps with the formulas of Adam and AdamW in float64.
func TestAdam(t *testing.T) {
	for _, decay := range []float64{0, 0.3} {
		do(t, open(t), func(s *Scope) error {
			x, idle := row(s, 1, -2), row(s, 5)
			x.RequireGrad(true)
			idle.RequireGrad(true)
			adam := &Adam{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: decay}
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
					want[i] *= 1 - rate*decay
					want[i] -= rate * mean[i] / (1 - math.Pow(0.9, step)) / (math.Sqrt(square[i]/(1-math.Pow(0.999, step))) + 1e-8)
				}
				if step == 2 {
					adam.ScaleRates(0.9)
					rate *= 0.9
				}
			}
			for i, value := range x.Float64s() {
				if math.Abs(value-want[i]) > 1e-6 {
					t.Errorf("decay %g: three steps gave %v, want %v", decay, x.Float64s(), want)
				}
			}
			if idle.Item() != 5 || math.Abs(adam.Rates()[0]-0.09) > 1e-12 {
				t.Errorf("a parameter without gradient moved to %v; rate %v", idle.Item(), adam.Rates())
			}
			return nil
		})
	}
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

// TestAdamRestored checks that an optimiser with another's state continues bit for bit like the other.
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
