// Package metrics computes the metrics of anomaly detection exactly: over all
// distinct float32 scores, with tied scores taken together as scikit-learn
// does, and never over bins.
//
// A score ranks how anomalous a picture (image level) or one pixel of an
// anomaly map (pixel level) is; higher is more anomalous. Scores are any finite
// float32 numbers, and only their order counts: -0 and +0 tie.
//
// Rank judges samples that are at hand; a Pixels collects maps and masks as
// they come, within a bound of memory. Their results have the same bits on
// every machine, in whatever order, parts and number of goroutines samples are
// taken, because all that is summed is summed in integers.
package metrics

import (
	"errors"
	"fmt"
)

var (
	// ErrOneClass says that a metric is not defined, because the labels are not
	// of both classes. Such a value is left out of means and shown as "n/a".
	ErrOneClass = errors.New("not defined: it needs both normal and anomalous labels")

	// ErrNotFinite says that a score is NaN or infinite.
	ErrNotFinite = errors.New("score is not finite")
)

// Ranking says how well scores part anomalous samples from normal ones.
type Ranking struct {
	// AUROC is the area under the receiver operating characteristic, in [0, 1]:
	// the trapezoid rule over the distinct scores, which equals the chance that
	// an anomalous sample scores higher than a normal one, ties counting half.
	AUROC float64

	// AP is the average precision, in (0, 1]: the sum of (R_k - R_(k-1)) P_k
	// over the distinct scores in falling order, R being recall and P precision,
	// with no interpolation.
	AP float64

	// F1Max is the largest F1, in (0, 1], that a threshold at one of the distinct
	// scores reaches. F1Threshold is that score: samples that score at least as
	// high are called anomalous. Of equally good ones it is the lowest.
	F1Max       float64
	F1Threshold float32

	Positives, Negatives uint64 // anomalous and normal samples
}

// Rank computes the ranking metrics of samples on all processors. labels[i] is
// true where scores[i] belongs to an anomalous sample. The error wraps
// ErrOneClass or ErrNotFinite, or says that the lengths differ.
func Rank(scores []float32, labels []bool) (Ranking, error) {
	if len(scores) != len(labels) {
		return Ranking{}, fmt.Errorf("%d scores, but %d labels", len(scores), len(labels))
	}
	p := newPool(boundsOf(unbounded, 0), spillInto(""))
	keys := make([]uint32, min(len(scores), samplesAtOnce))
	for from := 0; from < len(scores); from += samplesAtOnce {
		to := min(from+samplesAtOnce, len(scores))
		if i := toKeys(keys, scores[from:to]); i >= 0 {
			return Ranking{}, fmt.Errorf("%w: %v at index %d", ErrNotFinite, scores[from+i], from+i)
		}
		addSamples(p, keys, labels[from:to])
	}
	found, err := p.sweep(1)
	if err != nil {
		return Ranking{}, err
	}
	return found.ranking(), nil
}

const samplesAtOnce = 1 << 14

// addSamples adds the samples of keys, each a region of its own.
func addSamples(p *pool, keys []uint32, labels []bool) {
	var normal, anomalous [samplesAtOnce]uint32
	for len(labels) > 0 {
		n := min(len(labels), samplesAtOnce)
		normals := 0
		for i, label := range labels[:n] { // writes both and keeps one: labels are too irregular to branch on
			normal[normals], anomalous[i-normals] = keys[i], keys[i]
			if !label {
				normals++
			}
		}
		p.add(normal[:normals], 0)
		p.add(anomalous[:n-normals], 1)
		keys, labels = keys[n:], labels[n:]
	}
}

// AUROC returns Rank's AUROC.
func AUROC(scores []float32, labels []bool) (float64, error) {
	ranking, err := Rank(scores, labels)
	if err != nil {
		return 0, fmt.Errorf("AUROC: %w", err)
	}
	return ranking.AUROC, nil
}
