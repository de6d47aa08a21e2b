// Package float16 converts between float32 and the bits of IEEE 754 half floats.
package float16

import "math"

// ToFloat32 converts a half to float32, which is always exact. It keeps infinities, signed
// zeros, subnormals and NaN payloads.
func ToFloat32(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exponent := uint32(h>>10) & 0x1f
	fraction := uint32(h & 0x3ff)
	switch exponent {
	case 0: // zero or subnormal: fraction * 2^-24, a normal float32
		magnitude := math.Float32bits(float32(fraction) * 0x1p-24)
		return math.Float32frombits(sign | magnitude)
	case 0x1f:
		return math.Float32frombits(sign | 0x7f800000 | fraction<<13)
	default:
		return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
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
