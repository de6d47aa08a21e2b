package golden

import (
	"math"
	"testing"
)

// Near compares values. No difference may exceed limit times the largest expected value.
func Near(t testing.TB, what string, got, want []float32, limit float64) {
	t.Helper()
	if len(got) != len(want) || len(want) == 0 {
		t.Errorf("%s: got %d values, want %d", what, len(got), len(want))
		return
	}
	scale, worst := math.Abs(float64(want[Largest(want)])), 0.0
	for i := range got {
		worst = max(worst, math.Abs(float64(got[i]-want[i])))
	}
	if !(worst <= limit*scale) {
		t.Errorf("%s: largest difference %.3g, allowed %.3g", what, worst, limit*scale)
	}
}
