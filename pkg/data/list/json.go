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

const notUTF8 = "not UTF-8, or half of an escaped pair"

// isText reports whether the texts in a JSON value are decoded as they are meant.
// Package json silently puts U+FFFD for bytes that are not UTF-8, and for one half
// of a pair like \ud83d\ude00: Python's json writes such halves for a file name
// that is not UTF-8.
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
			raw = raw[min(2, len(raw)):] // an escaped back-slash begins no escape
		case utf16.DecodeRune(letter, escaped(raw[6:])) == utf8.RuneError:
			return false
		default:
			raw = raw[12:]
		}
	}
}

// escaped is the number in an escape \uXXXX that text begins with; 0 where it begins otherwise.
func escaped(text []byte) rune {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0
	}
	number, _ := strconv.ParseUint(string(text[2:6]), 16, 16) // 0 where it is none
	return rune(number)
}

// label reads a row's label as JSON has it: 0 or 1, or the same as a bool, a
// float or a text. What is wrong with another is a fault.
func (c *collector) label(line int, key string, text json.RawMessage) (anomalous, ok bool) {
	switch string(text) {
	case `0`, `1`:
		return text[0] == '1', true
	case `false`, `true`:
		c.odd(line, "labels that are true or false")
		return text[0] == 't', true
	case `"0"`, `"1"`:
		c.odd(line, "labels that are text")
		return text[1] == '1', true
	case ``:
		c.fault(line, key+" is missing; expected 0 (normal) or 1 (anomalous)")
		return false, false
	}
	number, err := strconv.ParseFloat(string(text), 64) // of JSON, which has no NaN
	if err != nil || number != 0 && number != 1 {
		c.fault(line, fmt.Sprintf("%s is %s; expected 0 (normal) or 1 (anomalous)", key, plain(text)))
		return false, false
	}
	c.odd(line, "labels that are no whole numbers")
	return number == 1, true
}

// plain is a label for an error.
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

// jsonFault says what is wrong with the JSON of one row.
func jsonFault(err error) string {
	var wrong *json.UnmarshalTypeError
	switch {
	case !errors.As(err, &wrong):
		return strings.TrimPrefix(err.Error(), "json: ")
	case wrong.Field == "":
		return fmt.Sprintf("the row is of type %s; expected an object", wrong.Value)
	}
	return fmt.Sprintf("%s is of type %s; expected a text", wrong.Field, wrong.Value)
}
