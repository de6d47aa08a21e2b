package metrics

import "math/bits"

// Sums are fixed-point integers, so that they do not depend on the order or division of
// the summation. These are the numbers of fractional bits.
const (
	weightBits    = 80 // of the pixels' weights; their sum, the number of regions, may reach 2^48
	precisionBits = 62
	shareBits     = 63 // of sums.share
)

// group is the samples with the same score, at least one of them anomalous. It is a point
// of every curve. Scores of only normal samples need no point: there the ROC and PRO
// curves are horizontal, and precision and F1 only decrease.
type group struct {
	key               uint32
	anomalous, normal uint64
	weight            uint128 // weight of the anomalous samples
	anomalousAbove    uint64  // number of samples with higher scores
	normalAbove       uint64
}

// totals are the numbers of all samples, and the limit of the PRO curve.
type totals struct {
	anomalous, normal uint64
	regions           uint64
	limit             float64 // maximum false-positive rate
}

// sums are the sums of the groups' contributions to the metrics.
type sums struct {
	totals
	pairs     uint128 // twice the number of (anomalous, normal) pairs in the right order
	precision uint128 // sum of the precision at each anomalous sample
	best      f1
	pro       uint128 // area under the PRO curve, relative to that of a perfect curve, times the number of regions
}

func (s *sums) add(g group) {
	tp, fp := g.anomalousAbove+g.anomalous, g.normalAbove+g.normal
	s.pairs.add(product(g.anomalous, 2*(s.normal-fp)+g.normal))

	precision := float64(tp) / float64(tp+fp)
	s.precision.add(product(uint64(precision*(1<<precisionBits)), g.anomalous))

	s.best = s.best.better(f1{tp, tp + fp + s.anomalous, g.key})
	s.pro.add(g.weight.timesFraction(s.share(g)))
}

// share returns the remaining fraction of the way to the FPR limit at which the PRO curve
// rises at g. If normal samples tie with g, the curve rises linearly.
func (s *sums) share(g group) uint64 {
	end := float64(s.limit * float64(s.normal)) // in normal samples; the conversion prevents a fused multiply-add
	left := end - float64(g.normalAbove)
	tied := float64(g.normal)
	switch {
	case left <= 0:
		return 0
	case tied <= left:
		left -= tied / 2
	default:
		left *= left / (2 * tied) // the mean over the part of the linear rise up to the limit
	}
	return uint64(left / end * (1 << shareBits))
}

// merge adds the contributions of other groups of the same samples.
func (s *sums) merge(other sums) {
	s.pairs.add(other.pairs)
	s.precision.add(other.precision)
	s.best = s.best.better(other.best)
	s.pro.add(other.pro)
}

func (s *sums) ranking() Ranking {
	return Ranking{
		AUROC:       s.pairs.float64() / 2 / float64(s.anomalous) / float64(s.normal),
		AP:          s.precision.float64() / (1 << precisionBits) / float64(s.anomalous),
		F1Max:       2 * float64(s.best.tp) / float64(s.best.of),
		F1Threshold: scoreOf(s.best.key),
		Positives:   s.anomalous,
		Negatives:   s.normal,
	}
}

// aupro converts the fixed-point sum to AUPRO; timesFraction has already divided by 2^64.
func (s *sums) aupro() float64 {
	return s.pro.float64() / (1 << (weightBits + shareBits - 64)) / float64(s.regions)
}

// f1 is the F1 2*tp/of at the score of key.
type f1 struct {
	tp, of uint64
	key    uint32
}

// better returns the larger F1; if they are equal, the one at the lower score.
func (a f1) better(b f1) f1 {
	left, right := product(a.tp, b.of), product(b.tp, a.of)
	switch {
	case left.less(right):
		return b
	case right.less(left):
		return a
	case a.of == 0 || b.of != 0 && b.key > a.key:
		return b
	}
	return a
}

// weightOf returns 1 / size, the weight of a pixel of a region of size pixels.
func weightOf(size uint32) uint128 {
	const high = 1 << (weightBits - 64)
	low, _ := bits.Div64(high%uint64(size), 0, uint64(size))
	return uint128{high / uint64(size), low}
}
