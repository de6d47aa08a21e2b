package report

import (
	"encoding/csv"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// unescaped reverses EscapeName as the README describes.
func unescaped(text string) string {
	var name strings.Builder
	for i := 0; i < len(text); i++ {
		if isEscape(text[i:]) {
			value, _ := strconv.ParseUint(text[i+2:i+4], 16, 8) // isEscape has looked at it
			name.WriteByte(byte(value))
			i += 3
			continue
		}
		name.WriteByte(text[i])
	}
	return name.String()
}

func TestEscapeName(t *testing.T) {
	for name, want := range map[string]string{
		"":                 "",
		"a/b c.png":        "a/b c.png",
		"螺丝 ü.png":         "螺丝 ü.png",
		"=cmd|'calc'!A1":   "=cmd|'calc'!A1",
		"a\xffb":           `a\xffb`,
		"a\nb\x7f":         `a\x0ab\x7f`,
		`back\slash`:       `back\slash`,
		`a\xffb`:           `a\x5cxffb`,
		`a\x5cxffb`:        `a\x5cx5cxffb`,
		`a\x+1`:            `a\x+1`,
		"a\\\xff":          `a\\xff`,
		"\xe2\x28\xa1":     `\xe2(\xa1`,
		"\\x\xff":          `\x\xff`,
		"\u2028 separator": "\u2028 separator",
		"a\u009bb":         `a\xc2\x9bb`,
		"a\u202egnp.exe":   `a\xe2\x80\xaegnp.exe`,
	} {
		if got := EscapeName(name); got != want {
			t.Errorf("%q became %q, want %q", name, got, want)
		}
		if got := unescaped(EscapeName(name)); got != name {
			t.Errorf("%q came back as %q", name, got)
		}
	}
}

// FuzzEscapeName checks that every name can be recovered, also from a CSV field, and that
// no spreadsheet would treat the field as a formula.
func FuzzEscapeName(f *testing.F) {
	for _, name := range []string{"a", `\x5cx41`, "=1+1", "＝1", "\t-", "\xff\\x", "@\\xff", "\r\n", "a;=1", ";;-"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		text := EscapeName(name)
		if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == unicode.MaxASCII }) {
			t.Fatalf("%q became %q", name, text)
		}
		if got := unescaped(text); got != name {
			t.Fatalf("%q became %q and came back as %q", name, text, got)
		}
		field := plainField(text)
		for part := range strings.SplitSeq(field, ";") {
			if part != "" && strings.ContainsRune(formulaStarts, []rune(part)[0]) {
				t.Fatalf("%q became the field %q", name, field)
			}
		}
		if got := unescaped(field); got != name {
			t.Fatalf("%q became the field %q and came back as %q", name, field, got)
		}
	})
}

// TestNamesInRows reads rows like a program that opens the files they name.
func TestNamesInRows(t *testing.T) {
	names := []string{"=cmd|'calc'!A1.png", "-1.png", "@x", "+y", "a;=b.png", "a\xff.png", "two\nlines.png", `odd\x41.png`, "plain.png"}
	var b strings.Builder
	writer, err := NewPredictionWriter(&b, PredictionCSV, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := writer.Write(Prediction{Path: EscapeName(name), Score: 0.5}); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	if err != nil || len(rows) != len(names)+1 {
		t.Fatalf("%v, %v", rows, err)
	}
	for i, name := range names {
		if field := rows[i+1][0]; unescaped(field) != name || strings.ContainsRune("=+-@", rune(field[0])) {
			t.Errorf("%q is in the row as %q", name, field)
		}
	}
}
