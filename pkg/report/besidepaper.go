package report

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"acdclip/pkg/metrics"
	"acdclip/pkg/paper"
)

// compared are the metrics that the paper prints.
var compared = []paperMetric{
	{metrics.ImageAUROC, paper.Image, true}, {metrics.ImageAP, paper.Image, false}, {metrics.PixelAUROC, paper.Pixel, true}, {metrics.PixelAP, paper.Pixel, false},
}

type paperMetric struct {
	name  string
	level paper.Level
	auroc bool // else AP
}

func (m paperMetric) figure(f paper.Figure) float64 {
	if m.auroc {
		return f.AUROC
	}
	return f.AP
}

// expected returns the paper's figure for exactly the result's model: Table 1's, or Table
// 2's AUROC for an ablation; nil if the paper has none.
func (r *Result) expected(m paperMetric) *float64 {
	model := r.Checkpoint.paper()
	figure, known := model.Figure(r.Benchmark, m.level)
	if !known || model.IsAblation() && !m.auroc {
		return nil
	}
	return new(m.figure(figure))
}

// comparison is the comparison with the paper in results.json.
type comparison struct {
	Source     string             `json:"source"`
	Image      []methodFigure     `json:"image,omitempty"`
	Pixel      []methodFigure     `json:"pixel,omitempty"`
	Difference map[string]float64 `json:"difference"` // by metric: the mean row minus the paper's figure for the same model
}

// titleOf returns a metric's title in tables.
func titleOf(name string) string {
	for _, metric := range metrics.Table {
		if metric.Name == name {
			return metric.Title
		}
	}
	return name
}

type methodFigure struct {
	Method string  `json:"method"`
	AUROC  float64 `json:"auroc"`
	AP     float64 `json:"ap"`
}

// compare compares the result's means with the paper's figures; nil if the paper has none.
func (r *Result) compare() *comparison {
	c := &comparison{Source: paper.Source, Difference: map[string]float64{}}
	for _, f := range paper.Figures(r.Benchmark, paper.Image) {
		c.Image = append(c.Image, methodFigure(f))
	}
	for _, f := range paper.Figures(r.Benchmark, paper.Pixel) {
		c.Pixel = append(c.Pixel, methodFigure(f))
	}
	if c.Image == nil && c.Pixel == nil {
		return nil
	}
	if r.Checkpoint.paper().IsAblation() {
		c.Source += "; the difference is to " + paper.AblationSource
	}
	mean := r.Mean()
	for _, m := range compared {
		if ours, theirs := mean.Metrics.Get(m.name), r.expected(m); ours != nil && theirs != nil {
			c.Difference[m.name] = *ours - *theirs
		}
	}
	return c
}

// besidePaper builds the table of means and the paper's figures; nil if the paper has no
// figures for any target. Other methods have a column each.
func besidePaper(all, others []*series) *table {
	t := &table{caption: "Comparison with the paper:", heading: []string{"target", "metric"}, names: 2}
	t.heading = append(t.heading, paper.Methods()...)
	var labels, targets []string
	ablation := map[string]bool{} // by label
	for _, s := range all {
		if !slices.Contains(labels, s.label) {
			labels = append(labels, s.label)
			ablation[s.label] = s.first().Checkpoint.paper().IsAblation()
			t.heading = append(t.heading, printable(s.label)+" here")
			if ablation[s.label] {
				t.heading = append(t.heading, "Table 2")
			}
			t.heading = append(t.heading, "difference")
		}
		if !slices.Contains(targets, s.first().Target) {
			targets = append(targets, s.first().Target)
		}
	}
	otherLabels := otherColumns(others)
	for _, label := range otherLabels {
		t.heading = append(t.heading, printable(label))
	}
	var not incomparable
	for _, target := range targets {
		b := beside{target: target, byLabel: map[string]*series{}, others: map[string]*series{}}
		for _, s := range others {
			if s.first().Target == target {
				b.others[s.label] = s
			}
		}
		for _, s := range all {
			if s.first().Target == target {
				b.byLabel[s.label] = s
				b.deviations = append(b.deviations, s.deviations()...)
			}
		}
		section := b.section(labels, otherLabels, ablation)
		if section == nil {
			continue
		}
		t.sections = append(t.sections, section)
		not.add(target, b.deviations)
	}
	if t.sections == nil {
		return nil
	}
	t.notes = []string{
		"Means in percent. " + paper.Source + ". The difference is to the paper's figure for the same N, if there is one; for an ablation to " + paper.AblationSource + ", which gives only AUROC.",
	}
	t.notes = append(t.notes, not.notes()...)
	return t
}

