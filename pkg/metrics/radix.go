package metrics

import (
	"math/bits"
	"slices"
)

const (
	digitBits = 11
	buckets   = 1 << digitBits
	fewValues = 512 // below this, comparison sort is faster than radix sort
)

// sortByKey sorts values in ascending order of their bits from shift up, the key, with a
// least-significant-digit radix sort. spare must be as long as values. It returns the
// sorted slice and the other one, with undefined content; both are the given slices. The
// order of equal keys is unspecified but deterministic.
func sortByKey[T uint32 | uint64](values, spare []T, shift int) (sorted, other []T) {
	if len(values) < fewValues {
		slices.Sort(values)
		return values, spare
	}
	low := slices.Min(values) >> shift
	width := bits.Len64(uint64(slices.Max(values)>>shift - low))
	for from := 0; from < width; from += digitBits {
		scatter(spare, values, shift, low, from)
		values, spare = spare, values
	}
	return values, spare
}

// scatter moves values to their positions by the digit at bit from of (key - low), and keeps
// the order of equal digits.
func scatter[T uint32 | uint64](to, values []T, shift int, low T, from int) {
	var places [buckets]uint32
	for _, value := range values {
		places[(value>>(shift&63)-low)>>(from&63)%buckets]++
	}
	var place uint32
	for i, n := range places {
		places[i] = place
		place += n
	}
	for _, value := range values {
		digit := (value>>(shift&63) - low) >> (from & 63) % buckets
		to[places[digit]] = value
		places[digit]++
	}
}
