package parity

import (
	"cmp"
	"math"
	"slices"
)

// Spearman returns Spearman's rank correlation of two lists of the same length: the
// correlation of the ranks, where equal values share the mean of their ranks. It is not
// defined if all values of a list are equal.
func Spearman(a, b []float32) (correlation float64, defined bool) {
	x, y := ranks(a), ranks(b)
	middle := float64(len(x)+1) / 2
	var xy, xx, yy float64
	for i := range x {
		dx, dy := x[i]-middle, y[i]-middle
		xy, xx, yy = xy+dx*dy, xx+dx*dx, yy+dy*dy
	}
	if xx == 0 || yy == 0 {
		return 0, false
	}
	return xy / math.Sqrt(xx*yy), true
}

// ranks returns the rank of each value, from 1.
func ranks(values []float32) []float64 {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(values[i], values[j]) })
	list := make([]float64, len(values))
	for from := 0; from < len(order); {
		to := from
		for to < len(order) && values[order[to]] == values[order[from]] {
			to++
		}
		for _, i := range order[from:to] {
			list[i] = float64(from+1+to) / 2
		}
		from = to
	}
	return list
}
