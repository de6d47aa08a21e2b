package weights

import (
	"compress/flate"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"sync/atomic"
)

// chunkSize is the most that is held of a tensor's stored bytes: a multiple of every element size.
const chunkSize = 32 << 10

// storage is a run of little-endian elements in a file, which several tensors may share.
type storage struct {
	file     io.ReaderAt
	name     string // for messages
	offset   int64  // of the packed bytes in the file
	packed   int64  // bytes in the file
	size     int64  // bytes once unpacked; equals packed unless deflated
	deflated bool
	crc      uint32      // CRC-32 of the unpacked bytes
	summed   bool        // crc is stated by the archive
	sound    atomic.Bool // the size, where deflated, and the checksum were found to be what the archive says
}

// A file may not ask its reader for much more memory or work than its own size
// explains. What it may do beyond that is enough for any small file.
const (
	// maxExpansion bounds the values of all tensors together, as float32, in bytes
	// for a byte of the file. Half-precision weights take 2, tied ones as much again.
	maxExpansion  = 8
	freeExpansion = 16 << 20
	// maxWork and freeWork bound the bytes that reading each tensor once goes through.
	maxWork  = 64
	freeWork = 256 << 20
	// maxInflated bounds those of compressed storages, in files of any size: it is
	// some 1.5 times the largest CLIP.
	maxInflated = 16 << 30
)

// checkExpansion holds the tensors of a file of the given size to these bounds.
func checkExpansion(tensors []*Tensor, fileSize int64) error {
	left := limit(fileSize, maxExpansion, freeExpansion)
	for _, t := range tensors {
		bytes, ok := multiply(t.count, max(4, t.DType.Size()))
		if left -= bytes; !ok || left < 0 {
			return malformed("the tensors' values would take more than %d times the file's %d bytes", maxExpansion, fileSize)
		}
	}
	return checkWork(tensors, limit(fileSize, maxWork, freeWork))
}

func limit(fileSize, times, free int64) int64 {
	if product, ok := multiply(fileSize, times); ok && product <= math.MaxInt64-free {
		return product + free
	}
	return math.MaxInt64
}

// checkWork bounds what reading every tensor goes through: of its storage all from
// the tensor's first element to its last, from the storage's beginning where that is
// deflated, and the storage once more for its checksum.
func checkWork(tensors []*Tensor, most int64) error {
	left, inflated := most, int64(maxInflated)
	counted := make(map[*storage]bool)
	for _, t := range tensors {
		if t.count == 0 {
			continue
		}
		_, extent := t.axes()
		work := extent * t.DType.Size()
		if t.store.deflated {
			work += t.offset * t.DType.Size()
		}
		if !counted[t.store] {
			counted[t.store] = true
			work += t.store.size
		}
		if left -= work; t.store.deflated {
			inflated -= work
		}
		if left < 0 {
			return malformed("reading every tensor would go through more than %d bytes", most)
		}
		if inflated < 0 {
			return malformed("reading every tensor would unpack more than %d bytes", int64(maxInflated))
		}
	}
	return nil
}

// stream visits the unpacked bytes [from, to) in order, in chunks of len(buffer).
// What it reads whole is held against the archive's checksum.
func (s *storage) stream(from, to int64, buffer []byte, visit func(at int64, raw []byte)) error {
	r, finish, err := s.open(from, to)
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

// verify reads the storage to compare its size and checksum, unless a read has done so.
func (s *storage) verify() error {
	if s.sound.Load() || !s.summed && !s.deflated {
		return nil
	}
	return s.stream(0, s.size, make([]byte, min(chunkSize, s.size)), func(int64, []byte) {})
}

// open returns a reader that stands at byte from of the unpacked bytes, and a
// check to be made after reading up to to: that the storage is what the archive
// says. Of deflated data the check reads to the end, once for each storage.
func (s *storage) open(from, to int64) (r io.Reader, finish func() error, err error) {
	if s.sound.Load() || !s.deflated && (!s.summed || from > 0 || to < s.size) {
		r, err := s.seek(from)
		return r, func() error { return nil }, err
	}
	whole, err := s.seek(0)
	if err != nil {
		return nil, nil, err
	}
	summing := &summingReader{r: whole}
	if _, err := io.CopyN(io.Discard, summing, from); err != nil {
		return nil, nil, s.explain(err)
	}
	return summing, func() error { return s.finish(summing) }, nil
}

// seek returns a reader that stands at byte from of the unpacked bytes.
func (s *storage) seek(from int64) (io.Reader, error) {
	if !s.deflated {
		return io.NewSectionReader(s.file, s.offset+from, s.size-from), nil
	}
	inflater := flate.NewReader(io.NewSectionReader(s.file, s.offset, s.packed))
	if _, err := io.CopyN(io.Discard, inflater, from); err != nil {
		return nil, s.explain(err)
	}
	return inflater, nil
}

// finish reads what is left and compares size and checksum.
func (s *storage) finish(all *summingReader) error {
	// One byte past the declared size is enough to know that it is wrong.
	if _, err := io.Copy(io.Discard, io.LimitReader(all, s.size-all.n+1)); err != nil {
		return s.explain(err)
	}
	switch {
	case all.n > s.size:
		return malformed("%s unpacks to more than the %d bytes it declares", s.name, s.size)
	case all.n < s.size:
		return malformed("%s unpacks to %d bytes, not the %d it declares", s.name, all.n, s.size)
	case s.summed && all.crc != s.crc:
		return malformed("%s is damaged: its checksum (CRC-32) is %08x, not the %08x that the archive states", s.name, all.crc, s.crc)
	}
	s.sound.Store(true)
	return nil
}

// explain tells damage of the file from an error of the system.
func (s *storage) explain(err error) error {
	var corrupt flate.CorruptInputError
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &corrupt) {
		return malformed("%s ends early or is corrupt (%v)", s.name, err)
	}
	return fmt.Errorf("reading %s: %w", s.name, err)
}

// summingReader counts what is read, and sums it up.
type summingReader struct {
	r   io.Reader
	n   int64
	crc uint32
}

func (c *summingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	c.crc = crc32.Update(c.crc, crc32.IEEETable, p[:n])
	return n, err
}
