package metrics

import (
	"fmt"
	"math/bits"
)

// Pooled collects scored samples picture by picture and computes metrics over
// all of them together. It keeps 4 bytes a sample and some megabytes beside,
// and copies what it is given. The zero value is empty and ready to use.
// It is not safe for concurrent use: give each goroutine its own and Merge them.
type Pooled struct {
	positives, negatives pile // scores of anomalous and of normal samples
}

// Summary is what one sweep over the pooled scores finds.
type Summary struct {
	AUROC, AP            float64 // in [0, 1]
	Positives, Negatives uint64  // anomalous and normal samples
}

// Add collects the scores of one picture: its pixels' (an anomaly map) or its
// own single one. mask has a byte a score, zero where it is normal; a nil mask
// says that all are normal. Where the lengths differ or a score is not finite
// (the error wraps ErrNotFinite and names its index), nothing is added.
func (p *Pooled) Add(scores []float32, mask []uint8) error {
	if mask != nil && len(mask) != len(scores) {
		return fmt.Errorf("%d scores, but a mask of %d", len(scores), len(mask))
	}
	if i := firstNotFinite(scores); i >= 0 {
		return fmt.Errorf("%w: %v at index %d", ErrNotFinite, scores[i], i)
	}
	if mask == nil {
		for _, score := range scores {
			p.negatives.add(keyOf(score))
		}
		return nil
	}
	for i, score := range scores {
		if mask[i] != 0 {
			p.positives.add(keyOf(score))
		} else {
			p.negatives.add(keyOf(score))
		}
	}
	return nil
}

// Merge moves all that other has collected into p and leaves other empty. The
// metrics have the same bits as if p had collected everything, in any order.
func (p *Pooled) Merge(other *Pooled) {
	p.positives.take(&other.positives)
	p.negatives.take(&other.negatives)
}

// Counts returns the numbers of anomalous and of normal samples.
func (p *Pooled) Counts() (positives, negatives uint64) {
	return p.positives.size(), p.negatives.size()
}

// AUROC returns the area under the receiver operating characteristic over all
// collected samples, as the function AUROC does. The error wraps ErrOneClass.
func (p *Pooled) AUROC() (float64, error) {
	summary, err := p.Summary()
	if err != nil {
		return 0, fmt.Errorf("AUROC: %w", err)
	}
	return summary.AUROC, nil
}

// AP returns the average precision over all collected samples, as the function
// AP does. The error wraps ErrOneClass.
func (p *Pooled) AP() (float64, error) {
	summary, err := p.Summary()
	if err != nil {
		return 0, fmt.Errorf("AP: %w", err)
	}
	return summary.AP, nil
}

// Summary computes all metrics in one sweep, on all processors. It changes
// nothing: more may be added afterwards. The error is ErrOneClass.
func (p *Pooled) Summary() (Summary, error) {
	positives, negatives := p.Counts()
	if positives == 0 || negatives == 0 {
		return Summary{}, ErrOneClass
	}
	var area uint128 // twice the number of (anomalous, normal) pairs in the right order
	var tp uint64
	var precision float64 // summed over the anomalous samples
	for point := range p.points() {
		fp := point.above + point.negatives
		tp += point.positives
		area.addProduct(point.positives, 2*(negatives-fp)+point.negatives)
		// The conversion forbids a fused multiply-add: the same bits on every machine.
		precision += float64(float64(point.positives) * (float64(tp) / float64(tp+fp)))
	}
	return Summary{
		AUROC:     area.float64() / 2 / float64(positives) / float64(negatives),
		AP:        precision / float64(positives),
		Positives: positives,
		Negatives: negatives,
	}, nil
}

// uint128 is an exact sum: a thousand million pixels make more pairs than float64 can count.
type uint128 struct{ high, low uint64 }

func (u *uint128) addProduct(a, b uint64) {
	high, low := bits.Mul64(a, b)
	var carry uint64
	u.low, carry = bits.Add64(u.low, low, 0)
	u.high, _ = bits.Add64(u.high, high, carry)
}

func (u *uint128) float64() float64 { return float64(u.high)*(1<<64) + float64(u.low) }
