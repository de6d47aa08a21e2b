package ui

import (
	"errors"
	"strings"
)

// ErrorLines returns an error's text, with one line for each joined error and control
// characters escaped.
func ErrorLines(err error) []string {
	text := err.Error()
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var lines, texts []string
		for _, part := range joined.Unwrap() {
			lines = append(lines, ErrorLines(part)...)
			texts = append(texts, part.Error())
		}
		if strings.Join(texts, "\n") == text {
			return lines
		}
	}
	if inner := errors.Unwrap(err); inner != nil {
		if before, ok := strings.CutSuffix(text, inner.Error()); ok {
			lines := ErrorLines(inner)
			lines[0] = Visible(before) + lines[0]
			return lines
		}
	}
	return []string{Visible(text)}
}
