package section

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Error is one mistake in a configuration.
type Error struct {
	File    string // the YAML file, the environment variable, "--set" or "command line"; "" when no source set the value
	Line    int    // in File, from 1; 0 when File is no file
	Key     string // dotted, as in "model.adapter.kind"; "" when the mistake belongs to no key
	Problem string
	Nearest string // the suggested correction; "" for none

	Related []string // other keys that take part in a contradiction
}

// Error returns "file:line: key: problem (did you mean nearest?)", without the parts that are empty.
func (e *Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(Origin{e.File, e.Line}.String() + ": ")
	}
	if e.Key != "" {
		b.WriteString(Printable(e.Key) + ": ")
	}
	b.WriteString(e.Problem)
	if e.Nearest != "" {
		b.WriteString(" (did you mean " + Printable(e.Nearest) + "?)")
	}
	return b.String()
}

// Origin is the place where a value was set. Its fields have the same meaning as in Error.
type Origin struct {
	File string
	Line int
}

// String returns "file:line", or File alone if Line is 0.
func (o Origin) String() string {
	if o.Line == 0 {
		return o.File
	}
	return fmt.Sprintf("%s:%d", o.File, o.Line)
}

// MaxReported is the maximum number of mistakes in one message.
const MaxReported = 20

// Join joins the mistakes to one error, nil if there are none; errors.As finds the first.
func Join(found []*Error) error {
	list := make([]error, 0, MaxReported+1)
	for i, e := range found {
		if i == MaxReported {
			list = append(list, fmt.Errorf("and %d more", len(found)-MaxReported))
			break
		}
		list = append(list, e)
	}
	return errors.Join(list...)
}

// Printable returns text from outside the program in a form that is safe to show in one
// line of a message: cut after 80 characters and quoted if it needs escapes.
func Printable(text string) string {
	const longest = 80
	if utf8.RuneCountInString(text) > longest {
		text = string([]rune(text)[:longest]) + "..."
	}
	quoted := strconv.Quote(text)
	if text == "" || quoted != `"`+text+`"` {
		return quoted
	}
	return text
}

// Listed joins choices as in "a, b or c".
func Listed(choices []string) string {
	if len(choices) < 2 {
		return strings.Join(choices, "")
	}
	last := len(choices) - 1
	return strings.Join(choices[:last], ", ") + " or " + choices[last]
}
