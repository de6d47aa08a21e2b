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

// chunkSize is the buffer size for a tensor's stored bytes, a multiple of every element size.
const chunkSize = 32 << 10

// storage is a contiguous block of little-endian elements in a file, which tensors may share.
type storage struct {
	file     io.ReaderAt
	name     string // for messages
	offset   int64  // offset of the stored bytes in the file
	packed   int64  // number of stored bytes
	size     int64  // number of uncompressed bytes; equals packed unless deflated
	deflated bool
	crc      uint32      // CRC-32 of the uncompressed bytes
	summed   bool        // the archive contains crc
	sound    atomic.Bool // the checksum and, if deflated, the size were verified
}

// Limits of the memory and work for a file, in proportion to its size, plus an allowance
// that is enough for any small file.
const (
	// maxExpansion limits the size of all tensors' values as float32, as a multiple of
	// the file's size. Half-precision weights need 2, tied ones twice as much.
	maxExpansion  = 8
	freeExpansion = 16 << 20
	// maxWork and freeWork limit the bytes processed when each tensor is read once.
	maxWork  = 64
	freeWork = 256 << 20
	// maxInflated limits the bytes of decompressed storages, for files of any size: about
	// 1.5 times the largest CLIP.
	maxInflated = 16 << 30
)

// checkExpansion checks the tensors of a file of the given size against these limits.
func checkExpansion(tensors []*Tensor, fileSize int64) error {
	left := limit(fileSize, maxExpansion, freeExpansion)
	for _, t := range tensors {
		bytes, ok := multiply(t.count, max(4, t.DType.Size()))
		if left -= bytes; !ok || left < 0 {
			return malformed("the tensors' values need more than %d times the file's %d bytes", maxExpansion, fileSize)
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

// checkWork limits the bytes processed to read every tensor: its storage from the
// tensor's first to its last element, or from the storage's beginning if it is deflated,
// and the whole storage once for its checksum.
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
			return malformed("reading every tensor would process more than %d bytes", most)
		}
		if inflated < 0 {
			return malformed("reading every tensor would decompress more than %d bytes", int64(maxInflated))
		}
	}
	return nil
}

// stream visits the uncompressed bytes [from, to) in order, in chunks of len(buffer). If
// it reads the whole storage, it verifies the checksum.
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

// anyOrder reports whether parts of the storage can be read in any order and at once: it is
// neither deflated nor summed while it is read.
func (s *storage) anyOrder() bool { return !s.deflated && (!s.summed || s.sound.Load()) }

// verify reads the storage to verify its size and checksum, unless a read has already done so.
func (s *storage) verify() error {
	if s.sound.Load() || !s.summed && !s.deflated {
		return nil
	}
	return s.stream(0, s.size, make([]byte, min(chunkSize, s.size)), func(int64, []byte) {})
}

// open returns a reader at byte from of the uncompressed bytes. The caller must call
// finish after reading up to to; it verifies the storage's size and checksum if possible.
// For deflated data, finish reads to the end, once per storage.
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

// seek returns a reader at byte from of the uncompressed bytes.
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

// finish reads the rest and verifies size and checksum.
func (s *storage) finish(all *summingReader) error {
	// One byte past the declared size is enough to know that it is wrong.
	if _, err := io.Copy(io.Discard, io.LimitReader(all, s.size-all.n+1)); err != nil {
		return s.explain(err)
	}
	switch {
	case all.n > s.size:
		return malformed("%s decompresses to more than the declared %d bytes", s.name, s.size)
	case all.n < s.size:
		return malformed("%s decompresses to %d bytes, expected the declared %d", s.name, all.n, s.size)
	case s.summed && all.crc != s.crc:
		return malformed("%s is damaged: its checksum (CRC-32) is %08x, expected %08x", s.name, all.crc, s.crc)
	}
	s.sound.Store(true)
	return nil
}

// explain distinguishes damage of the file from file system errors.
func (s *storage) explain(err error) error {
	var corrupt flate.CorruptInputError
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &corrupt) {
		return malformed("%s ends early or is corrupt (%v)", s.name, err)
	}
	return fmt.Errorf("reading %s: %w", s.name, err)
}

// summingReader counts the bytes read and computes their CRC-32.
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
