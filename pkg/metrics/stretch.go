package metrics

// stretch is the samples with keys above one cut and up to the next, inclusive.
type stretch struct {
	cut uint32 // the upper cut

	// The samples below the upper cut, and the numbers of samples at it, which may be very large.
	normal    []uint32 // in ascending order
	anomalous []uint64 // the key in the upper and the region size in the lower 32 bits; ascending

	equalNormal, equalAnomalous uint64
	equalWeight                 uint128 // weight of the anomalous samples at the cut

	normalBefore, anomalousBefore uint64 // numbers of samples up to the lower cut, with higher scores
}

// gatherer gathers stretches, one after the other, and reuses its memory.
type gatherer struct {
	stretch
	reader      reader
	spare       []uint32
	spareRecord []uint64
	records     []uint64 // the anomalous samples of one run
}

// gather collects p's samples with keys above prev and up to cut. If none is anomalous, it
// skips the normal ones.
func (g *gatherer) gather(p *pool, prev, cut uint32) error {
	g.stretch = stretch{cut: cut, normal: g.normal[:0], anomalous: g.anomalous[:0]}
	for _, r := range p.piles[anomalous].runs {
		if err := g.takeAnomalous(r, prev); err != nil {
			return err
		}
	}
	if len(g.anomalous) == 0 && g.equalAnomalous == 0 {
		return nil
	}
	for _, r := range p.piles[normal].runs {
		w, err := r.window(prev, cut, &g.reader)
		if err != nil {
			return err
		}
		g.normal = joined(g.normal, w.between)
		g.normalBefore += uint64(w.before)
		g.equalNormal += uint64(w.equal)
	}
	if len(p.piles[normal].runs) > 1 {
		g.normal, g.spare = sortByKey(g.normal, resized(g.spare, len(g.normal)), 0)
	}
	if len(p.piles[anomalous].runs) > 1 {
		g.anomalous, g.spareRecord = sortByKey(g.anomalous, resized(g.spareRecord, len(g.anomalous)), 32)
	}
	return nil
}

func (g *gatherer) takeAnomalous(r *run, prev uint32) error {
	w, err := r.window(prev, g.cut, &g.reader)
	if err != nil {
		return err
	}
	g.anomalousBefore += uint64(w.before)
	g.equalAnomalous += uint64(w.equal)
	tags, err := g.reader.tags(r, w.before, w.before+len(w.between))
	if err != nil {
		return err
	}
	g.records = resized(g.records, len(tags))
	for i, key := range w.between {
		g.records[i] = uint64(key)<<32 | uint64(r.sizes[tags[i]])
	}
	g.anomalous = joined(g.anomalous, g.records)
	if w.equal == 0 {
		return nil
	}
	var counts [sizesOfRun]uint64
	for from, to := w.before+len(w.between), w.before+len(w.between)+w.equal; from < to; from += blockLength {
		tags, err := g.reader.tags(r, from, min(from+blockLength, to))
		if err != nil {
			return err
		}
		for _, tag := range tags {
			counts[tag]++
		}
	}
	for tag, size := range r.sizes {
		g.equalWeight.add(weightOf(size).times(counts[tag]))
	}
	return nil
}
