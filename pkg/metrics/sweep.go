package metrics

import (
	"errors"
	"sync"
	"sync/atomic"
)

// sweep computes all metrics, with the PRO curve up to the false-positive rate limit. The
// range of keys is divided into stretches of about a run's length. Each is gathered from
// all runs and sorted separately, so that memory besides the runs stays small. The error
// is ErrOneClass or a disk error.
func (p *pool) sweep(limit float64) (sums, error) {
	all := sums{totals: totals{p.piles[anomalous].count, p.piles[normal].count, p.regions, limit}}
	if err := p.finish(); err != nil {
		return all, err
	}
	if p.piles[anomalous].count == 0 || p.piles[normal].count == 0 {
		return all, ErrOneClass
	}
	cuts := cutsOf(p.runs(), p.length)
	workers := min(cap(p.sorters), len(cuts))
	parts, errs := make([]sums, workers), make([]error, workers)
	var next atomic.Int64
	var wait sync.WaitGroup
	for w := range workers {
		parts[w].totals = all.totals
		wait.Go(func() { errs[w] = p.sweepStretches(&parts[w], cuts, &next) })
	}
	wait.Wait()
	for _, part := range parts {
		all.merge(part)
	}
	return all, errors.Join(errs...)
}

// sweepStretches adds stretches to s until other goroutines have taken all others.
func (p *pool) sweepStretches(s *sums, cuts []uint32, next *atomic.Int64) error {
	var g gatherer
	for {
		i := int(next.Add(1)) - 1
		if i >= len(cuts) {
			return nil
		}
		var prev uint32 // below all keys
		if i > 0 {
			prev = cuts[i-1]
		}
		if err := g.gather(p, prev, cuts[i]); err != nil {
			return err
		}
		s.addStretch(&g.stretch)
	}
}

// addStretch adds all groups of a stretch.
func (s *sums) addStretch(t *stretch) {
	normal, anomalous := t.normal, t.anomalous
	i, j := 0, 0
	for i < len(anomalous) {
		key := uint32(anomalous[i] >> 32)
		g := group{key: key, anomalousAbove: t.anomalousBefore + uint64(i)}
		for ; i < len(anomalous) && uint32(anomalous[i]>>32) == key; i++ {
			g.anomalous++
			g.weight.add(weightOf(uint32(anomalous[i])))
		}
		for j < len(normal) && normal[j] < key {
			j++
		}
		g.normalAbove = t.normalBefore + uint64(j)
		for ; j < len(normal) && normal[j] == key; j++ {
			g.normal++
		}
		s.add(g)
	}
	if t.equalAnomalous > 0 {
		s.add(group{
			key:            t.cut,
			anomalous:      t.equalAnomalous,
			normal:         t.equalNormal,
			weight:         t.equalWeight,
			anomalousAbove: t.anomalousBefore + uint64(len(anomalous)),
			normalAbove:    t.normalBefore + uint64(len(normal)),
		})
	}
}
