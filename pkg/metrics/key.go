package metrics

import "math"

const (
	signBit     = 1 << 31
	infinityKey = 0xff << 23 // exponent bits of NaN and the infinities
)

// keyOf maps a finite score to a key that sorts as an unsigned integer in the
// order of the scores. Both zeros get one key. No finite score gets key 0.
func keyOf(score float32) uint32 {
	b := math.Float32bits(score)
	if b == signBit { // -0
		b = 0
	}
	if b&signBit != 0 {
		return ^b // larger magnitudes come first
	}
	return b | signBit
}

// firstNotFinite returns the index of the first NaN or infinite score, or -1.
func firstNotFinite(scores []float32) int {
	for i, score := range scores {
		if math.Float32bits(score)&infinityKey == infinityKey {
			return i
		}
	}
	return -1
}
