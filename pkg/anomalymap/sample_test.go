package anomalymap

import (
	"math"
	"testing"
)

func TestIntegers(t *testing.T) {
	for v, exact := range map[int64]bool{
		0: true, 1: true, -1: true, 1<<24 - 1: true, 1 << 24: true, 1<<24 + 1: false, 1<<24 + 2: true, -(1<<24 + 1): false,
		math.MaxInt32: false, math.MinInt32: true, math.MaxInt64: false, math.MinInt64: true, math.MinInt64 + 1: false, 1<<62 + 1<<39: true, 1<<62 + 1<<38: false,
	} {
		got, err := integer(v)
		if (err == nil) != exact || exact && float64(got) != float64(v) {
			t.Errorf("%d: %v, %v", v, got, err)
		}
	}
}
