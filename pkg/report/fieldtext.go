package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// text returns the value as CSV holds it; numbers and truth values are the same in JSON.
// A float32 has the fewest digits that read back as the same float32.
func (f field) text() (string, error) {
	switch value := f.value.(type) {
	case nil:
		return "", nil
	case string:
		return ValidText(value), nil
	case bool:
		return strconv.FormatBool(value), nil
	case int:
		return strconv.Itoa(value), nil
	case float32:
		return numberText(f.name, float64(value), 32)
	case float64:
		return numberText(f.name, value, 64)
	}
	return "", fmt.Errorf("%s: a %T cannot be written", f.name, f.value)
}

func numberText(name string, value float64, bits int) (string, error) {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return "", fmt.Errorf("%s is %v: only finite numbers are written", name, value)
	}
	return strconv.FormatFloat(value, 'g', -1, bits), nil
}

// ValidText returns s as valid UTF-8: messages and texts may hold any bytes, a text
// file and JSON may not. Each byte that belongs to no character becomes \xNN.
// EscapeName is for what must be found again.
func ValidText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return escaping(s, func(rune, string) bool { return false })
}

// EscapeName returns the name of a file, a class or a dataset as rows and JSON hold
// it: valid UTF-8 without control characters, those of writing direction among them.
// Each byte that belongs to no character, each byte of a control character, and each
// backslash that xNN follows, becomes \xNN: who replaces each \xNN by its byte has the
// name back, also from a row of CSV, where plainField escapes more. Most names stay as
// they are.
func EscapeName(name string) string {
	return escaping(name, func(r rune, rest string) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\\' && isEscape(rest)
	})
}

// isEscape says that s begins with \xNN.
func isEscape(s string) bool {
	if len(s) < 4 || s[:2] != `\x` {
		return false
	}
	_, err := strconv.ParseUint(s[2:4], 16, 8)
	return err == nil
}

// escaping writes the bytes that belong to no character, and those of the
// characters that also chooses, as \xNN; rest is the text from the character on.
func escaping(s string, also func(r rune, rest string) bool) string {
	var text strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && size == 1 || also(r, s) {
			writeEscaped(&text, s[:size])
		} else {
			text.WriteString(s[:size])
		}
		s = s[size:]
	}
	return text.String()
}

func writeEscaped(to *strings.Builder, bytes string) {
	for _, b := range []byte(bytes) {
		fmt.Fprintf(to, `\x%02x`, b)
	}
}

// formulaStarts are the characters that make a spreadsheet take a field for a
// formula, the wide ones of East Asian keyboards among them.
const formulaStarts = "=+-@\t\r\n＝＋－＠"

// plainField returns a text as a field of CSV that no spreadsheet takes for a
// formula, nor a part of it behind a semicolon, which separates fields in some
// countries: there the first character is written as \xNN for each of its bytes.
func plainField(text string) string {
	begins := true
	return escaping(text, func(r rune, _ string) bool {
		escape := begins && strings.ContainsRune(formulaStarts, r)
		begins = r == ';'
		return escape
	})
}
