package torch

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrClosed reports the use of a Runtime, Scope or Tensor after it was closed.
var ErrClosed = errors.New("already closed")

// ErrNested reports a Runtime.Do inside another Do of the same Runtime.
var ErrNested = errors.New("torch: Do called inside Do; use the Scope of the outer Do instead")

var errRuntimeClosed = fmt.Errorf("torch: the Runtime is %w", ErrClosed)

// errEnded reports a function that ended the Runtime's goroutine, as testing.T.FailNow does.
var errEnded = errors.New("torch: runtime.Goexit was called inside Do; the Runtime has ended")

// ErrOutOfMemory is wrapped by an Error that libtorch raised because memory ran out.
var ErrOutOfMemory = errors.New("out of memory")

// Error is a failed operation, with the shapes of its inputs and libtorch's message.
type Error struct {
	Op      string    // the operation, as in "MatMul"
	Shapes  [][]int64 // the shapes of its input tensors
	Message string    // the first line of libtorch's message, or this package's message
	cause   error
}

// Error returns the operation, the shapes and the message on one line.
func (e *Error) Error() string {
	if len(e.Shapes) == 0 {
		return fmt.Sprintf("torch %s: %s", e.Op, e.Message)
	}
	shapes := make([]string, len(e.Shapes))
	for i, shape := range e.Shapes {
		shapes[i] = fmt.Sprint(shape)
	}
	return fmt.Sprintf("torch %s on %s: %s", e.Op, strings.Join(shapes, ", "), e.Message)
}

// Unwrap returns ErrClosed or ErrOutOfMemory if one of them is the cause, else nil.
func (e *Error) Unwrap() error { return e.cause }

// fail stops the operation op with a panic, which Runtime.Do recovers and returns as its error.
func fail(op string, message string, inputs ...Tensor) {
	failed := &Error{Op: op, Message: firstLine(message)}
	for _, input := range inputs {
		failed.Shapes = append(failed.Shapes, input.shapeForError())
	}
	if slices.ContainsFunc(noMemory(), func(words string) bool { return strings.Contains(message, words) }) {
		failed.cause = ErrOutOfMemory
	}
	panic(failed)
}

// noMemory lists texts by which libtorch and the libraries below it report that memory ran
// out. oneDNN only says that it could not create or execute a primitive; with the shapes
// and types that this package uses, the reason is always memory.
func noMemory() []string {
	return []string{
		"out of memory", "can't allocate memory", "bad_alloc",
		"could not create a primitive", "could not execute a primitive", // oneDNN
		"_STATUS_ALLOC_FAILED", // cuBLAS, cuDNN
	}
}

// failClosed stops op because one of its inputs is closed.
func failClosed(op, what string) {
	panic(&Error{Op: op, Message: what + " is already closed", cause: ErrClosed})
}

// firstLine removes the C++ stack frames that libtorch appends to its messages.
func firstLine(message string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(message), "\n")
	return line
}
