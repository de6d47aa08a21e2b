package list

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const notUTF8 = "not UTF-8, or half of an escaped surrogate pair"

// isText reports whether the strings in a JSON value decode without loss. Package
// json silently substitutes U+FFFD for bytes that are not UTF-8, and for one half of a
// surrogate pair like \ud83d\ude00; Python's json writes such halves for file names
// that are not UTF-8.
func isText(raw []byte) bool {
	if !utf8.Valid(raw) {
		return false
	}
	for {
		at := bytes.IndexByte(raw, '\\')
		if at < 0 {
			return true
		}
		raw = raw[at:]
		switch letter := escaped(raw); {
		case !utf16.IsSurrogate(letter):
			raw = raw[min(2, len(raw)):] // an escaped backslash does not begin an escape
		case utf16.DecodeRune(letter, escaped(raw[6:])) == utf8.RuneError:
			return false
		default:
			raw = raw[12:]
		}
	}
}

// escaped returns the code unit of an escape \uXXXX at the start of text; 0 if there is none.
func escaped(text []byte) rune {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0
	}
	number, _ := strconv.ParseUint(string(text[2:6]), 16, 16) // 0 if it is no number
	return rune(number)
}

// label reads a row's JSON label: 0 or 1 as an integer, bool, float or string. Any
// other value is a fault.
func (c *collector) label(line int, key string, text json.RawMessage) (anomalous, ok bool) {
	switch string(text) {
	case `0`, `1`:
		return text[0] == '1', true
	case `false`, `true`:
		c.odd(line, "labels that are true or false")
		return text[0] == 't', true
	case `"0"`, `"1"`:
		c.odd(line, "labels that are strings")
		return text[1] == '1', true
	case ``:
		c.fault(line, key+" is missing; expected 0 (normal) or 1 (anomalous)")
		return false, false
	}
	number, err := strconv.ParseFloat(string(text), 64) // JSON has no NaN
	if err != nil || number != 0 && number != 1 {
		c.fault(line, fmt.Sprintf("%s is %s; expected 0 (normal) or 1 (anomalous)", key, plain(text)))
		return false, false
	}
	c.odd(line, "labels that are not integers")
	return number == 1, true
}

// plain formats a label for an error message.
func plain(label json.RawMessage) string {
	switch label[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		var text string
		if err := json.Unmarshal(label, &text); err == nil {
			return shown(text)
		}
	}
	return cut(string(label)) // a number or null
}

// jsonFault describes the error in the JSON of one row.
func jsonFault(err error) string {
	var wrong *json.UnmarshalTypeError
	switch {
	case !errors.As(err, &wrong):
		return strings.TrimPrefix(err.Error(), "json: ")
	case wrong.Field == "":
		return fmt.Sprintf("the row has the type %s; expected an object", wrong.Value)
	}
	return fmt.Sprintf("%s has the type %s; expected a string", wrong.Field, wrong.Value)
}
