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
	Nearest string // what was probably meant; "" when nothing is near

	Related []string // other keys that take part in a contradiction
}

// Error reads "file:line: key: problem (did you mean nearest?)", without the parts that are empty.
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

// Origin is where a value was set. Its fields are as in Error.
type Origin struct {
	File string
	Line int
}

// String reads "file:line", or the file's part alone.
func (o Origin) String() string {
	if o.Line == 0 {
		return o.File
	}
	return fmt.Sprintf("%s:%d", o.File, o.Line)
}

// MaxReported is the number of mistakes that one message tells.
const MaxReported = 20

// Join makes one error of the mistakes found, nil of none; errors.As finds the first.
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

// Printable returns foreign text fit for one line of a message.
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

// Listed joins choices: "a, b or c".
func Listed(choices []string) string {
	if len(choices) < 2 {
		return strings.Join(choices, "")
	}
	last := len(choices) - 1
	return strings.Join(choices[:last], ", ") + " or " + choices[last]
}
