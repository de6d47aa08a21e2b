package metrics

import (
	"iter"
	"slices"
)

const (
	sampleEvery = 1 << 12               // keys of a run between two samples
	cutEvery    = 1 << 18 / sampleEvery // samples between two cuts
)

// cutKeys chooses keys that part all keys into stretches of about 2^18, in
// falling order; the last is 0, below all keys. However the scores crowd, no
// more than (cutEvery + number of runs) * sampleEvery keys lie strictly between
// two of them.
func cutKeys(piles ...[][]uint32) []uint32 {
	var samples []uint32
	for _, runs := range piles {
		for _, run := range runs {
			for i := sampleEvery - 1; i < len(run); i += sampleEvery {
				samples = append(samples, run[i])
			}
		}
	}
	slices.Sort(samples)
	cuts := []uint32{0}
	for i := cutEvery - 1; i < len(samples); i += cutEvery {
		cuts = append(cuts, samples[i])
	}
	cuts = slices.Compact(cuts)
	slices.Reverse(cuts)
	return cuts
}

// stretch is the keys from one cut (included) up to the next higher one (not included).
type stretch struct {
	cut                  uint32
	positives, negatives parts
}

// parts is one class's keys of a stretch.
type parts struct {
	above [][]uint32 // the keys above the cut, a sorted part from each run
	equal uint64     // the keys at the cut: counted, since there may be very many
}

// length is the number of keys above the cut.
func (p parts) length() uint64 {
	var n uint64
	for _, part := range p.above {
		n += uint64(len(part))
	}
	return n
}

func stretches(cuts []uint32, positives, negatives [][]uint32) iter.Seq[stretch] {
	return func(yield func(stretch) bool) {
		for _, cut := range cuts {
			if !yield(stretch{cut, takeAbove(positives, cut), takeAbove(negatives, cut)}) {
				return
			}
		}
	}
}

// takeAbove takes the keys at and above cut off the end of each run.
func takeAbove(runs [][]uint32, cut uint32) parts {
	var p parts
	for i, run := range runs {
		above, _ := slices.BinarySearch(run, cut+1)
		at, _ := slices.BinarySearch(run[:above], cut)
		if above < len(run) {
			p.above = append(p.above, run[above:])
		}
		p.equal += uint64(above - at)
		runs[i] = run[:at]
	}
	return p
}

// counted is a stretch's points, with above counted from the stretch's top, and
// its number of normal samples.
type counted struct {
	points    []point
	negatives uint64
}

// counter counts stretches, one after the other; it keeps the memory that this needs.
type counter struct {
	positives, negatives, spare []uint32
}

func (c *counter) count(s stretch) counted {
	var points []point
	if len(s.positives.above) > 0 {
		c.positives = c.sorted(c.positives, s.positives)
		c.negatives = c.sorted(c.negatives, s.negatives)
		points = countPoints(c.positives, c.negatives)
	}
	above := s.negatives.length()
	if s.positives.equal > 0 {
		points = append(points, point{s.cut, s.positives.equal, s.negatives.equal, above})
	}
	return counted{points, above + s.negatives.equal}
}

// sorted gathers the parts' keys in into's memory and sorts them.
func (c *counter) sorted(into []uint32, p parts) []uint32 {
	if len(p.above) == 1 {
		return append(into[:0], p.above[0]...) // a part is sorted
	}
	n := int(p.length())
	into = slices.Grow(into[:0], n)
	for _, part := range p.above {
		into = append(into, part...)
	}
	c.spare = slices.Grow(c.spare[:0], n)
	into, c.spare = sortKeys(into, c.spare[:n])
	return into
}

// countPoints walks both sorted classes from the top; there is at least one positive.
func countPoints(positives, negatives []uint32) []point {
	distinct := 1
	for i := range positives[1:] {
		if positives[i] != positives[i+1] {
			distinct++
		}
	}
	points := make([]point, 0, distinct+1) // and one at the cut
	i, j := len(positives)-1, len(negatives)-1
	for i >= 0 {
		at := point{key: positives[i]}
		for ; i >= 0 && positives[i] == at.key; i-- {
			at.positives++
		}
		for j >= 0 && negatives[j] > at.key {
			j--
		}
		at.above = uint64(len(negatives) - 1 - j)
		for ; j >= 0 && negatives[j] == at.key; j-- {
			at.negatives++
		}
		points = append(points, at)
	}
	return points
}
