package report

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"acdclip/pkg/metrics"

	"github.com/rivo/uniseg"
)

// Format is an output format of results.
type Format string

// The formats.
const (
	FormatTable    Format = "table" // aligned text
	FormatMarkdown Format = "markdown"
	FormatLaTeX    Format = "latex" // a tabular with the rules of booktabs
	FormatJSON     Format = "json"  // the format of results.json
)

// Formats lists the formats that Write accepts.
func Formats() []Format {
	return []Format{FormatTable, FormatMarkdown, FormatLaTeX, FormatJSON}
}

// Write writes the evaluation in the given format. Metrics in tables are percentages.
// Results of several methods become comparisons in the form of the paper's Table 1, unless
// perClass is true: then every class has a row, as with one method.
func (e *Evaluation) Write(w io.Writer, format Format, perClass bool) error {
	return writeAs(w, format, func() []*table { return e.tables(perClass) }, e.WriteJSON)
}

// writeAs writes the tables in the given format, or calls json for FormatJSON.
func writeAs(w io.Writer, format Format, tables func() []*table, json func(io.Writer) error) error {
	var markup func(*table) string
	switch format {
	case FormatTable:
		markup = (*table).text
	case FormatMarkdown:
		markup = (*table).markdown
	case FormatLaTeX:
		markup = (*table).latex
	case FormatJSON:
		return json(w)
	default:
		return fmt.Errorf("unknown format for results: expected one of %q, got %q", Formats(), format)
	}
	var texts []string
	for _, t := range tables() {
		texts = append(texts, markup(t))
	}
	if _, err := io.WriteString(w, strings.Join(texts, "\n")); err != nil {
		return fmt.Errorf("writing the table: %w", err)
	}
	return nil
}

// only returns a function that lists one table.
func only(t func() *table) func() []*table {
	return func() []*table { return []*table{t()} }
}

// table is a heading and sections of rows separated by rules.
type table struct {
	caption    string // "" for none
	heading    []string
	names      int // leading columns that hold names; the others hold numbers
	sections   [][][]string
	lastIsMean bool // each section's last row is the mean of the others
	marked     bool // numbers may end in a mark; see bestMark
	notes      []string
}

// tables returns the table of metrics by class and, if there is one, the comparison with
// the paper; for several methods the comparison alone, unless perClass is true.
func (e *Evaluation) tables(perClass bool) []*table {
	all := e.allSeries()
	others := e.otherSeries(all)
	if severalMethods(all) {
		compared := comparisons(all, others)
		if len(compared) > 0 {
			last := compared[len(compared)-1]
			last.notes = append(last.notes, e.otherNotes()...)
		}
		if perClass || compared == nil {
			return append([]*table{e.table(all, others)}, compared...)
		}
		return compared
	}
	tables := []*table{e.table(all, others)}
	if beside := besidePaper(all, others); beside != nil {
		tables = append(tables, beside)
	}
	return tables
}

func (e *Evaluation) table(own, others []*series) *table {
	t := &table{heading: []string{"target", "auxiliary"}, lastIsMean: true}
	models := severalModels(own) || others != nil
	all := byTarget(slices.Concat(own, others))
	if models {
		t.heading = append(t.heading, "model")
	}
	t.heading = append(t.heading, "class")
	t.names = len(t.heading)
	t.heading = append(t.heading, "normal", "anomalous")
	for _, metric := range metrics.Table {
		t.heading = append(t.heading, metric.Title)
	}
	failed, leak, seeds := 0, false, false
	for _, s := range all {
		names := []string{s.first().Target, s.first().Checkpoint.Auxiliary}
		if s.first().Leak {
			leak = true
			names[1] += leakMark
		}
		if models {
			names = append(names, s.title())
		}
		var section [][]string
		for i, row := range s.first().Classes {
			section = append(section, cells(names, row.Class, row.Counts, s.class(i)))
		}
		section = append(section, cells(names, "mean", s.first().Mean().Counts, s.mean()))
		t.sections = append(t.sections, section)
		seeds = seeds || len(s.results) > 1
		for _, result := range s.results {
			failed += result.Mean().Failed
		}
	}
	t.notes = []string{"Metrics are in percent; n/a: undefined, left out of means."}
	if seeds {
		t.notes = append(t.notes, "±: the sample standard deviation over the seeds.")
	}
	if leak {
		t.notes = append(t.notes, leakNote)
	}
	t.notes = slices.Concat(t.notes, ruleNotes(own), e.otherNotes())
	if failed > 0 {
		t.notes = append(t.notes, fmt.Sprintf("Pictures that could not be read and are not counted: %d.", failed))
	}
	return t
}

