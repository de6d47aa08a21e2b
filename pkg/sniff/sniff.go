// Package sniff detects the kind of a file from its first bytes, mostly to describe in an
// error a file that is not of the expected kind.
package sniff

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// Match reports whether a file that starts with head is of some kind. head may be shorter
// than needed, or empty.
type Match func(head []byte) bool

// Starts returns a Match for content that starts with one of the prefixes.
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

// At returns a Match for content with text at an offset in bytes.
func At(offset int, text string) Match {
	return func(head []byte) bool {
		return len(head) > offset && bytes.HasPrefix(head[offset:], []byte(text))
	}
}

// Kind is one row of a table of kinds.
type Kind struct {
	Name string // for use in a sentence: "a PDF document"
	Is   Match
}

// Name returns the name of the first kind that matches.
func Name(head []byte, kinds []Kind) (name string, known bool) {
	for _, kind := range kinds {
		if kind.Is(head) {
			return kind.Name, true
		}
	}
	return "", false
}

// Describe describes head for a message: as a kind that matches, nothing, text, or unknown
// bytes.
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

// IsText reports whether head is UTF-8 without control characters that do not occur in
// text. The last character may be incomplete.
func IsText(head []byte) bool {
	for cut := range min(utf8.UTFMax, len(head)) {
		if utf8.Valid(head[:len(head)-cut]) {
			return !bytes.ContainsAny(head, "\x00\x01\x02\x03\x04\x05\x06\x07\x08")
		}
	}
	return false
}
