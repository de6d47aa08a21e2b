package report

import "testing"

// TestLatexEscapes checks that LaTeX prints each special character literally. Unescaped, |, < and > would print other signs.
func TestLatexEscapes(t *testing.T) {
	for text, want := range map[string]string{
		"a|b <c> d": `a\textbar{}b \textless{}c\textgreater{} d`, `\{_}`: `\textbackslash{}\{\_\}`, "5% & #1 $": `5\% \& \#1 \$`, "~^": `\textasciitilde{}\textasciicircum{}`, "1 ± 2": `1 $\pm$ 2`,
	} {
		if got := escaped([]string{text}, latexEscapes, "", "", false)[0]; got != want {
			t.Errorf("%s becomes %s, want %s", text, got, want)
		}
	}
}
