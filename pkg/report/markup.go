package report

import "strings"

// markdown is a pipe table as GitHub reads it; mean rows are bold.
func (t *table) markdown() string {
	var b strings.Builder
	line := func(row []string) { b.WriteString("| " + strings.Join(row, " | ") + " |\n") }
	line(t.heading)
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
			line(escaped(row, markdownEscapes, "**", "**", i == len(section)-1))
		}
	}
	for _, note := range t.notes {
		b.WriteString("\n" + note + "\n")
	}
	return b.String()
}

// latex is a tabular with the rules of the booktabs package; mean rows are bold.
func (t *table) latex() string {
	var b strings.Builder
	line := func(row []string) { b.WriteString(strings.Join(row, " & ") + " \\\\\n") }
	for _, note := range t.notes {
		b.WriteString("% " + note + "\n")
	}
	b.WriteString("\\begin{tabular}{" + strings.Repeat("l", t.names) +
		strings.Repeat("r", len(t.heading)-t.names) + "}\n\\toprule\n")
	line(t.heading)
	for _, section := range t.sections {
		b.WriteString("\\midrule\n")
		for i, row := range section {
			line(escaped(row, latexEscapes, `\textbf{`, "}", i == len(section)-1))
		}
	}
	b.WriteString("\\bottomrule\n\\end{tabular}\n")
	return b.String()
}

// escaped escapes each cell of a row, and sets it in bold where asked to.
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
	"~", `\textasciitilde{}`, "^", `\textasciicircum{}`,
}