// deviationMark marks targets whose results are not comparable with the paper.
const deviationMark = " (~)"

// incomparable collects why targets are not comparable with the paper.
type incomparable struct{ targets map[string][]string } // by reason

func (n *incomparable) add(target string, reasons []string) {
	if n.targets == nil {
		n.targets = map[string][]string{}
	}
	for _, reason := range reasons {
		if !slices.Contains(n.targets[reason], target) {
			n.targets[reason] = append(n.targets[reason], target)
		}
	}
}

// has reports whether a target's results are not comparable.
func (n *incomparable) has(target string) bool {
	for _, targets := range n.targets {
		if slices.Contains(targets, target) {
			return true
		}
	}
	return false
}

// sort sorts the targets.
func (n *incomparable) sort() {
	for _, targets := range n.targets {
		slices.Sort(targets)
	}
}

// notes explains the mark; it returns nil if no target has one.
func (n *incomparable) notes() []string {
	if len(n.targets) == 0 {
		return nil
	}
	notes := []string{"(~) is not comparable with the paper:"}
	for _, reason := range slices.Sorted(maps.Keys(n.targets)) {
		notes = append(notes, "  "+printable(strings.Join(n.targets[reason], ", ")+": "+reason))
	}
	return notes
}

// deviations lists the reasons why the series is not comparable with the paper.
func (s *series) deviations() []string {
	var list []string
	for _, result := range s.results {
		list = append(list, result.Deviations...)
		if result.Mean().Failed > 0 {
			list = append(list, "some pictures could not be read")
		}
	}
	return list
}

// beside is one target in the comparison.
type beside struct {
	target     string
	byLabel    map[string]*series
	others     map[string]*series // other methods by label
	deviations []string           // why it is not comparable
}

// section has a row for each metric that the paper prints for the target.
func (b *beside) section(labels, others []string, ablation map[string]bool) [][]string {
	name := printable(b.target)
	if len(b.deviations) > 0 {
		name += deviationMark
	}
	var section [][]string
	for _, m := range compared {
		figures := paper.Figures(b.benchmark(), m.level)
		if figures == nil {
			continue
		}
		row := []string{name, titleOf(m.name)}
		for _, f := range figures {
			row = append(row, strconv.FormatFloat(100*m.figure(f), 'f', 1, 64))
		}
		for _, label := range labels {
			row = append(row, b.ours(label, m, ablation[label])...)
		}
		for _, label := range others {
			cell := "-"
			if s, given := b.others[label]; given {
				cell = s.mean()[m.name].percent()
			}
			row = append(row, cell)
		}
		section = append(section, row)
	}
	return section
}

func (b *beside) benchmark() string {
	for _, s := range b.byLabel {
		return s.first().Benchmark // all are of one target
	}
	return ""
}

// ours returns a label's mean of a metric, for ablations the paper's figure, and the difference.
func (b *beside) ours(label string, m paperMetric, ablation bool) []string {
	ours, theirs, difference := "-", "-", "-"
	if s, scored := b.byLabel[label]; scored {
		over := s.mean()[m.name]
		ours = over.percent()
		figure, mean := s.first().expected(m), over.mean()
		if figure != nil {
			theirs = strconv.FormatFloat(100**figure, 'f', 1, 64)
		}
		if figure != nil && mean != nil {
			difference = fmt.Sprintf("%+.2f", 100*(*mean-*figure))
		}
	}
	if ablation {
		return []string{ours, theirs, difference}
	}
	return []string{ours, difference}
}
