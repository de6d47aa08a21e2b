package list

import (
	"bytes"
	"fmt"
	"io"
)

// boundedReader returns at most maxLine bytes until the next call of allow, so that a
// decoder never buffers more of a damaged file.
type boundedReader struct {
	source io.Reader
	left   int
	last   byte  // the last byte read
	err    error // the source's error
}

func (b *boundedReader) allow() { b.left = maxLine }

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, fmt.Errorf("no row ends within %d bytes", maxLine)
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

// window keeps the bytes read through it until they are passed. It so knows the line
// and the raw bytes of a decoded value, although the decoder reads ahead.
type window struct {
	boundedReader
	text   []byte // bytes read but not passed, at the end of memory
	memory []byte // reused by each Read
	offset int64  // offset of text in the input
	line   int    // line at the start of text, from 1
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

// passTo passes the bytes up to an offset and returns them; they are valid until the next Read.
func (w *window) passTo(offset int64) []byte {
	return w.pass(int(max(0, offset-w.offset)))
}

// passAny passes leading bytes that are in set.
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
