// Package calibration finds the scores from which pictures count as anomalous, from scores of
// pictures that are known to be good, or known to be good or bad. A threshold of t means that
// a picture with a score of at least t is anomalous.
package calibration

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"acdclip/pkg/metrics"
)

// Confidence is the probability with which an interval holds the true rate.
const Confidence = 0.95

// Threshold is a threshold and what to expect of it.
type Threshold struct {
	Value       float32 `json:"value"`
	FalseAlarms Rate    `json:"false_alarms"`     // share of good pictures that reach it
	Recall      *Rate   `json:"recall,omitempty"` // share of bad pictures that reach it; nil if there were none
}

// Rate is the share of pictures that reach a threshold.
type Rate struct {
	Seen float64 `json:"seen"` // of the pictures of the calibration
	// Low and High are the interval that holds the rate of further pictures of the same
	// kind with Confidence.
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

var (
	// ErrNoPictures reports a calibration without good pictures, or one that needs bad
	// pictures and has none.
	ErrNoPictures = errors.New("no pictures to calibrate with")
	// ErrSaturated reports scores of which too many are the largest possible.
	ErrSaturated = errors.New("no threshold is above enough of the scores")
	// ErrRate reports a rate that is not between 0 and 1.
	ErrRate = errors.New("the rate must be above 0 and below 1")
)

// TooFewError reports too few pictures for a rate.
type TooFewError struct {
	Kind       string  // "good" or "bad"
	Have, Need int     // pictures
	Rate       float64 // that was wanted
	Reachable  float64 // the nearest rate that Have pictures allow
}

func (e *TooFewError) Error() string {
	return fmt.Sprintf("%d %s pictures are too few for a rate of %.3g%%: it takes at least %d; with %d the rate can be %.3g%%",
		e.Have, e.Kind, 100*e.Rate, e.Need, e.Have, 100*e.Reachable)
}

// ForFalseAlarms returns the threshold that good pictures are expected to reach at the given
// rate, from scores of good pictures. Nothing is assumed about how scores are distributed: the
// threshold is the next number above one of the scores, so that the rate of further good
// pictures has a Beta distribution whose mean is at most the given rate. (With equal scores
// the rate is lower.) The error is a *TooFewError if no score is as rare as the rate.
func ForFalseAlarms(good []float32, rate float64) (Threshold, error) {
	if err := check(good, rate); err != nil {
		return Threshold{}, err
	}
	n := len(good)
	above := min(int(math.Floor(rate*float64(n+1)*(1+1e-12))), n) // expected of n+1 pictures
	if above < 1 {
		return Threshold{}, &TooFewError{"good", n, needed(rate), rate, 1 / float64(n+1)}
	}
	sorted := slices.Sorted(slices.Values(good))
	t := math.Nextafter32(sorted[n-above], 2)
	if t > 1 {
		return Threshold{}, fmt.Errorf("%w: %d of %d good pictures have the largest score, 1", ErrSaturated, reaching(good, 1), n)
	}
	return Threshold{Value: t, FalseAlarms: Rate{
		Seen: float64(reaching(good, t)) / float64(n),
		Low:  betaQuantile((1-Confidence)/2, above, n-above+1), High: betaQuantile((1+Confidence)/2, above, n-above+1),
	}}, nil
}

// ForRecall returns the highest threshold that bad pictures are expected to reach at the given
// rate, and what good pictures do at it. The error is a *TooFewError if there are too few bad
// pictures for the rate.
func ForRecall(good, bad []float32, rate float64) (Threshold, error) {
	if err := errors.Join(check(good, rate), check(bad, rate)); err != nil {
		return Threshold{}, err
	}
	n := len(bad)
	reach := int(math.Ceil(rate * float64(n+1) * (1 - 1e-12)))
	if reach > n {
		return Threshold{}, &TooFewError{"bad", n, needed(1 - rate), rate, float64(n) / float64(n+1)}
	}
	sorted := slices.Sorted(slices.Values(bad))
	t := sorted[n-reach]
	return Threshold{Value: t, FalseAlarms: Seen(good, t), Recall: &Rate{
		Seen: float64(reaching(bad, t)) / float64(n),
		Low:  betaQuantile((1-Confidence)/2, reach, n-reach+1), High: betaQuantile((1+Confidence)/2, reach, n-reach+1),
	}}, nil
}

// ForF1 returns the threshold with the largest F1 among these pictures. Its intervals do not
// take into account that the threshold was chosen on the same pictures.
func ForF1(good, bad []float32) (Threshold, error) {
	if err := errors.Join(check(good, 0.5), check(bad, 0.5)); err != nil {
		return Threshold{}, err
	}
	labels := make([]bool, len(good)+len(bad))
	for i := range bad {
		labels[len(good)+i] = true
	}
	ranking, err := metrics.Rank(slices.Concat(good, bad), labels)
	if err != nil {
		return Threshold{}, err
	}
	recall := Seen(bad, ranking.F1Threshold)
	return Threshold{Value: ranking.F1Threshold, FalseAlarms: Seen(good, ranking.F1Threshold), Recall: &recall}, nil
}

// ForPixelF1 returns the threshold with the largest F1 among the pixels of maps with masks, and
// that F1. Its rates are of pictures, whose values good and bad are the maxima of their maps:
// a picture reaches the threshold where any of its pixels does. The error is metrics.ErrOneClass
// if no pixel is anomalous, or none is normal.
func ForPixelF1(pixels *metrics.Pixels, good, bad []float32) (t Threshold, f1 float64, err error) {
	if err := errors.Join(check(good, 0.5), check(bad, 0.5)); err != nil {
		return Threshold{}, 0, err
	}
	summary, err := pixels.Summary()
	if err != nil {
		return Threshold{}, 0, err
	}
	recall := Seen(bad, summary.F1Threshold)
	return Threshold{Value: summary.F1Threshold, FalseAlarms: Seen(good, summary.F1Threshold), Recall: &recall}, summary.F1Max, nil
}

// needed returns the number of pictures of which one is expected beyond a score at a rate.
func needed(rate float64) int {
	return int(min(math.Ceil(1/rate*(1-1e-12))-1, math.MaxInt32))
}

func check(scores []float32, rate float64) error {
	switch {
	case !(rate > 0 && rate < 1):
		return ErrRate
	case len(scores) == 0:
		return ErrNoPictures
	}
	for i, score := range scores {
		if math.IsNaN(float64(score)) || math.IsInf(float64(score), 0) {
			return fmt.Errorf("%w: %v at index %d", metrics.ErrNotFinite, score, i)
		}
	}
	return nil
}

// reaching counts the scores of at least t.
func reaching(scores []float32, t float32) int {
	count := 0
	for _, score := range scores {
		if score >= t {
			count++
		}
	}
	return count
}

// Seen returns the share of scores that reach a threshold which does not depend on them, with
// the exact interval of Clopper and Pearson.
func Seen(scores []float32, t float32) Rate {
	n := len(scores)
	count := reaching(scores, t)
	rate := Rate{Seen: float64(count) / float64(n), High: 1}
	if count > 0 {
		rate.Low = betaQuantile((1-Confidence)/2, count, n-count+1)
	}
	if count < n {
		rate.High = betaQuantile((1+Confidence)/2, count+1, n-count)
	}
	return rate
}

func betaQuantile(p float64, a, b int) float64 {
	return distuv.Beta{Alpha: float64(a), Beta: float64(b)}.Quantile(p)
}
