package metrics

import "slices"

// cutsOf returns keys, in ascending order, that divide the samples of all runs into
// stretches of about samplesOfStretch samples; the last cut is above all keys. For any
// distribution of scores, at most that many samples plus one block per run are strictly
// between two cuts.
func cutsOf(runs []*run, samplesOfStretch int) []uint32 {
	n := 0
	for _, r := range runs {
		n += len(r.index)
	}
	entries := make([]uint32, 0, n)
	for _, r := range runs {
		entries = append(entries, r.index...)
	}
	entries, _ = sortByKey(entries, make([]uint32, n), 0)
	every := max(samplesOfStretch/blockLength, 1)
	var cuts []uint32
	for i := every; i < n; i += every {
		cuts = append(cuts, entries[i])
	}
	return append(slices.Compact(cuts), lastKey+1)
}
