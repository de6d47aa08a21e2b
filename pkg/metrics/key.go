package metrics

import "math"

const (
	signBit      = 1 << 31
	exponentBits = 0xff << 23

	// Finite scores have keys from firstKey to lastKey, except signBit, which is no key.
	firstKey = 0x00800000 // key of the largest score
	lastKey  = 0xff7fffff // key of the smallest score
)

// keyOf maps a finite score to a key that sorts as an unsigned integer, higher scores
// first, which is the order for a falling threshold. Both zeros have the same key.
func keyOf(score float32) uint32 {
	b := math.Float32bits(score)
	if b > signBit {
		return b
	}
	return ^b &^ signBit // also maps -0 to the key of +0
}

// scoreOf is the inverse of keyOf; zero is +0.
func scoreOf(key uint32) float32 {
	if key > signBit {
		return math.Float32frombits(key)
	}
	return math.Float32frombits(^key &^ signBit)
}

// toKeys writes the keys of scores to keys, which must be at least as long, and returns the
// index of the first NaN or infinite score, or -1.
func toKeys(keys []uint32, scores []float32) int {
	keys = keys[:len(scores)]
	for i, score := range scores {
		if math.Float32bits(score)&exponentBits == exponentBits {
			return i
		}
		keys[i] = keyOf(score)
	}
	return -1
}

// isKey reports whether key is a key of a finite score.
func isKey(key uint32) bool {
	return firstKey <= key && key <= lastKey && key != signBit
}
