package report

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// text returns the value as written in CSV; numbers and booleans are the same in JSON.
// A float32 is written with the fewest digits that parse to the same float32.
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
	case json.RawMessage:
		return string(value), nil
	case int64:
		return strconv.FormatInt(value, 10), nil
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

// ValidText returns s as valid UTF-8, which text files and JSON require: each byte that is
// not part of a character becomes \xNN. The original cannot be recovered; use EscapeName
// for names.
func ValidText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return escaping(s, func(rune, string) bool { return false })
}

// EscapeName returns the name of a file, a class or a dataset as written in CSV rows and
// JSON: valid UTF-8 without control characters, including those for text direction.
// Each byte that is not part of a character, each byte of a control character, and each
// backslash before xNN becomes \xNN. Replacing each \xNN by its byte gives the name
// again, also for a CSV field, where plainField escapes more. Most names do not change.
func EscapeName(name string) string {
	return escaping(name, func(r rune, rest string) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\\' && isEscape(rest)
	})
}

// UnescapeName returns the name that EscapeName or plainField escaped.
func UnescapeName(text string) string {
	if !strings.Contains(text, `\x`) {
		return text
	}
	var name strings.Builder
	for text != "" {
		if isEscape(text) {
			b, _ := strconv.ParseUint(text[2:4], 16, 8) // isEscape has checked it
			name.WriteByte(byte(b))
			text = text[4:]
			continue
		}
		name.WriteByte(text[0])
		text = text[1:]
	}
	return name.String()
}

// isEscape reports whether s starts with \xNN.
func isEscape(s string) bool {
	if len(s) < 4 || s[:2] != `\x` {
		return false
	}
	_, err := strconv.ParseUint(s[2:4], 16, 8)
	return err == nil
}

// escaping writes as \xNN each byte that is not part of a character and the bytes of each
// character that also selects; rest is the text starting at that character.
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

// formulaStarts are the first characters of fields that a spreadsheet treats as formulas,
// including the full-width forms.
const formulaStarts = "=+-@\t\r\n＝＋－＠"

// plainField returns a text as a CSV field that no spreadsheet treats as a formula. Where
// a first character would start a formula, each of its bytes becomes \xNN. The same holds
// after a semicolon, which separates fields in some locales.
func plainField(text string) string {
	atStart := true
	return escaping(text, func(r rune, _ string) bool {
		escape := atStart && strings.ContainsRune(formulaStarts, r)
		atStart = r == ';'
		return escape
	})
}
