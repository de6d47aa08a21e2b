package parity

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"acdclip/pkg/plural"
)

// Verdict says in a sentence whether the format keeps to the bounds, and what differs.
func (r Result) Verdict() string {
	verdict := "keeps to the bounds"
	if missed := r.Missed(); missed != nil {
		verdict = "misses the bound of " + plural.And(missed)
	}
	text := fmt.Sprintf("%s %s on %s: maps differ by %.4f on average (bound %v) and by %.4f at most, image scores by %.4f and %.4f",
		r.Precision, verdict, plural.Of(r.Pictures, "picture", "pictures"), r.MapMean, MostMapMean, r.MapLargest, r.ScoreMean, r.ScoreLargest)
	if r.Spearman != nil {
		text += fmt.Sprintf("; the order of pictures is %s (rank correlation %.4f)", kept(*r.Spearman), floored(*r.Spearman))
	}
	if r.ImageAUROC != nil {
		text += fmt.Sprintf("; image AUROC changes by %s points (bound %v)", r.ImageAUROC.points(), MostPoints)
	}
	return text
}

// floored rounds down to four decimals, so that 1 means exactly the same order.
func floored(correlation float64) float64 { return math.Floor(1e4*correlation) / 1e4 }

// points shows the points of change with their sign, 0 as +0.00.
func (c Change) points() string { return fmt.Sprintf("%+.2f", math.Round(100*c.Points)/100+0) }

// kept says how well a rank correlation keeps an order.
func kept(correlation float64) string {
	switch {
	case correlation >= 1:
		return "the same"
	case correlation >= 0.99:
		return "almost the same"
	case correlation >= 0.9:
		return "similar"
	}
	return "another one"
}

// Table lists results, a column for each format.
func Table(results []Result) string {
	var b strings.Builder
	row := func(name string, value func(Result) string) {
		fmt.Fprintf(&b, "%-32s", name)
		for _, r := range results {
			fmt.Fprintf(&b, "%12s", value(r))
		}
		b.WriteByte('\n')
	}
	number := func(f func(Result) float64) func(Result) string {
		return func(r Result) string { return fmt.Sprintf("%.4f", f(r)) }
	}
	change := func(of func(Result) *Change, value func(Change) string) func(Result) string {
		return func(r Result) string {
			if c := of(r); c != nil {
				return value(*c)
			}
			return "n/a"
		}
	}
	row("compared with fp32", func(r Result) string { return r.Precision })
	row("map, mean difference", number(func(r Result) float64 { return r.MapMean }))
	row("map, largest difference", number(func(r Result) float64 { return r.MapLargest }))
	row("image score, mean difference", number(func(r Result) float64 { return r.ScoreMean }))
	row("image score, largest difference", number(func(r Result) float64 { return r.ScoreLargest }))
	row("rank correlation of scores", func(r Result) string {
		if r.Spearman == nil {
			return "n/a"
		}
		return fmt.Sprintf("%.4f", floored(*r.Spearman))
	})
	for _, metric := range []struct {
		name string
		of   func(Result) *Change
	}{{"image AUROC", func(r Result) *Change { return r.ImageAUROC }}, {"pixel AUROC", func(r Result) *Change { return r.PixelAUROC }}} {
		if !slices.ContainsFunc(results, func(r Result) bool { return metric.of(r) != nil }) {
			continue
		}
		row(metric.name+" in fp32", change(metric.of, func(c Change) string { return fmt.Sprintf("%.2f%%", 100*c.Single) }))
		row(metric.name, change(metric.of, func(c Change) string { return fmt.Sprintf("%.2f%%", 100*c.Other) }))
		row(metric.name+", points of change", change(metric.of, func(c Change) string { return c.points() }))
	}
	return b.String()
}
