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

// Marks behind the two highest values of a target, and what notes say in their place: each
// format shows marks in its own way.
const (
	bestMark     = "*"
	secondMark   = "+"
	bestLegend   = "{best}"
	secondLegend = "{second}"
)

// legend replaces the legends of a note.
func legend(note, best, second string) string {
	return strings.NewReplacer(bestLegend, best, secondLegend, second).Replace(note)
}

// severalMethods reports whether the results are of more than one method.
func severalMethods(all []*series) bool {
	return slices.ContainsFunc(all, func(s *series) bool { return s.first().Checkpoint.Method != all[0].first().Checkpoint.Method })
}

// comparisons builds a table per level in the form of the paper's Table 1: a column per
// model and other method, and for each target the means here, the paper's figures and the
// differences.
func comparisons(all, others []*series) []*table {
	shown := slices.Concat(all, others)
	columns := columnsOf(shown)
	heading := []string{"domain", "target", ""}
	for _, c := range columns {
		heading = append(heading, c.label)
	}
	not := deviationsOf(all)
	var tables []*table
	for _, of := range comparedLevels {
		t := &table{caption: fmt.Sprintf("%s: AUROC, AP", of.title), heading: heading, names: 3, marked: true}
		for _, target := range targetsOf(all) {
			row := comparedTarget{target: target, columns: columns, level: of.level, auroc: of.auroc, ap: of.ap, byLabel: map[string]*series{}}
			for _, s := range shown {
				if s.first().Target == target {
					row.byLabel[s.label], row.benchmark = s, s.first().Benchmark
				}
			}
			if section := row.section(not.has(target)); section != nil {
				t.sections = append(t.sections, section)
			}
		}
		note := fmt.Sprintf("Means over classes in percent; %s: highest, %s: second highest of a target; n/a: undefined; -: not scored, or not in the paper.", bestLegend, secondLegend)
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
	last.notes = slices.Concat(last.notes, modelNotes(columns), not.notes(), ruleNotes(all),
		[]string{"paper: " + paper.Source + ". Results of pictures, models or sizes that differ from the paper's are not comparable with it."})
	if slices.ContainsFunc(all, func(s *series) bool { return s.first().Leak }) {
		last.notes = append(last.notes, leakNote)
	}
	return tables
}

// deviationsOf collects why results on benchmarks are not comparable with the paper's. A
// reason that is not every model's names the models.
func deviationsOf(all []*series) *incomparable {
	having := map[[2]string][]string{} // labels by target and reason
	scored := map[string]int{}
	for _, s := range all {
		target := s.first().Target
		scored[target]++
		for _, reason := range s.deviations() {
			key := [2]string{target, reason}
			if s.first().Benchmark != "" && !slices.Contains(having[key], s.label) {
				having[key] = append(having[key], s.label)
			}
		}
	}
	var not incomparable
	for key, labels := range having {
		reason := key[1]
		if len(labels) < scored[key[0]] {
			reason += " (" + strings.Join(labels, ", ") + ")"
		}
		not.add(key[0], []string{reason})
	}
	not.sort()
	return &not
}

// modelColumn is the column of a model.
type modelColumn struct {
	label string
	of    Checkpoint // one of its checkpoints
}

// columnsOf lists the models in the order of the paper's columns, then of appearance.
func columnsOf(all []*series) []modelColumn {
	var columns []modelColumn
	for _, s := range all {
		if !slices.ContainsFunc(columns, func(c modelColumn) bool { return c.label == s.label }) {
			columns = append(columns, modelColumn{s.label, s.first().Checkpoint})
		}
	}
	slices.SortStableFunc(columns, func(a, b modelColumn) int { return a.of.paper().Column() - b.of.paper().Column() })
	return columns
}

// modelNotes says what the models are that have names of the user's.
func modelNotes(columns []modelColumn) []string {
	var texts []string
	for _, c := range columns {
		if c.of.Model != "" {
			texts = append(texts, fmt.Sprintf("%s is %s %s, preset %s", c.label, c.of.Method, c.of.label(c.of.paper().IsAblation()), c.of.Preset))
		}
	}
	if texts == nil {
		return nil
	}
	return []string{printable(strings.Join(texts, "; ") + ".")}
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

// comparedTarget is a target of a comparison at one level.
type comparedTarget struct {
	target, benchmark string // benchmark: its key; "" for other datasets
	columns           []modelColumn
	byLabel           map[string]*series // of the models that scored it
	level             paper.Level
	auroc, ap         string // names of the metrics
}

// section has the target's rows; nil if no model has the metrics. deviates says that some
// result is not comparable with the paper's.
func (c comparedTarget) section(deviates bool) [][]string {
	domain := ""
	var means [2][]spread // AUROC and AP by column
	var leaks []bool
	known := false
	for _, column := range c.columns {
		var own [2]spread
		s := c.byLabel[column.label]
		if s != nil {
			domain = s.first().Domain
			spreads := s.mean()
			own = [2]spread{spreads[c.auroc], spreads[c.ap]}
			known = known || own[0].values != nil || own[1].values != nil
		}
		means[0], means[1] = append(means[0], own[0]), append(means[1], own[1])
		leaks = append(leaks, s != nil && s.first().Leak)
	}
	if !known {
		return nil
	}
	name := printable(c.target)
	if deviates && paper.Figures(c.benchmark, c.level) != nil {
		name += deviationMark
	}
	here, theirs, difference := []string{domain, name, "here"}, []string{"", "", "paper"}, []string{"", "", "difference"}
	published := false
	for i, column := range c.columns {
		cell, figures, away := "-", "-", "-"
		if c.byLabel[column.label] != nil {
			cell = marked(means[0], leaks, i) + ", " + marked(means[1], leaks, i)
			if leaks[i] {
				cell += leakMark
			}
		}
		if figure, inPaper := c.figure(column); inPaper {
			published = true
			figures = fmt.Sprintf("%.1f, %.1f", 100*figure.AUROC, 100*figure.AP)
			if c.byLabel[column.label] != nil {
				away = differenceOf(means[0][i].mean(), figure.AUROC) + ", " + differenceOf(means[1][i].mean(), figure.AP)
			}
		}
		here, theirs, difference = append(here, cell), append(theirs, figures), append(difference, away)
	}
	if !published {
		return [][]string{here}
	}
	return [][]string{here, theirs, difference}
}

// figure is the paper's for a model; Table 1 has none for ablations.
func (c comparedTarget) figure(column modelColumn) (paper.Figure, bool) {
	model := column.of.paper()
	if model.IsAblation() {
		return paper.Figure{}, false
	}
	return model.Figure(c.benchmark, c.level)
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

// decoration is how a format shows a mark.
type decoration struct{ open, end string }

// decorated replaces the marks of a cell, and escapes the rest.
func decorated(cell string, best, second decoration, escape func(string) string) string {
	parts := strings.Split(cell, ", ")
	for i, part := range parts {
		number, leak := strings.CutSuffix(part, leakMark)
		shown := decoration{}
		for mark, as := range map[string]decoration{bestMark: best, secondMark: second} {
			if value, has := strings.CutSuffix(number, mark); has {
				number, shown = value, as
				break
			}
		}
		parts[i] = shown.open + escape(number) + shown.end
		if leak {
			parts[i] += escape(leakMark)
		}
	}
	return strings.Join(parts, ", ")
}
