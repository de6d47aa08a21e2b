package ui

import (
	"errors"
	"strings"
)

// ErrorLines gives an error's text: a line for each of several joined errors, with
// the control characters inside each made visible.
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
