package weights

import (
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
)

// chunkSize is the most that is held of a tensor's stored bytes: a multiple of every element size.
const chunkSize = 64 << 10

// storage is a run of little-endian elements in a file, which several tensors may share.
type storage struct {
	file     io.ReaderAt
	name     string // for messages
	offset   int64  // of the packed bytes in the file
	packed   int64  // bytes in the file
	size     int64  // bytes once unpacked; equals packed unless deflated
	deflated bool
	sound    atomic.Bool // deflated data was found to end where the archive says
}

// maxInflated bounds what reading each tensor once inflates: some 1.5 times the
// largest CLIP. Deflate multiplies a file's size a thousandfold, and tensors that
// share a storage multiply that again.
const maxInflated = 16 << 30

// checkInflation holds the tensors of deflated storages to maxInflated. Reading
// one inflates its storage from the beginning to the tensor's last element, and
// the storage's first read inflates all of it.
func checkInflation(tensors []*Tensor) error {
	left := int64(maxInflated)
	counted := make(map[*storage]bool)
	for _, t := range tensors {
		if !t.store.deflated || t.count == 0 {
			continue
		}
		_, extent := t.axes()
		left -= (t.offset + extent) * t.DType.Size()
		if !counted[t.store] {
			counted[t.store] = true
			left -= t.store.size
		}
		if left < 0 {
			return malformed("reading every tensor would unpack more than %d bytes", int64(maxInflated))
		}
	}
	return nil
}

// stream visits the unpacked bytes [from, to) in order, in chunks of len(buffer).
func (s *storage) stream(from, to int64, buffer []byte, visit func(at int64, raw []byte)) error {
	r, finish, err := s.open(from)
	if err != nil {
		return err
	}
	for at := from; at < to; {
		chunk := buffer[:min(int64(len(buffer)), to-at)]
		if _, err := io.ReadFull(r, chunk); err != nil {
			return s.explain(err)
		}
		visit(at, chunk)
		at += int64(len(chunk))
	}
	return finish()
}

// open returns a reader that stands at byte from of the unpacked bytes, and a
// check to be made after reading: that deflated data ends where the archive says.
// The check reads to that end, once for each storage.
func (s *storage) open(from int64) (r io.Reader, finish func() error, err error) {
	if !s.deflated {
		return io.NewSectionReader(s.file, s.offset+from, s.size-from), func() error { return nil }, nil
	}
	inflater := flate.NewReader(io.NewSectionReader(s.file, s.offset, s.packed))
	counted := &countingReader{r: inflater}
	if _, err := io.CopyN(io.Discard, counted, from); err != nil {
		return nil, nil, s.explain(err)
	}
	finish = func() error {
		if s.sound.Load() {
			return nil
		}
		// One byte past the declared size is enough to know that it is wrong.
		rest := io.LimitReader(counted, s.size-counted.n+1)
		if _, err := io.Copy(io.Discard, rest); err != nil {
			return s.explain(err)
		}
		if counted.n > s.size {
			return malformed("%s unpacks to more than the %d bytes it declares", s.name, s.size)
		}
		if counted.n < s.size {
			return malformed("%s unpacks to %d bytes, not the %d it declares", s.name, counted.n, s.size)
		}
		s.sound.Store(true)
		return nil
	}
	return counted, finish, nil
}

// explain tells damage of the file from an error of the system.
func (s *storage) explain(err error) error {
	var corrupt flate.CorruptInputError
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &corrupt) {
		return malformed("%s ends early or is corrupt (%v)", s.name, err)
	}
	return fmt.Errorf("reading %s: %w", s.name, err)
}

type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