// Table returns the result's metrics as texts, as Write shows them: a row for each class and,
// last, their mean.
func (r *Result) Table() (heading []string, rows [][]string) {
	all := &series{results: []*Result{r}}
	heading = []string{"class", "normal", "anomalous"}
	for _, metric := range metrics.Table {
		heading = append(heading, metric.Title)
	}
	for i, row := range r.Classes {
		rows = append(rows, cells(nil, row.Class, row.Counts, all.class(i)))
	}
	return heading, append(rows, cells(nil, "mean", r.Mean().Counts, all.mean()))
}

func cells(names []string, class string, counts Counts, values map[string]spread) []string {
	var row []string
	for _, name := range names {
		row = append(row, printable(name))
	}
	row = append(row, printable(class), strconv.Itoa(counts.Normal), strconv.Itoa(counts.Anomalous))
	for _, metric := range metrics.Table {
		row = append(row, values[metric.Name].percent())
	}
	return row
}

func percent(fraction *float64) string {
	if fraction == nil {
		return "n/a"
	}
	return strconv.FormatFloat(100**fraction, 'f', 2, 64)
}

// ruleNotes says whose image scores are not those of a picture alone.
func ruleNotes(all []*series) []string {
	var labels []string
	for _, s := range all {
		if s.first().ScoreRule != "" && !slices.Contains(labels, s.label) {
			labels = append(labels, s.label)
		}
	}
	if labels == nil {
		return nil
	}
	return []string{printable(strings.Join(labels, ", ")) + ": image scores are scaled by their range over all pictures of a class, so they are not those of a picture alone."}
}

// leakMark marks results of checkpoints that were trained on the target.
const (
	leakMark = " (!)"
	leakNote = "(!): trained on the target or some of its files, so the result is not zero-shot."
)

// printable replaces characters of a name that could control the terminal or break a row.
func printable(name string) string {
	return strings.Map(func(r rune) rune {
		if strconv.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, name)
}

// text formats the table as text with columns aligned by spaces.
func (t *table) text() string {
	widths := make([]int, len(t.heading))
	rules := make([]string, len(t.heading))
	for _, row := range t.allRows() {
		for i, cell := range row {
			widths[i] = max(widths[i], uniseg.StringWidth(cell))
		}
	}
	for i, width := range widths {
		if i == len(widths)-1 && i < t.names {
			width = uniseg.StringWidth(t.heading[i]) // a last column of text has no right edge
		}
		rules[i] = strings.Repeat("-", width)
	}
	var b strings.Builder
	line := func(row []string) {
		for i, cell := range row {
			space := strings.Repeat(" ", widths[i]-uniseg.StringWidth(cell))
			switch {
			case i >= t.names:
				cell = space + cell
			case i < len(row)-1:
				cell += space
			}
			if i > 0 {
				b.WriteString("  ")
			}
			b.WriteString(cell)
		}
		b.WriteByte('\n')
	}
	if t.caption != "" {
		b.WriteString(t.caption + "\n\n")
	}
	line(t.heading)
	for _, section := range t.sections {
		line(rules)
		for _, row := range section {
			line(row)
		}
	}
	b.WriteByte('\n')
	for _, note := range t.notes {
		b.WriteString(legend(note, bestMark, secondMark) + "\n")
	}
	return b.String()
}

func (t *table) allRows() [][]string {
	rows := [][]string{t.heading}
	for _, section := range t.sections {
		rows = append(rows, section...)
	}
	return rows
}
