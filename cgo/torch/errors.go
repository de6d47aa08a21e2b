package torch

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrClosed reports the use of a Runtime, a Scope or a Tensor after its end.
var ErrClosed = errors.New("already closed")

// ErrNested reports a Runtime.Do inside another Do of the same Runtime.
var ErrNested = errors.New("torch: Do called inside Do; pass the Scope on instead")

var errRuntimeClosed = fmt.Errorf("torch: the Runtime is %w", ErrClosed)

// errEnded reports a function that ended the Runtime's goroutine, as testing.T.FailNow does.
var errEnded = errors.New("torch: runtime.Goexit was called inside Do; the Runtime has ended")

// ErrOutOfMemory is what errors.Is finds in an Error that libtorch raised for want of memory.
var ErrOutOfMemory = errors.New("out of memory")

// Error is a failed operation: what libtorch said, of which operation, on which shapes.
type Error struct {
	Op      string    // the operation, as in "MatMul"
	Shapes  [][]int64 // the shapes of the tensors it was given
	Message string    // libtorch's first line, or this package's own
	cause   error
}

// Error gives the operation, the shapes and the message on one line.
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

// Unwrap gives ErrClosed or ErrOutOfMemory where one of them is the cause, else nil.
func (e *Error) Unwrap() error { return e.cause }

// fail stops the operation op; Runtime.Do turns the panic into its error.
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

// noMemory lists the words of libtorch and of what lies below it for want of memory.
// oneDNN's say no more than that it could not begin or end a computation; of the
// shapes and types that this package gives it, memory is the reason.
func noMemory() []string {
	return []string{
		"out of memory", "can't allocate memory", "bad_alloc",
		"could not create a primitive", "could not execute a primitive", // oneDNN
		"_STATUS_ALLOC_FAILED", // cuBLAS, cuDNN
	}
}

// failClosed stops op because what it was given is no longer there.
func failClosed(op, what string) {
	panic(&Error{Op: op, Message: what + " is already closed", cause: ErrClosed})
}

// firstLine leaves out the C++ frames that libtorch appends to its messages.
func firstLine(message string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(message), "\n")
	return line
}
