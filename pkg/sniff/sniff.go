// Package sniff tells from a file's first bytes what kind of file it is, mostly
// to say what lies in the place of a file that cannot be read.
package sniff

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// Match says whether a file that starts with head is of some kind. Head may be
// shorter than what is looked for, and empty.
type Match func(head []byte) bool

// Starts matches what starts with one of the prefixes.
func Starts(prefixes ...string) Match {
	return func(head []byte) bool {
		for _, prefix := range prefixes {
			if bytes.HasPrefix(head, []byte(prefix)) {
				return true
			}
		}
		return false
	}
}

// At matches what holds text from an offset in bytes on.
func At(offset int, text string) Match {
	return func(head []byte) bool {
		return len(head) > offset && bytes.HasPrefix(head[offset:], []byte(text))
	}
}

// Kind is one row of a table of kinds.
type Kind struct {
	Name string // as it stands in a sentence: "a PDF document"
	Is   Match
}

// Name gives the name of the first kind that matches.
func Name(head []byte, kinds []Kind) (name string, known bool) {
	for _, kind := range kinds {
		if kind.Is(head) {
			return kind.Name, true
		}
	}
	return "", false
}

// Describe says in words what head is: the kind that matches, nothing, a text, or
// unknown bytes.
func Describe(head []byte, kinds []Kind) string {
	if len(head) == 0 {
		return "nothing (the file is empty)"
	}
	if name, known := Name(head, kinds); known {
		return name
	}
	if IsText(head) {
		return fmt.Sprintf("text that starts with %.24q", head)
	}
	return fmt.Sprintf("an unknown format that starts with the bytes % x", head[:min(8, len(head))])
}

// IsText says whether head is UTF-8 without control characters that no text
// holds. It allows for a character cut in two at the end.
func IsText(head []byte) bool {
	for cut := range min(utf8.UTFMax, len(head)) {
		if utf8.Valid(head[:len(head)-cut]) {
			return !bytes.ContainsAny(head, "\x00\x01\x02\x03\x04\x05\x06\x07\x08")
		}
	}
	return false
}
