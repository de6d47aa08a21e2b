package report

import (
	"fmt"
	"slices"
	"strings"

	"acdclip/pkg/domain"
	"acdclip/pkg/metrics"
	"acdclip/pkg/paper"
)

// comparedLevels are the tables of a comparison: each compares AUROC and AP of one level.
var comparedLevels = []struct {
	title     string
	level     paper.Level
	auroc, ap string // names of the metrics
}{
	{"Image level", paper.Image, metrics.ImageAUROC, metrics.ImageAP},
	{"Pixel level", paper.Pixel, metrics.PixelAUROC, metrics.PixelAP},
}

// Marks behind the two highest values of a target.
const (
	bestMark   = "*"
	secondMark = "+"
)

// severalMethods reports whether the results are of more than one method.
func severalMethods(all []*series) bool {
	return slices.ContainsFunc(all, func(s *series) bool { return s.first().Checkpoint.Method != all[0].first().Checkpoint.Method })
}

// comparisons builds a table per level in the form of the paper's Table 1: a column per
// model, and for each target the means here, the paper's figures and the differences.
func comparisons(all []*series) []*table {
	labels := labelsOf(all)
	targets := targetsOf(all)
	var tables []*table
	for _, of := range comparedLevels {
		t := &table{
			caption: fmt.Sprintf("%s: AUROC, AP", of.title), heading: append([]string{"domain", "target", ""}, labels...), names: 3, marked: true,
		}
		for _, target := range targets {
			byLabel := map[string]*series{}
			for _, s := range all {
				if s.first().Target == target {
					byLabel[s.label] = s
				}
			}
			if section := comparedSection(target, labels, byLabel, of.level, of.auroc, of.ap); section != nil {
				t.sections = append(t.sections, section)
			}
		}
		note := fmt.Sprintf("Means over classes in percent. %s: highest, %s: second highest of a target; n/a: undefined; -: the paper has no figure.", bestMark, secondMark)
		if slices.ContainsFunc(all, func(s *series) bool { return len(s.results) > 1 }) {
			note += " ±: the sample standard deviation over seeds."
		}
		t.notes = []string{note}
		if t.sections != nil {
			tables = append(tables, t)
		}
	}
	if tables == nil {
		return nil
	}
	last := tables[len(tables)-1]
	last.notes = append(last.notes, deviationsOf(all).notes()...)
	last.notes = append(last.notes, ruleNotes(all)...)
	last.notes = append(last.notes, "paper: "+paper.Source+". Results of pictures, models or sizes that differ from the paper's are not comparable with it.")
	if slices.ContainsFunc(all, func(s *series) bool { return s.first().Leak }) {
		last.notes = append(last.notes, leakNote)
	}
	return tables
}

// deviationsOf collects why results with figures in the paper are not comparable with them.
func deviationsOf(all []*series) *incomparable {
	var not incomparable
	for _, s := range all {
		if s.first().Benchmark != "" {
			not.add(s.first().Target, s.deviations())
		}
	}
	return &not
}

// labelsOf lists the labels in the order of the paper's columns, then of appearance.
func labelsOf(all []*series) []string {
	type column struct {
		label string
		place int
	}
	var columns []column
	for _, s := range all {
		if !slices.ContainsFunc(columns, func(c column) bool { return c.label == s.label }) {
			columns = append(columns, column{s.label, s.first().Checkpoint.paper().Column()})
		}
	}
	slices.SortStableFunc(columns, func(a, b column) int { return a.place - b.place })
	labels := make([]string, len(columns))
	for i, c := range columns {
		labels[i] = c.label
	}
	return labels
}

// targetsOf lists the targets, industrial ones first.
func targetsOf(all []*series) []string {
	var targets []string
	medical := map[string]int{}
	for _, s := range all {
		if target := s.first().Target; !slices.Contains(targets, target) {
			targets = append(targets, target)
			if s.first().Domain == string(domain.Medical) {
				medical[target] = 1
			}
		}
	}
	slices.SortStableFunc(targets, func(a, b string) int { return medical[a] - medical[b] })
	return targets
}

