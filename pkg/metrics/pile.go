package metrics

import "slices"

// runLength is the number of keys of a full run: 1 MB, which a processor's own cache holds.
const runLength = 1 << 18

// pile holds the keys of one class as sorted runs. Sorting while samples come
// spreads the work over the time that the model needs for the next picture.
type pile struct {
	runs  [][]uint32 // each in rising order
	open  []uint32   // the newest keys, fewer than runLength, in the order they came
	count uint64     // keys in runs
}

func (p *pile) add(key uint32) {
	p.open = append(p.open, key)
	if len(p.open) == runLength {
		p.seal()
	}
}

// seal turns the open keys into a run.
func (p *pile) seal() {
	sorted, spare := sortKeys(p.open, make([]uint32, len(p.open)))
	p.runs = append(p.runs, sorted)
	p.count += uint64(len(sorted))
	p.open = spare[:0]
}

func (p *pile) size() uint64 { return p.count + uint64(len(p.open)) }

// take moves the keys of other into p.
func (p *pile) take(other *pile) {
	p.runs = append(p.runs, other.runs...)
	p.count += other.count
	for _, key := range other.open {
		p.add(key)
	}
	*other = pile{}
}

// sortedRuns returns the keys as sorted runs, which share p's memory: the outer
// slice may be changed, the keys may not.
func (p *pile) sortedRuns() [][]uint32 {
	runs := slices.Clone(p.runs)
	if len(p.open) > 0 {
		sorted, _ := sortKeys(slices.Clone(p.open), make([]uint32, len(p.open)))
		runs = append(runs, sorted)
	}
	return runs
}
