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

// ValidText returns s as valid UTF-8: a file name may hold any bytes, a text
// file and JSON may not. Each byte that belongs to no character becomes \xNN.
func ValidText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var text strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			fmt.Fprintf(&text, `\x%02x`, s[i])
		} else {
			text.WriteString(s[i : i+size])
		}
		i += size
	}
	return text.String()
}