// comparedSection has a target's rows; nil if no model has the metrics.
func comparedSection(target string, labels []string, byLabel map[string]*series, level paper.Level, auroc, ap string) [][]string {
	name := printable(target)
	for _, s := range byLabel {
		if published := paper.Figures(s.first().Benchmark, level); published != nil && len(s.deviations()) > 0 {
			name = printable(target) + deviationMark
		}
	}
	here, theirs, difference := []string{"", name, "here"}, []string{"", "", "paper"}, []string{"", "", "difference"}
	var means [2][]spread // AUROC and AP by label
	var leaks []bool
	known, published := false, false
	for _, label := range labels {
		s := byLabel[label]
		var own [2]spread
		var figure paper.Figure
		var inPaper bool
		if s != nil {
			here[0] = s.first().Domain
			spreads := s.mean()
			own = [2]spread{spreads[auroc], spreads[ap]}
			if model := s.first().Checkpoint.paper(); !model.IsAblation() {
				figure, inPaper = model.Figure(s.first().Benchmark, level)
			}
			known = known || own[0].values != nil || own[1].values != nil
		}
		means[0], means[1] = append(means[0], own[0]), append(means[1], own[1])
		leaks = append(leaks, s != nil && s.first().Leak)
		if !inPaper {
			theirs, difference = append(theirs, "-"), append(difference, "-")
			continue
		}
		published = true
		theirs = append(theirs, fmt.Sprintf("%.1f, %.1f", 100*figure.AUROC, 100*figure.AP))
		difference = append(difference, differenceOf(own[0].mean(), figure.AUROC)+", "+differenceOf(own[1].mean(), figure.AP))
	}
	if !known {
		return nil
	}
	for i, label := range labels {
		if byLabel[label] == nil {
			here = append(here, "-")
			continue
		}
		cell := marked(means[0], leaks, i) + ", " + marked(means[1], leaks, i)
		if byLabel[label].first().Leak {
			cell += leakMark
		}
		here = append(here, cell)
	}
	if !published {
		return [][]string{here}
	}
	return [][]string{here, theirs, difference}
}

func differenceOf(own *float64, figure float64) string {
	if own == nil {
		return "n/a"
	}
	return fmt.Sprintf("%+.1f", 100*(*own-figure))
}

// marked formats the mean of index i, with the deviation over seeds if there are several,
// and a mark if it is the highest or second highest of those without a leak.
func marked(values []spread, leaks []bool, i int) string {
	own := values[i].mean()
	if own == nil {
		return "n/a"
	}
	text := fmt.Sprintf("%.1f", 100**own)
	if deviation := values[i].deviation(); deviation != nil {
		text += fmt.Sprintf("±%.1f", 100**deviation)
	}
	higher, others := map[float64]bool{}, 0
	for j, value := range values {
		mean := value.mean()
		if mean == nil || leaks[j] {
			continue
		}
		if j != i {
			others++
		}
		if *mean > *own {
			higher[*mean] = true
		}
	}
	switch {
	case others == 0 || leaks[i]:
		return text
	case len(higher) == 0:
		return text + bestMark
	case len(higher) == 1:
		return text + secondMark
	}
	return text
}

// latexMarks replaces the marks behind numbers by commands.
func latexMarks(cell string) string {
	parts := strings.Split(cell, ", ")
	for i, part := range parts {
		for mark, command := range map[string]string{bestMark: `\textbf{`, secondMark: `\underline{`} {
			number, leak := strings.CutSuffix(part, leakMark)
			if value, has := strings.CutSuffix(number, mark); has {
				parts[i] = command + value + "}"
				if leak {
					parts[i] += leakMark
				}
			}
		}
	}
	return strings.Join(parts, ", ")
}
