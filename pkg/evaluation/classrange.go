package evaluation

import (
	"math"

	"acdclip/pkg/config/section"
	"acdclip/pkg/report"
)

// applyRule replaces the scores of a class's pictures by those of the rule; see section.ScoreRule.
func (c *Class) applyRule(rule section.ScoreRule) {
	if rule != section.ClassRange {
		return
	}
	var probabilities, maxima []float64
	var scored []*report.Score
	for i := range c.Scores {
		if score := &c.Scores[i]; score.Error == "" {
			scored = append(scored, score)
			probabilities = append(probabilities, probabilityOf(score))
			maxima = append(maxima, maximumOf(score))
		}
	}
	toRange(probabilities)
	toRange(maxima)
	for i, score := range scored {
		sum := probabilities[i] + maxima[i]
		score.Score, score.RawScore = float32(sum/2), new(float32(sum))
		c.images[i] = score.Score
	}
}

// probabilityOf is a picture's class probability, or its score if the method has none.
func probabilityOf(score *report.Score) float64 {
	if score.ClassProbability == nil {
		return float64(score.Score)
	}
	return float64(*score.ClassProbability)
}

// maximumOf is the maximum of the method's own map.
func maximumOf(score *report.Score) float64 {
	if score.RawMapMax != nil {
		return float64(*score.RawMapMax)
	}
	return float64(score.MapMax)
}

// toRange scales values to [0, 1] by their minimum and maximum; equal values become 0.
func toRange(values []float64) {
	low, high := math.Inf(1), math.Inf(-1)
	for _, value := range values {
		low, high = min(low, value), max(high, value)
	}
	for i, value := range values {
		values[i] = 0
		if high > low {
			values[i] = (value - low) / (high - low)
		}
	}
}
