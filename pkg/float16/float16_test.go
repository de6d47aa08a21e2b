package float16

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
	default:
		return sign * math.Ldexp(1+fraction, exponent-15)
	}
}

func TestEveryHalf(t *testing.T) {
	for i := range 1 << 16 {
		h := uint16(i)
		got, want := ToFloat32(h), halfByFormula(h)
		if math.IsNaN(want) {
			if !math.IsNaN(float64(got)) || math.Float32bits(got)>>13&0x3ff != uint32(h&0x3ff) || math.Signbit(float64(got)) != (h>>15 == 1) {
				t.Fatalf("%04x: %x", h, math.Float32bits(got))
			}
		} else if math.Float64bits(float64(got)) != math.Float64bits(want) {
			t.Fatalf("%04x: %v, want %v", h, got, want)
		}
		if back := FromFloat32(got); back != h && !math.IsNaN(want) {
			t.Fatalf("%04x came back as %04x", h, back)
		}
	}
}

// A value between two neighbouring halves becomes the nearer one, or the even one at the midpoint.
func TestRoundsToNearestHalf(t *testing.T) {
	for h := uint16(0); h < 0x7bff; h++ {
		low, high := halfByFormula(h), halfByFormula(h+1)
		middle := float32((low + high) / 2) // exact: one bit more than a half
		even := h + h&1
		for _, c := range []struct {
			value float32
			want  uint16
		}{
			{math.Nextafter32(middle, 0), h},
			{middle, even},
			{math.Nextafter32(middle, 1e9), h + 1},
		} {
			if got := FromFloat32(c.value); got != c.want {
				t.Fatalf("%v: %04x, want %04x", c.value, got, c.want)
			}
			if got := FromFloat32(-c.value); got != c.want|0x8000 {
				t.Fatalf("%v: %04x, want %04x", -c.value, got, c.want|0x8000)
			}
		}
	}
	for value, want := range map[float32]uint16{
		65519.996:            0x7bff,
		65520:                0x7c00,
		1e30:                 0x7c00,
		-1e30:                0xfc00,
		float32(math.Inf(1)): 0x7c00,
		1e-30:                0,
	} {
		if got := FromFloat32(value); got != want {
			t.Errorf("%v: %04x, want %04x", value, got, want)
		}
	}
	if got := FromFloat32(math.Float32frombits(0x7f800001)); got&0x7c00 != 0x7c00 || got&0x3ff == 0 {
		t.Errorf("a NaN became %04x", got)
	}
}

func TestDecode(t *testing.T) {
	raw := make([]byte, 0, 2<<16)
	for h := range 1 << 16 {
		raw = binary.LittleEndian.AppendUint16(raw, uint16(h))
	}
	got := make([]float32, 1<<16)
	Decode(got, raw)
	for h := range got {
		if want := ToFloat32(uint16(h)); math.Float32bits(got[h]) != math.Float32bits(want) {
			t.Fatalf("%04x: %v, want %v", h, got[h], want)
		}
	}
}
