// Package metrics computes the metrics of anomaly detection exactly: over all distinct
// float32 scores, with ties handled like scikit-learn, and without binning.
//
// A score states how anomalous a picture (image level) or a pixel of an anomaly map (pixel
// level) is; higher is more anomalous. Scores may be any finite float32 numbers, and only
// their order matters: -0 and +0 tie.
//
// Rank computes metrics of samples in memory; Pixels collects maps and masks incrementally
// with limited memory. Results are bit-identical on every machine and for any order,
// division and number of goroutines, because all sums are integer sums.
package metrics

import (
	"errors"
	"fmt"
)

var (
	// ErrOneClass reports that a metric is undefined because the labels are all normal or
	// all anomalous. Such a value is excluded from means and shown as "n/a".
	ErrOneClass = errors.New("undefined: the metric needs both normal and anomalous labels")

	// ErrNotFinite reports a score that is NaN or infinite.
	ErrNotFinite = errors.New("score is not finite")
)

// Ranking is how well scores separate anomalous samples from normal ones.
type Ranking struct {
	// AUROC is the area under the receiver operating characteristic, in [0, 1], by
	// the trapezoid rule over the distinct scores. It equals the probability that an
	// anomalous sample scores higher than a normal one, with ties counting half.
	AUROC float64

	// AP is the average precision, in (0, 1]: the sum of (R_k - R_(k-1)) P_k over the
	// distinct scores in descending order, with recall R and precision P, without
	// interpolation.
	AP float64

	// F1Max is the maximum F1, in (0, 1], over thresholds at the distinct scores.
	// F1Threshold is the threshold that reaches it, the lowest if several do: samples
	// with at least this score count as anomalous.
	F1Max       float64
	F1Threshold float32

	Positives, Negatives uint64 // numbers of anomalous and normal samples
}

// Rank computes the ranking metrics of samples in parallel on all processors. labels[i] is
// true if scores[i] belongs to an anomalous sample. The error wraps ErrOneClass or
// ErrNotFinite, or reports that the lengths differ.
func Rank(scores []float32, labels []bool) (Ranking, error) {
	if len(scores) != len(labels) {
		return Ranking{}, fmt.Errorf("got %d scores but %d labels", len(scores), len(labels))
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

// addSamples adds the samples of keys, each as its own region.
func addSamples(p *pool, keys []uint32, labels []bool) {
	var normal, anomalous [samplesAtOnce]uint32
	for len(labels) > 0 {
		n := min(len(labels), samplesAtOnce)
		normals := 0
		for i, label := range labels[:n] { // writes both and advances one, which avoids unpredictable branches
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
