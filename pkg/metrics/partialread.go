package metrics

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
)

// ReadFrom adds what WriteTo wrote, and reads from to its end. Where that is
// damaged, cut short, of another version or no partial result at all, the error
// says so, and nothing is added. Memory is bounded as it is for Add, whatever
// is read promises.
func (p *Pixels) ReadFrom(from io.Reader) (int64, error) {
	if p.pool == nil {
		return 0, errClosed
	}
	part := newPool(boundsOf(p.options.Memory, p.options.Workers), nil)
	part.store = p.pool.store.part() // one file for both
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

// partialReader counts and sums up what it reads. After the first error it reads nothing.
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

// number reads an unsigned number of so many bytes.
func (in *partialReader) number(bytes int) uint64 {
	var b [8]byte
	in.fill(b[:bytes])
	return binary.LittleEndian.Uint64(b[:])
}

// words fills words, a bounded number at a time.
func (in *partialReader) words(words []uint32) {
	for some := range slices.Chunk(words, wordsAtOnce) {
		in.buffer = resized(in.buffer, 4*len(some))
		in.fill(in.buffer)
		decode(some, in.buffer)
	}
}

// refuse makes what was read wrong, where condition holds and nothing was before.
func (in *partialReader) refuse(condition bool, format string, args ...any) {
	if in.err == nil && condition {
		in.err = fmt.Errorf(format, args...)
	}
}

// read adds a partial result to p, which is empty.
func (in *partialReader) read(p *pool) error {
	var heading [len(partialHeading) + len(partialVersion)]byte
	in.fill(heading[:])
	name, version := string(heading[:len(partialHeading)]), string(heading[len(partialHeading):])
	in.refuse(name != partialHeading, "it begins with %q instead of %q", name, partialHeading)
	in.refuse(version != partialVersion, "it is of version %q, and only %q can be read", version, partialVersion)
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
	in.refuse(!fits(p.regions, weight, p.piles[anomalous].count), "%d regions do not fit its pixels", p.regions)
	sum := in.sum
	in.refuse(uint32(in.number(4)) != sum, "its check sum is wrong")
	if in.err == nil {
		n, err := io.ReadFull(in, make([]byte, 1))
		in.refuse(n > 0, "something follows its end")
		in.refuse(err != io.EOF, "%w", err)
	}
	return in.err
}

// fits says whether so many regions have so many pixels, whose weights add up to
// the number of regions less a rounding of one unit a pixel.
func fits(regions uint64, weight uint128, pixels uint64) bool {
	if regions > pixels || regions >= 1<<(128-weightBits) {
		return false
	}
	most := uint128{high: regions << (weightBits - 64)}
	weight.add(uint128{low: pixels})
	return !weight.less(most) && !(uint128{most.high, pixels}).less(weight)
}

// run reads and checks a run. It returns nil at the end of them, and on an error.
func (in *partialReader) run(p *pool) *run {
	code := in.number(1)
	in.refuse(code > uint64(classes), "a run is of class %d", code)
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

// check refuses a run that no pool can have.
func (in *partialReader) check(r *run) {
	in.refuse(slices.Contains(r.sizes, 0), "a region has no pixels")
	in.refuse(!slices.IsSorted(r.keys), "a run is not in order")
	for _, key := range r.keys {
		in.refuse(!isKey(key), "a score is not a finite number")
	}
	for _, tag := range r.tags {
		in.refuse(int(tag) >= len(r.sizes), "a pixel is of no region")
	}
}
