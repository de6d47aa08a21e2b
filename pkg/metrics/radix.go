package metrics

import "slices"

const (
	digitBits = 11
	digits    = 3 // of 11 bits cover a key of 32
	buckets   = 1 << digitBits
	fewKeys   = 512 // below this, comparing is faster than counting
)

// sortKeys sorts keys in rising order (least significant digit first) with the
// help of spare, which is as long. It returns the sorted slice and the other
// one, whose content is then meaningless; each is one of the two given.
func sortKeys(keys, spare []uint32) (sorted, other []uint32) {
	if len(keys) < fewKeys {
		slices.Sort(keys)
		return keys, spare
	}
	var counts [digits][buckets]uint32
	for _, key := range keys {
		counts[0][key%buckets]++
		counts[1][key>>digitBits%buckets]++
		counts[2][key>>(2*digitBits)]++
	}
	for d := range digits {
		shift := d * digitBits
		count := &counts[d]
		if count[keys[0]>>shift%buckets] == uint32(len(keys)) {
			continue // this digit is the same in all keys
		}
		scatter(spare, keys, shift, count)
		keys, spare = spare, keys
	}
	return keys, spare
}

// scatter moves keys to their places by the digit at shift, keeping the order of equals.
// count holds the number of keys with each digit and is used up.
func scatter(to, keys []uint32, shift int, count *[buckets]uint32) {
	var place uint32
	for i, n := range count {
		count[i] = place
		place += n
	}
	for _, key := range keys {
		digit := key >> (shift & 31) % buckets
		to[count[digit]] = key
		count[digit]++
	}
}
