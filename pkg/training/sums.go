package training

import (
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/events"
)

// learned adds a step that updated the parameters to an epoch's sums.
func learned(sums checkpoint.Sums, loss float64, parts events.Values, pictures []pixels.Picture) checkpoint.Sums {
	sums = seen(sums, pictures)
	count := float64(len(pictures))
	sums.Learned += len(pictures)
	sums.SkippedInRow = 0
	sums.Loss += loss * count
	terms := make([]checkpoint.Term, len(parts))
	for i, part := range parts {
		terms[i] = checkpoint.Term{Name: part.Name, Sum: part.Value * count}
		if i < len(sums.Terms) {
			terms[i].Sum += sums.Terms[i].Sum
		}
	}
	sums.Terms = terms
	return sums
}

// leftOut adds a skipped step to an epoch's sums.
func leftOut(sums checkpoint.Sums, pictures []pixels.Picture) checkpoint.Sums {
	sums = seen(sums, pictures)
	sums.SkippedSteps++
	sums.SkippedInRow++
	return sums
}

func seen(sums checkpoint.Sums, pictures []pixels.Picture) checkpoint.Sums {
	sums.Readable += len(pictures)
	for _, picture := range pictures {
		if picture.Item.Anomalous {
			sums.Anomalous++
		}
	}
	return sums
}
