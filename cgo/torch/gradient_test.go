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
