package weights

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
)

const (
	// maxOperations limits time and memory: ViT-L/14 needs about 20,000 operations, a training checkpoint with optimiser state 100,000.
	maxOperations = 1 << 19
	maxMarks      = 1 << 10
)

// machine interprets a pickle like Python, for the operations that torch.save and
// TorchScript write (protocols 2 to 5). It only calls the functions in the table of
// globals.
//
// An operation pushes at most one object and copies only objects that it pops or a few
// bytes of the program, so maxOperations and maxPickle limit the memory. Objects from the
// memo are shared, never copied.
type machine struct {
	program    []byte // the remaining bytes
	stack      []any
	marks      []int
	memo       map[uint32]any
	operations int
	tensors    int
	storages   func(key string) (*storage, bool)
}

// unpickle returns the object that a pickle describes. storages looks up a storage key in
// the archive.
func unpickle(program []byte, storages func(key string) (*storage, bool)) (any, error) {
	m := &machine{program: program, memo: make(map[uint32]any), storages: storages}
	for {
		code, err := m.byte()
		if err != nil {
			return nil, err
		}
		if code == opStop {
			return m.result()
		}
		if m.operations++; m.operations > maxOperations {
			return nil, malformed("the pickle has more than %d operations", maxOperations)
		}
		operation := operations[code]
		if operation == nil {
			return nil, unsupported("the pickle operation %#02x, which torch.save does not write", code)
		}
		if err := operation(m); err != nil {
			return nil, err
		}
	}
}

// result returns the single object that remains at the end.
func (m *machine) result() (any, error) {
	if len(m.stack) != 1 || len(m.marks) != 0 {
		return nil, malformed("the pickle ends with %d objects on its stack, expected 1", len(m.stack))
	}
	if len(m.program) != 0 {
		return nil, malformed("%d unexpected bytes after the pickle", len(m.program))
	}
	return m.stack[0], nil
}

// take returns the next n bytes of the program without copying them.
func (m *machine) take(n uint64) ([]byte, error) {
	if n > uint64(len(m.program)) {
		return nil, malformed("unexpected end of the pickle: expected %d bytes, got %d", n, len(m.program))
	}
	taken := m.program[:n]
	m.program = m.program[n:]
	return taken, nil
}

func (m *machine) byte() (byte, error) {
	b, err := m.take(1)
	if err != nil {
		return 0, err
	}
	return b[0], nil
}

// number reads a little-endian unsigned integer of width bytes.
func (m *machine) number(width uint64) (uint64, error) {
	b, err := m.take(width)
	if err != nil {
		return 0, err
	}
	var wide [8]byte
	copy(wide[:], b)
	return binary.LittleEndian.Uint64(wide[:]), nil
}

// counted reads a length of width bytes and then that many bytes.
func (m *machine) counted(width uint64) ([]byte, error) {
	n, err := m.number(width)
	if err != nil {
		return nil, err
	}
	return m.take(n)
}

// line reads up to a newline, which is not part of the result.
func (m *machine) line() (string, error) {
	end := bytes.IndexByte(m.program, '\n')
	if end < 0 || end > maxName {
		return "", malformed("the pickle has an unterminated line")
	}
	b, err := m.take(uint64(end) + 1)
	if err != nil {
		return "", err
	}
	return string(b[:end]), nil
}

func (m *machine) push(v any) error {
	m.stack = append(m.stack, v)
	return nil
}

// floor returns the stack height at the last mark, below which operations must not pop.
func (m *machine) floor() int {
	if len(m.marks) == 0 {
		return 0
	}
	return m.marks[len(m.marks)-1]
}

func (m *machine) pop() (any, error) {
	if len(m.stack) <= m.floor() {
		return nil, malformed("the pickle pops from an empty stack")
	}
	v := m.stack[len(m.stack)-1]
	m.stack = m.stack[:len(m.stack)-1]
	return v, nil
}

// top returns the top of the stack without popping it.
func (m *machine) top() (any, error) {
	if len(m.stack) <= m.floor() {
		return nil, malformed("the pickle reads from an empty stack")
	}
	return m.stack[len(m.stack)-1], nil
}

// popMark pops the last mark and returns a copy of the objects above it.
func (m *machine) popMark() ([]any, error) {
	if len(m.marks) == 0 {
		return nil, malformed("the pickle pops a mark that does not exist")
	}
	from := m.floor()
	m.marks = m.marks[:len(m.marks)-1]
	items := append([]any(nil), m.stack[from:]...)
	m.stack = m.stack[:from]
	return items, nil
}

// popN pops the last n objects.
func (m *machine) popN(n int) ([]any, error) {
	if len(m.stack)-n < m.floor() {
		return nil, malformed("the pickle pops from an empty stack")
	}
	from := len(m.stack) - n
	items := append([]any(nil), m.stack[from:]...)
	m.stack = m.stack[:from]
	return items, nil
}

// decodeLong reads a two's-complement integer of any width.
func decodeLong(b []byte) any {
	if len(b) > 8 {
		return opaque{}
	}
	if len(b) == 0 {
		return int64(0)
	}
	var wide [8]byte
	if b[len(b)-1]&0x80 != 0 {
		copy(wide[:], "\xff\xff\xff\xff\xff\xff\xff\xff")
	}
	copy(wide[:], b)
	return int64(binary.LittleEndian.Uint64(wide[:]))
}

func decodeFloat(b []byte) float64 {
	return math.Float64frombits(binary.BigEndian.Uint64(b))
}

// call calls a global with arguments.
func (m *machine) call(callee, args any) (any, error) {
	arguments, ok := args.(tuple)
	if !ok {
		return nil, malformed("the arguments of a pickle call are not a tuple (%T)", args)
	}
	switch callee := callee.(type) {
	case function:
		made, err := callee.call(m, arguments)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", callee.name, err)
		}
		return made, nil
	case scriptClass:
		return &record{arguments: arguments}, nil
	default:
		return nil, malformed("the pickle calls a value that is not callable (%v)", describeValue(callee))
	}
}

func describeValue(v any) string {
	if c, ok := v.(class); ok {
		return string(c)
	}
	return fmt.Sprintf("%T", v)
}
