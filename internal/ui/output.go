package ui

import (
	"errors"
	"fmt"
	"io"
	"syscall"
)

// Output is a writer for results, such as stdout. It remembers the first error, because
// not all code that writes checks errors.
type Output struct {
	w   io.Writer
	err error
}

// NewOutput returns an Output that writes to w.
func NewOutput(w io.Writer) *Output { return &Output{w: w} }

func (o *Output) Write(b []byte) (int, error) {
	n, err := o.w.Write(b)
	if err != nil && o.err == nil {
		o.err = err
	}
	return n, err
}

// Err returns the first write error.
func (o *Output) Err() error {
	if o.err == nil {
		return nil
	}
	return fmt.Errorf("writing the output: %w", o.err)
}

// Unread reports whether the reader of the output has closed it, as in `| head`.
func (o *Output) Unread() bool { return errors.Is(o.err, syscall.EPIPE) }

// Quiet returns a writer to o that returns no errors, for code that would report them
// itself; Err returns them.
func (o *Output) Quiet() io.Writer { return quiet{o} }

type quiet struct{ *Output }

func (q quiet) Write(b []byte) (int, error) {
	_, _ = q.Output.Write(b) // Output remembers the error
	return len(b), nil
}
