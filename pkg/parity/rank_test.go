package parity

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestSpearman compares with scipy.stats.spearmanr.
func TestSpearman(t *testing.T) {
	for _, c := range []struct {
		a, b []float32
		want float64 // NaN: not defined
	}{
		{[]float32{1, 2, 3, 4, 5}, []float32{5, 6, 7, 8, 7}, 0.8207826816681233},
		{[]float32{0.1, 0.2, 0.3}, []float32{10, 20, 1000}, 1},
		{[]float32{0.1, 0.2, 0.3}, []float32{3, 2, 1}, -1},
		{[]float32{1, 1, 2, 2}, []float32{1, 2, 1, 2}, 0},
		{[]float32{1, 1}, []float32{1, 2}, math.NaN()},
		{[]float32{1}, []float32{1}, math.NaN()},
		{nil, nil, math.NaN()},
	} {
		got, defined := Spearman(c.a, c.b)
		if defined != !math.IsNaN(c.want) || defined && math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%v, %v: %v, %v, want %v", c.a, c.b, got, defined, c.want)
		}
	}
}

// TestSpearmanSeesOnlyTheOrder checks that an increasing function of either list changes
// nothing, that the lists can change places, and that a list agrees with itself exactly.
func TestSpearmanSeesOnlyTheOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		n := 2 + random.IntN(30)
		a, b, higher := make([]float32, n), make([]float32, n), make([]float32, n)
		for i := range a {
			a[i], b[i] = float32(random.IntN(8)), float32(random.IntN(8)) // with ties
			higher[i] = a[i]*a[i]*a[i] - 100
		}
		direct, defined := Spearman(a, b)
		turned, _ := Spearman(b, a)
		raised, _ := Spearman(higher, b)
		if direct != turned || direct != raised || math.Abs(direct) > 1+1e-12 {
			t.Errorf("%v, %v: %v, turned %v, of an increasing function %v", a, b, direct, turned, raised)
		}
		if own, _ := Spearman(a, higher); defined && own != 1 {
			t.Errorf("%v with an increasing function of it: %v", a, own)
		}
	}
}
