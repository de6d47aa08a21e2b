package metrics

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
)

// ReadFrom reads from to its end and adds the pixels that WriteTo wrote. If the input is
// damaged, truncated, of another version or not a partial result, it returns an error
// and adds nothing. Memory is limited as for Add, for any input.
func (p *Pixels) ReadFrom(from io.Reader) (int64, error) {
	if p.pool == nil {
		return 0, errClosed
	}
	part := newPool(boundsOf(p.options.Memory, p.options.Workers), nil)
	part.store = p.pool.store.part() // shares p's file
	in := &partialReader{from: from}
	err := in.read(part)
	if err == nil {
		err = p.pool.merge(part)
	}
	if err != nil {
		err = fmt.Errorf("partial result of pixels: %w", err)
	}
	return in.bytes, errors.Join(err, part.close())
}

// partialReader counts the bytes read and computes their checksum. After the first error it reads nothing more.
type partialReader struct {
	from   io.Reader
	bytes  int64
	sum    uint32
	err    error
	buffer []byte
}

func (in *partialReader) Read(b []byte) (int, error) {
	n, err := in.from.Read(b)
	in.bytes += int64(n)
	in.sum = crc32.Update(in.sum, castagnoli, b[:n])
	return n, err
}

func (in *partialReader) fill(b []byte) {
	if in.err == nil {
		_, in.err = io.ReadFull(in, b)
	}
	if in.err == io.EOF {
		in.err = io.ErrUnexpectedEOF
	}
}

// number reads an unsigned number of the given number of bytes.
func (in *partialReader) number(bytes int) uint64 {
	var b [8]byte
	in.fill(b[:bytes])
	return binary.LittleEndian.Uint64(b[:])
}

// words fills words, a limited number at a time.
func (in *partialReader) words(words []uint32) {
	for some := range slices.Chunk(words, wordsAtOnce) {
		in.buffer = resized(in.buffer, 4*len(some))
		in.fill(in.buffer)
		decode(some, in.buffer)
	}
}

// refuse sets the error if condition holds and there is no earlier error.
func (in *partialReader) refuse(condition bool, format string, args ...any) {
	if in.err == nil && condition {
		in.err = fmt.Errorf(format, args...)
	}
}

// read adds a partial result to the empty pool p.
func (in *partialReader) read(p *pool) error {
	var heading [len(partialHeading) + len(partialVersion)]byte
	in.fill(heading[:])
	name, version := string(heading[:len(partialHeading)]), string(heading[len(partialHeading):])
	in.refuse(name != partialHeading, "it begins with %q, expected %q", name, partialHeading)
	in.refuse(version != partialVersion, "it has the version %q, but only %q is supported", version, partialVersion)
	var weight uint128
	for {
		r := in.run(p)
		if in.err != nil {
			return in.err
		}
		if r == nil {
			break
		}
		for _, tag := range r.tags {
			weight.add(weightOf(r.sizes[tag]))
		}
		p.adopt(r)
		if err := p.store.failure(); err != nil {
			return err
		}
	}
	p.regions = in.number(8)
	in.refuse(!possible(p.regions, weight, p.piles[anomalous].count), "%d regions do not match its pixels", p.regions)
	sum := in.sum
	in.refuse(uint32(in.number(4)) != sum, "its checksum is wrong")
	if in.err == nil {
		n, err := io.ReadFull(in, make([]byte, 1))
		in.refuse(n > 0, "it has unexpected data after its end")
		in.refuse(err != io.EOF, "%w", err)
	}
	return in.err
}

// possible reports whether regions with the given number of pixels are possible: the pixels'
// weights must sum to the number of regions, minus a rounding error of one unit per
// pixel.
func possible(regions uint64, weight uint128, pixels uint64) bool {
	if regions > pixels || regions >= 1<<(128-weightBits) {
		return false
	}
	most := uint128{high: regions << (weightBits - 64)}
	weight.add(uint128{low: pixels})
	return !weight.less(most) && !(uint128{most.high, pixels}).less(weight)
}

// run reads and checks a run. It returns nil after the last run and on an error.
func (in *partialReader) run(p *pool) *run {
	code := in.number(1)
	in.refuse(code > uint64(classes), "a run has the unknown class %d", code)
	if in.err != nil || code == endOfRuns {
		return nil
	}
	length := in.number(4)
	in.refuse(length == 0 || length > runLength, "a run has %d pixels", length)
	r := &run{}
	if class(code-1) == anomalous {
		n := in.number(2)
		in.refuse(n == 0 || n > sizesOfRun, "a run has regions of %d sizes", n)
		if in.err == nil {
			r.sizes = make([]uint32, n)
			in.words(r.sizes)
		}
	}
	if in.err != nil {
		return nil
	}
	m := p.store.memory(int(length), r.class())
	m.keys = m.keys[:length]
	in.words(m.keys)
	if r.class() == anomalous {
		m.tags = m.tags[:length]
		in.fill(m.tags)
	}
	r.hold(m)
	in.check(r)
	return r
}

// check sets an error for a run that no pool can contain.
func (in *partialReader) check(r *run) {
	in.refuse(slices.Contains(r.sizes, 0), "a region has no pixels")
	in.refuse(!slices.IsSorted(r.keys), "a run is not sorted")
	for _, key := range r.keys {
		in.refuse(!isKey(key), "a score is not a finite number")
	}
	for _, tag := range r.tags {
		in.refuse(int(tag) >= len(r.sizes), "a pixel belongs to no region")
	}
}
