package report

import (
	"slices"
	"strings"
)

// markdown formats the table as GitHub-flavoured Markdown; mean rows are bold.
func (t *table) markdown() string {
	var b strings.Builder
	line := func(row []string) { b.WriteString("| " + strings.Join(row, " | ") + " |\n") }
	if t.caption != "" {
		b.WriteString(t.caption + "\n\n")
	}
	line(escaped(t.heading, markdownEscapes, "", "", false))
	rule := make([]string, len(t.heading))
	for i := range rule {
		rule[i] = "---"
		if i >= t.names {
			rule[i] = "---:"
		}
	}
	line(rule)
	for _, section := range t.sections {
		for i, row := range section {
			cells := escaped(row, markdownEscapes, "**", "**", t.lastIsMean && i == len(section)-1)
			t.decorate(cells, row, decoration{"**", "**"}, decoration{"*", "*"}, strings.NewReplacer(markdownEscapes...).Replace)
			line(cells)
		}
	}
	for _, note := range escaped(t.notes, markdownEscapes, "", "", false) {
		b.WriteString("\n" + legend(note, "bold", "italic") + "\n")
	}
	return b.String()
}

// latex formats the table as a tabular with the rules of the booktabs package; mean rows
// are bold. A table with marked numbers, which may be wide, is shrunk to the page by the
// adjustbox package.
func (t *table) latex() string {
	var b strings.Builder
	line := func(row []string) { b.WriteString(strings.Join(row, " & ") + " \\\\\n") }
	for _, note := range slices.Concat(compact(t.caption), t.notes) {
		b.WriteString("% " + legend(note, "bold", "underlined") + "\n")
	}
	open, end := "", ""
	if t.marked {
		b.WriteString("% It needs the packages booktabs and adjustbox.\n")
		open, end = "\\begin{adjustbox}{max width=\\textwidth}\n", "\\end{adjustbox}\n"
	}
	b.WriteString(open + "\\begin{tabular}{" + strings.Repeat("l", t.names) +
		strings.Repeat("r", len(t.heading)-t.names) + "}\n\\toprule\n")
	line(escaped(t.heading, latexEscapes, "", "", false))
	for _, section := range t.sections {
		b.WriteString("\\midrule\n")
		for i, row := range section {
			cells := escaped(row, latexEscapes, `\textbf{`, "}", t.lastIsMean && i == len(section)-1)
			t.decorate(cells, row, decoration{`\textbf{`, "}"}, decoration{`\underline{`, "}"}, latexNumber)
			line(cells)
		}
	}
	b.WriteString("\\bottomrule\n\\end{tabular}\n" + end)
	return b.String()
}

// decorate replaces the cells of numbers by those of row with decorated marks, if the
// table has marks.
func (t *table) decorate(cells, row []string, best, second decoration, escape func(string) string) {
	for j := t.names; j < len(cells) && t.marked; j++ {
		cells[j] = decorated(row[j], best, second, escape)
	}
}

// latexNumber escapes a number, with a minus sign instead of a hyphen.
func latexNumber(text string) string {
	escaped := strings.NewReplacer(latexEscapes...).Replace(text)
	if number, negative := strings.CutPrefix(escaped, "-"); negative && number != "" {
		return "$-$" + number
	}
	return escaped
}

// compact returns a list of the text, empty if the text is empty.
func compact(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

// escaped escapes each cell of a row and encloses it in open and end if bold is true.
func escaped(row []string, escapes []string, open, end string, bold bool) []string {
	replacer := strings.NewReplacer(escapes...)
	cells := make([]string, len(row))
	for i, cell := range row {
		cells[i] = replacer.Replace(cell)
		if bold && cell != "" {
			cells[i] = open + cells[i] + end
		}
	}
	return cells
}

var markdownEscapes = []string{
	`\`, `\\`, "|", `\|`, "*", `\*`, "_", `\_`, "`", "\\`", "<", "&lt;", "&", "&amp;", "[", `\[`, "]", `\]`,
}

var latexEscapes = []string{
	`\`, `\textbackslash{}`, "&", `\&`, "%", `\%`, "$", `\$`, "#", `\#`, "_", `\_`, "{", `\{`, "}", `\}`,
	"~", `\textasciitilde{}`, "^", `\textasciicircum{}`, "±", `$\pm$`, "|", `\textbar{}`, "<", `\textless{}`, ">", `\textgreater{}`,
}
