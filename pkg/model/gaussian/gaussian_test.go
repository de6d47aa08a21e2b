package gaussian

import (
	"math"
	"testing"
)

// TestMatrix compares with scipy 1.17's gaussian_filter1d of unit vectors; rows sum to 1.
func TestMatrix(t *testing.T) {
	for _, c := range []struct {
		size  int
		sigma float64
		row   int
		want  []float64
	}{
		{5, 0.5, 0, []float64{0.8930214978609338, 0.10671463705632887, 0.00026386508273735414, 0, 0}},
		{5, 0.5, 2, []float64{0.00026386508273735414, 0.10645077197359151, 0.7865707258873422, 0.10645077197359151, 0.00026386508273735414}},
		{3, 2, 1, []float64{0.3332867762903035, 0.333426447419393, 0.3332867762903035}},
		{4, 1.5, 0, []float64{0.4789317857089249, 0.3223979245710199, 0.14645294067501363, 0.052217349045041606}},
	} {
		got := matrix(c.size, c.sigma)[c.row*c.size:][:c.size]
		for i, want := range c.want {
			if math.Abs(float64(got[i])-want) > 1e-7 {
				t.Errorf("size %d, sigma %g, row %d: %v, want %v", c.size, c.sigma, c.row, got, c.want)
				break
			}
		}
	}
	for _, size := range []int{1, 2, 3, 70} {
		m := matrix(size, 8) // the kernel is longer than the line
		for i := range size {
			sum := 0.0
			for _, value := range m[i*size:][:size] {
				sum += float64(value)
			}
			if math.Abs(sum-1) > 1e-6 {
				t.Errorf("size %d: row %d sums to %g", size, i, sum)
			}
		}
	}
}

func TestFold(t *testing.T) {
	for i, want := range map[int]int{0: 0, 2: 2, 3: 2, 5: 0, 6: 0, -1: 0, -3: 2, -4: 2, -6: 0, 13: 1} {
		if got := fold(i, 3); got != want {
			t.Errorf("position %d is pixel %d, want %d", i, got, want)
		}
	}
}
