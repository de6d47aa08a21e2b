package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/rivo/uniseg"
)

// Format names a way to show a result.
type Format string

// The formats.
const (
	FormatTable    Format = "table" // aligned text
	FormatMarkdown Format = "markdown"
	FormatLaTeX    Format = "latex" // a tabular with booktabs' rules
	FormatJSON     Format = "json"  // as results.json
)

// Formats lists what Write takes.
func Formats() []Format {
	return []Format{FormatTable, FormatMarkdown, FormatLaTeX, FormatJSON}
}

// Write writes the evaluation in the given format. Tables give percent.
func (e *Evaluation) Write(w io.Writer, format Format) error {
	return writeAs(w, format, e.table, e.WriteJSON)
}

// writeAs writes what is shown as a table, or its JSON.
func writeAs(w io.Writer, format Format, t func() *table, json func(io.Writer) error) error {
	var text string
	switch format {
	case FormatTable:
		text = t().text()
	case FormatMarkdown:
		text = t().markdown()
	case FormatLaTeX:
		text = t().latex()
	case FormatJSON:
		return json(w)
	default:
		return fmt.Errorf("results are shown as one of %q, not as %q", Formats(), format)
	}
	if _, err := io.WriteString(w, text); err != nil {
		return fmt.Errorf("writing the table: %w", err)
	}
	return nil
}

// table is a heading and sections of rows, each parted from the next by a rule.
type table struct {
	heading  []string
	names    int // leading columns that hold names; the others hold numbers
	sections [][][]string
	notes    []string
}

func (e *Evaluation) table() *table {
	t := &table{heading: []string{"target", "auxiliary"}}
	checkpoints := e.severalCheckpoints()
	if checkpoints {
		t.heading = append(t.heading, "checkpoint")
	}
	t.heading = append(t.heading, "class")
	t.names = len(t.heading)
	t.heading = append(t.heading, "normal", "anomalous")
	for _, metric := range metrics {
		t.heading = append(t.heading, metric.title)
	}
	failed, leak := 0, false
	for i := range e.Results {
		result := &e.Results[i]
		names := []string{result.Target, result.Checkpoint.Auxiliary}
		if result.Leak {
			leak = true
			names[1] += " (!)"
		}
		if checkpoints {
			names = append(names, result.Checkpoint.Path)
		}
		var section [][]string
		for _, row := range result.Classes {
			section = append(section, cells(names, row.Class, row.Counts, row.Metrics))
		}
		mean := result.Mean()
		section = append(section, cells(names, "mean", mean.Counts, mean.Metrics))
		t.sections = append(t.sections, section)
		failed += mean.Failed
	}
	t.notes = []string{"Metrics are in percent; n/a: not defined, and left out of means."}
	if leak {
		t.notes = append(t.notes, "(!): trained on the target itself or on files of it, so this is no zero-shot result.")
	}
	if failed > 0 {
		t.notes = append(t.notes, fmt.Sprintf("Pictures that could not be read and count nowhere: %d.", failed))
	}
	return t
}

// severalCheckpoints says whether a target was scored more than once, so that its rows need a checkpoint to tell them apart.
func (e *Evaluation) severalCheckpoints() bool {
	seen := map[string]bool{}
	for _, result := range e.Results {
		if seen[result.Target] {
			return true
		}
		seen[result.Target] = true
	}
	return false
}

func cells(names []string, class string, counts Counts, values Metrics) []string {
	var row []string
	for _, name := range names {
		row = append(row, printable(name))
	}
	row = append(row, printable(class), strconv.Itoa(counts.Normal), strconv.Itoa(counts.Anomalous))
	for _, metric := range metrics {
		row = append(row, percent(*metric.of(&values)))
	}
	return row
}

func percent(fraction *float64) string {
	if fraction == nil {
		return "n/a"
	}
	return strconv.FormatFloat(100**fraction, 'f', 2, 64)
}

// printable keeps a folder's name from steering the terminal or breaking a row.
func printable(name string) string {
	return strings.Map(func(r rune) rune {
		if strconv.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, name)
}

// text aligns the columns with spaces.
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
	line(t.heading)
	for _, section := range t.sections {
		line(rules)
		for _, row := range section {
			line(row)
		}
	}
	b.WriteByte('\n')
	for _, note := range t.notes {
		b.WriteString(note + "\n")
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
