package anomalymap

import (
	"encoding/binary"
	"math"
	"testing"
)

// halfByFormula is IEEE 754's definition: (-1)^s * 2^(e-15) * (1 + f/1024), and 2^-14 * f/1024 for e = 0.
func halfByFormula(h uint16) float64 {
	sign := 1 - 2*float64(h>>15)
	exponent, fraction := int(h>>10&31), float64(h&1023)/1024
	switch exponent {
	case 0:
		return math.Copysign(math.Ldexp(fraction, -14), sign)
	case 31:
		if fraction != 0 {
			return math.NaN()
		}
		return sign * math.Inf(1)
	}
	return sign * math.Ldexp(1+fraction, exponent-15)
}

func TestEveryHalf(t *testing.T) {
	for i := range 1 << 16 {
		h := uint16(i)
		got, _ := float16(binary.BigEndian, []byte{byte(h >> 8), byte(h)})
		if want := halfByFormula(h); math.IsNaN(want) {
			if got == got || math.Float32bits(got)>>13&0x3ff != uint32(h&0x3ff) || math.Signbit(float64(got)) != (h>>15 == 1) {
				t.Fatalf("%04x: %x", h, math.Float32bits(got))
			}
		} else if math.Float64bits(float64(got)) != math.Float64bits(want) {
			t.Fatalf("%04x: %v, want %v", h, got, want)
		}
	}
}

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
