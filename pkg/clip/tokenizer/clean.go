package tokenizer

import (
	"regexp"
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
)

// cleaner is CLIP's text cleaning before splitting: the fixes of the Python package ftfy
// (except its repair of wrong decodings), unescaping HTML twice, collapsing white space,
// and lower case.
type cleaner struct {
	usual *strings.Replacer
}

func newCleaner() cleaner {
	return cleaner{usual: strings.NewReplacer(append(widths(), spellings[:]...)...)}
}

func (c cleaner) clean(text string) string {
	text = unescapeHTML(unescapeHTML(c.fixText(text)))
	text = strings.Join(strings.Fields(text), " ")
	return cases.Lower(language.Und, cases.HandleFinalSigma(true)).String(text)
}

// fixText fixes each line separately. From the first line with a "<" on, the text counts
// as HTML, and its entities are left for the following steps.
func (c cleaner) fixText(text string) string {
	var fixed strings.Builder
	entities := true
	for line := range strings.Lines(strings.ToValidUTF8(text, "\uFFFD")) {
		entities = entities && !strings.Contains(line, "<")
		fixed.WriteString(c.fixLine(line, entities))
	}
	return fixed.String()
}

// fixLine repeats the fixes until nothing changes, because one may expose text that another fixes.
func (c cleaner) fixLine(line string, entities bool) string {
	for {
		before := line
		if entities {
			line = unescapeEntities(line)
		}
		line = c.usual.Replace(strings.Map(fromC1, line))
		line = terminalEscape.ReplaceAllString(line, "")
		line = strings.Map(dropControl, line)
		line = norm.NFC.String(line)
		if line == before {
			return line
		}
	}
}

// windows1252 maps C1 controls, from text that was decoded as Latin-1, to the characters
// of the bytes 0x80 to 0x9F in Windows-1252. Five bytes are undefined and stay.
var windows1252 = [...]rune{
	'€', 0x81, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 0x8D, 'Ž', 0x8F,
	0x90, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', 0x9D, 'ž', 'Ÿ',
}

func fromC1(r rune) rune {
	if r >= 0x80 && r <= 0x9F {
		return windows1252[r-0x80]
	}
	return r
}

// terminalEscape matches a terminal color code.
var terminalEscape = regexp.MustCompile("\x1b\\[(?:\\p{Nd}|;)*[a-zA-Z]")

// dropControl removes invisible control characters except white space.
func dropControl(r rune) rune {
	switch {
	case r <= 0x08, r == 0x0B, r >= 0x0E && r <= 0x1F, r == 0x7F,
		r >= 0x206A && r <= 0x206F, // deprecated formatting
		r == 0xFEFF,                // byte order mark
		r >= 0xFFF9 && r <= 0xFFFC: // annotations and the object replacement
		return -1
	}
	return r
}

// spellings are pairs of replacements that expand Latin ligatures and normalise quotes and line ends.
var spellings = [...]string{
	"Ĳ", "IJ", "ĳ", "ij", "ŉ", "'n",
	"Ǳ", "DZ", "ǲ", "Dz", "ǳ", "dz", "Ǆ", "DŽ", "ǅ", "Dž", "ǆ", "dž",
	"Ǉ", "LJ", "ǈ", "Lj", "ǉ", "lj", "Ǌ", "NJ", "ǋ", "Nj", "ǌ", "nj",
	"ﬀ", "ff", "ﬁ", "fi", "ﬂ", "fl", "ﬃ", "ffi", "ﬄ", "ffl", "ﬅ", "ſt", "ﬆ", "st",
	"ʼ", "'", "‘", "'", "’", "'", "‚", "'", "‛", "'",
	"“", `"`, "”", `"`, "„", `"`, "‟", `"`,
	"\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n",
}

// widths returns pairs that replace the forms U+FF00 to U+FFEF, and the ideographic space, by their usual forms.
func widths() []string {
	pairs := []string{"\u3000", " "}
	for r := rune(0xFF01); r < 0xFFF0; r++ {
		if usual := norm.NFKC.String(string(r)); usual != string(r) {
			pairs = append(pairs, string(r), usual)
		}
	}
	return pairs
}
