package metrics

import (
	"math/bits"
	"slices"
)

const (
	digitBits = 11
	buckets   = 1 << digitBits
	fewValues = 512 // below this, comparing is faster than counting
)

// sortByKey sorts values by their bits from shift up, which are a key, in
// rising order (least significant digit first) with the help of spare, which
// is as long. It returns the sorted slice and the other one, whose content is
// then meaningless; each is one of the two given. Values with one key may end
// in any order, which depends on nothing but their order before.
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

// scatter moves values to their places by the digit that begins at bit from of
// their keys less low, keeping the order of equals.
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
