// Package metrics computes the ranking metrics of anomaly detection exactly:
// over all distinct float32 scores, with tied scores taken together as
// scikit-learn does, and never over bins.
//
// A score ranks how anomalous a picture (image level) or one pixel of an
// anomaly map (pixel level) is; higher is more anomalous. Scores are any finite
// float32 numbers, and only their order counts: -0 and +0 tie.
package metrics

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
)

var (
	// ErrOneClass says that a metric is not defined, because the labels are not
	// of both classes. Such a value is left out of means and shown as "n/a".
	ErrOneClass = errors.New("not defined: it needs both normal and anomalous labels")

	// ErrNotFinite says that a score is NaN or infinite.
	ErrNotFinite = errors.New("score is not finite")
)

// AUROC returns the area under the receiver operating characteristic, in
// [0, 1]: the trapezoid rule over the distinct scores, which equals the chance
// that an anomalous sample scores higher than a normal one, ties counting half.
// labels[i] is true where scores[i] belongs to an anomalous sample.
// The error wraps ErrOneClass or ErrNotFinite, or says that the lengths differ.
func AUROC(scores []float32, labels []bool) (float64, error) {
	pooled, err := pool(scores, labels)
	if err != nil {
		return 0, fmt.Errorf("AUROC: %w", err)
	}
	return pooled.AUROC()
}

// AP returns the average precision, in (0, 1]: the sum of (R_k - R_(k-1)) P_k
// over the distinct scores in falling order, R being recall and P precision,
// with no interpolation. Arguments and errors are those of AUROC.
func AP(scores []float32, labels []bool) (float64, error) {
	pooled, err := pool(scores, labels)
	if err != nil {
		return 0, fmt.Errorf("AP: %w", err)
	}
	return pooled.AP()
}

// minimumShare is the number of scores below which another goroutine costs more than it saves.
const minimumShare = 1 << 18

// pool collects scores on all processors.
func pool(scores []float32, labels []bool) (*Pooled, error) {
	if len(scores) != len(labels) {
		return nil, fmt.Errorf("%d scores, but %d labels", len(scores), len(labels))
	}
	workers := min(runtime.GOMAXPROCS(0), len(scores)/minimumShare+1)
	shares := make([]Pooled, workers)
	errs := make([]error, workers)
	var wait sync.WaitGroup
	for w := range shares {
		from, to := len(scores)*w/workers, len(scores)*(w+1)/workers
		wait.Go(func() { errs[w] = shares[w].addLabelled(scores[from:to], labels[from:to]) })
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for w := range shares[1:] {
		shares[0].Merge(&shares[w+1])
	}
	return &shares[0], nil
}

// addLabelled is Add for labels that are not a mask.
func (p *Pooled) addLabelled(scores []float32, labels []bool) error {
	const block = 1 << 14 // of mask bytes at a time
	mask := make([]uint8, min(block, len(labels)))
	for len(scores) > 0 {
		n := min(block, len(scores))
		for i, anomalous := range labels[:n] {
			mask[i] = 0
			if anomalous {
				mask[i] = 1
			}
		}
		if err := p.Add(scores[:n], mask[:n]); err != nil {
			return err
		}
		scores, labels = scores[n:], labels[n:]
	}
	return nil
}
