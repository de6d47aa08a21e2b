package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
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
	return escaping(s, func(string, int) bool { return false })
}

// EscapeName returns the name of a file, a class or a dataset as rows and JSON hold
// it: valid UTF-8 without control characters. Each byte that belongs to no character,
// each byte of a control character, and each backslash that xNN follows, becomes \xNN,
// so that UnescapeName gives the name back. Most names stay as they are.
func EscapeName(name string) string {
	return escaping(name, func(s string, i int) bool {
		return s[i] < ' ' || s[i] == 0x7f || s[i] == '\\' && isEscape(s[i:])
	})
}

// UnescapeName returns the name that EscapeName was given. It also undoes what a
// row of CSV escapes for spreadsheets.
func UnescapeName(text string) string {
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

// isEscape says that s begins with \xNN.
func isEscape(s string) bool {
	if len(s) < 4 || s[:2] != `\x` {
		return false
	}
	_, err := strconv.ParseUint(s[2:4], 16, 8)
	return err == nil && s[2] != '+' && s[2] != '_'
}

// escaping writes the bytes of s that belong to no character, and those that also
// chooses by their index, as \xNN.
func escaping(s string, also func(s string, i int) bool) string {
	var text strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 || also(s, i) {
			fmt.Fprintf(&text, `\x%02x`, s[i])
			size = 1
		} else {
			text.WriteString(s[i : i+size])
		}
		i += size
	}
	return text.String()
}

// formulaStarts are the characters that make a spreadsheet take a field for a
// formula, the wide ones of East Asian keyboards among them.
const formulaStarts = "=+-@\t\r\n＝＋－＠"

// plainField returns a text as a field of CSV that no spreadsheet takes for a
// formula: the first character of one that would be is written as \xNN for each of its bytes.
func plainField(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	if size == 0 || !strings.ContainsRune(formulaStarts, first) {
		return text
	}
	var field strings.Builder
	for _, b := range []byte(text[:size]) {
		fmt.Fprintf(&field, `\x%02x`, b)
	}
	return field.String() + text[size:]
}
