package list

import (
	"bytes"
	"fmt"
	"io"
)

// boundedReader reads no more than maxLine bytes without a call of allow, so
// that a decoder never holds more than that of a damaged file.
type boundedReader struct {
	source io.Reader
	left   int
	last   byte  // the last one that was read
	err    error // of the source
}

func (b *boundedReader) allow() { b.left = maxLine }

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, fmt.Errorf("%d bytes in which no row ends", maxLine)
	}
	n, err := b.source.Read(p[:min(len(p), b.left)])
	b.left -= n
	if n > 0 {
		b.last = p[n-1]
	}
	if err != nil && err != io.EOF {
		b.err = err
	}
	return n, err
}

// window keeps what was read through it until it is passed, and so knows the
// line and the bytes of what a decoder that reads ahead has decoded.
type window struct {
	boundedReader
	text   []byte // what was read and not passed, at the end of memory
	memory []byte // used again at each Read
	offset int64  // of text in all that was read
	line   int    // of text's beginning, from 1
}

func newWindow(source io.Reader) *window {
	return &window{boundedReader: boundedReader{source: source}, line: 1}
}

func (w *window) Read(p []byte) (int, error) {
	n, err := w.boundedReader.Read(p)
	w.text = append(append(w.memory[:0], w.text...), p[:n]...)
	w.memory = w.text
	return n, err
}

// passTo passes up to an offset and gives what lies there, until the next Read.
func (w *window) passTo(offset int64) []byte {
	return w.pass(int(max(0, offset-w.offset)))
}

// passAny passes the characters of a set.
func (w *window) passAny(set string) {
	w.pass(len(w.text) - len(bytes.TrimLeft(w.text, set)))
}

func (w *window) passAll() { w.pass(len(w.text)) }

func (w *window) pass(n int) []byte {
	passed := w.text[:n]
	w.text = w.text[n:]
	w.offset += int64(n)
	w.line += bytes.Count(passed, []byte("\n"))
	return passed
}
