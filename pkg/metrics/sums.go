package metrics

import "math/bits"

// What is summed is a whole number of units, so that neither the order nor the
// parts of a sum change it. These are the bits after the point.
const (
	weightBits    = 80 // of the weights of pixels; their sum, the number of regions, may reach 2^48
	precisionBits = 62
	shareBits     = 63 // of sums.share
)

// group is the samples that share one score, at least one of them anomalous. It
// is a point of every curve. Scores that only normal samples have need no point
// of their own: up to there ROC and PRO curves run level, and precision and F1
// only fall.
type group struct {
	key               uint32
	anomalous, normal uint64
	weight            uint128 // of the anomalous ones
	anomalousAbove    uint64  // samples that score higher
	normalAbove       uint64
}

// totals are the numbers of all samples, and how far a PRO curve goes.
type totals struct {
	anomalous, normal uint64
	regions           uint64
	limit             float64 // the largest false-positive rate
}

// sums add up what groups contribute to the metrics.
type sums struct {
	totals
	pairs     uint128 // twice the number of (anomalous, normal) pairs in the right order
	precision uint128 // at each anomalous sample
	best      f1
	pro       uint128 // area under the PRO curve, as a part of that of a perfect one, times the number of regions
}

func (s *sums) add(g group) {
	tp, fp := g.anomalousAbove+g.anomalous, g.normalAbove+g.normal
	s.pairs.add(product(g.anomalous, 2*(s.normal-fp)+g.normal))

	precision := float64(tp) / float64(tp+fp)
	s.precision.add(product(uint64(precision*(1<<precisionBits)), g.anomalous))

	s.best = s.best.better(f1{tp, tp + fp + s.anomalous, g.key})
	s.pro.add(g.weight.timesFraction(s.share(g)))
}

// share returns how much of the way to the limit the PRO curve has before it
// when it rises at g: slantwise where normal samples tie.
func (s *sums) share(g group) uint64 {
	end := float64(s.limit * float64(s.normal)) // in normal samples; the conversion forbids a fused multiply-add
	left := end - float64(g.normalAbove)
	tied := float64(g.normal)
	switch {
	case left <= 0:
		return 0
	case tied <= left:
		left -= tied / 2
	default:
		left *= left / (2 * tied) // the mean over the part of the slant up to the limit
	}
	return uint64(left / end * (1 << shareBits))
}

// merge adds what other groups of the same samples contribute.
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

// aupro undoes the units of weights and of shares; timesFraction has divided by 2^64.
func (s *sums) aupro() float64 {
	return s.pro.float64() / (1 << (weightBits + shareBits - 64)) / float64(s.regions)
}

// f1 is an F1 of 2 tp / of, at the score of key.
type f1 struct {
	tp, of uint64
	key    uint32
}

// better returns the larger F1, and of equal ones the one at the lower score.
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
