package metrics

import "slices"

// cutsOf chooses keys that part the samples of all runs into stretches of about
// so many, in rising order; the last is above all keys. However the scores
// crowd, at most that many samples and a block of each run lie strictly between
// two of them.
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
