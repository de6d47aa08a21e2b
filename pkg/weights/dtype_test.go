package weights

import (
	"math"
	"testing"
)

func TestEveryBFloat16(t *testing.T) {
	for i := range uint32(1 << 16) {
		if wide := math.Float32bits(bfloat16ToFloat32(uint16(i))); wide != i<<16 {
			t.Fatalf("%04x: %08x", i, wide)
		}
	}
}
