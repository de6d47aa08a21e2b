package ui

import (
	"errors"
	"fmt"
	"io"
	"syscall"
)

// Output is where results go, such as stdout. It remembers what went wrong: not all
// code that writes looks at errors.
type Output struct {
	w   io.Writer
	err error
}

// NewOutput makes an Output that writes to w.
func NewOutput(w io.Writer) *Output { return &Output{w: w} }

func (o *Output) Write(b []byte) (int, error) {
	n, err := o.w.Write(b)
	if err != nil && o.err == nil {
		o.err = err
	}
	return n, err
}

// Err is the first error of writing.
func (o *Output) Err() error {
	if o.err == nil {
		return nil
	}
	return fmt.Errorf("writing the output: %w", o.err)
}

// Unread says that nobody reads any more what is written, as after `| head`.
func (o *Output) Unread() bool { return errors.Is(o.err, syscall.EPIPE) }

// Quiet writes to o and returns no errors, for code that would tell of them in words
// of its own; Err has them.
func (o *Output) Quiet() io.Writer { return quiet{o} }

type quiet struct{ *Output }

func (q quiet) Write(b []byte) (int, error) {
	_, _ = q.Output.Write(b) // remembered
	return len(b), nil
}
