package ui

import (
	"fmt"
	"strings"

	"acdclip/pkg/events"
	"acdclip/pkg/plural"
)

// describeStep returns descriptions of a training step, from long to short.
func describeStep(step events.TrainStep, left string) []string {
	var rates, shortRates, shortParts []string
	for _, rate := range step.LearningRates {
		rates = append(rates, fmt.Sprintf("%s %.3g", rate.Name, rate.Value))
		shortRates = append(shortRates, fmt.Sprintf("%.2g", rate.Value))
	}
	for _, part := range step.Parts {
		shortParts = append(shortParts, fmt.Sprintf("%.3f", part.Value))
	}
	parts := strings.Join(shortParts, " ")
	return []string{
		fmt.Sprintf("epoch %d, loss %s, learning rates %s, %.1f pictures a second, %s",
			step.Epoch, describeLoss(step.Loss, step.Parts), strings.Join(rates, ", "), step.PicturesPerSecond, left),
		fmt.Sprintf("epoch %d, loss %.4f (%s), rates %s, %.1f pictures/s, %s", step.Epoch, step.Loss, parts, strings.Join(shortRates, " "), step.PicturesPerSecond, left),
		fmt.Sprintf("epoch %d, loss %.3f (%s), lr %s, %.1f/s, %s", step.Epoch, step.Loss, parts, strings.Join(shortRates, " "), step.PicturesPerSecond, left),
		fmt.Sprintf("epoch %d, loss %.3f (%s), %.1f/s, %s", step.Epoch, step.Loss, parts, step.PicturesPerSecond, left),
		fmt.Sprintf("loss %.3f, %s", step.Loss, left),
	}
}

// describeLoss formats a loss as "1.2345 (focal 0.1000, dice 0.9000)".
func describeLoss(loss float64, parts events.Values) string {
	terms := make([]string, len(parts))
	for i, part := range parts {
		terms[i] = fmt.Sprintf("%s %.4f", part.Name, part.Value)
	}
	return fmt.Sprintf("%.4f (%s)", loss, strings.Join(terms, ", "))
}

// describeValidation formats the metrics on held-out pictures, in percent.
func describeValidation(v events.Validation) string {
	percent := func(fraction *float64) string {
		if fraction == nil {
			return "n/a"
		}
		return fmt.Sprintf("%.2f", 100**fraction)
	}
	best := ""
	if v.Best {
		best = ", the best so far"
	}
	return fmt.Sprintf("epoch %d on held-out %s: image AUROC %s, pixel AUROC %s, mean %s in %s%s%s",
		v.Epoch, plural.Few(v.HeldOut), percent(v.ImageAUROC), percent(v.PixelAUROC), percent(v.Mean), Duration(v.Seconds), describeSkipped(v.Skipped, 0), best)
}

// describeCosts describes how an evaluation spent its time.
func describeCosts(c events.Costs) string {
	return fmt.Sprintf("time: %s, of which the model took %s and waited for pictures %s; at the same time, reading took %s and metrics %s",
		Duration(c.Total), Duration(c.Model), Duration(c.Waiting), Duration(c.Reading), Duration(c.Metrics))
}

// describeSkipped returns ", 3 pictures and 1 step skipped", or "" for none.
func describeSkipped(pictures, steps int) string {
	var list []string
	if pictures > 0 {
		list = append(list, plural.Of(pictures, "picture", "pictures"))
	}
	if steps > 0 {
		list = append(list, plural.Of(steps, "step", "steps"))
	}
	if list == nil {
		return ""
	}
	return ", " + strings.Join(list, " and ") + " skipped"
}
