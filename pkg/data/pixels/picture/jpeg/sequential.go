package jpeg

// zigzag is the natural index of each coefficient in storage order. Coefficients beyond
// the end, in damaged files, map to the last index.
var zigzag = [blockSize + 16]uint8{
	0, 1, 8, 16, 9, 2, 3, 10,
	17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34,
	27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36,
	29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46,
	53, 60, 61, 54, 47, 55, 62, 63,
	63, 63, 63, 63, 63, 63, 63, 63,
	63, 63, 63, 63, 63, 63, 63, 63,
}

// sequentialBlock decodes a block of a baseline scan.
func (s *scan) sequentialBlock(c *scanned, x, y int) {
	if !s.direct {
		if !s.exhausted {
			s.sequential(c.at(x, y), c)
		}
		return
	}
	samples := c.samples(x, y)
	if s.exhausted {
		fillBlock(samples, c.plane.stride, center)
		return
	}
	s.work = block{}
	last := s.sequential(&s.work, c)
	s.work.inverse(c.quant, last, samples, c.plane.stride)
}

// sequential decodes all coefficients of a block and returns the index of the last non-zero one.
func (s *scan) sequential(b *block, c *scanned) (last int) {
	r := &s.bits
	if r.n < enough {
		r.fill()
	}
	c.predicted += r.signed(int(r.symbol(c.dc)))
	b[0] = int16(c.predicted)
	next, n := r.next, r.n // local copies stay in registers
	for k := 1; k < blockSize; k++ {
		if n < enough {
			r.next, r.n = next, n
			r.fill()
			next, n = r.next, r.n
		}
		if whole := c.ac.number[next>>(word-numberBits)]; whole != 0 {
			next <<= whole & (word - 1)
			n -= int(whole & (word - 1))
			k += int(whole >> 8 & 15)
			b[zigzag[k]&(blockSize-1)] = int16(whole >> 16)
			last = k
			continue
		}
		e := c.ac.lookup[next>>(word-lookupBits)]
		length := int(e >> 8)
		v := uint8(e)
		if e == 0 {
			r.next, r.n = next, n
			v = r.longSymbol(c.ac)
			next, n, length = r.next, r.n, 0
		}
		next <<= length & (word - 1)
		n -= length
		size := int(v & 15)
		if size == 0 {
			if v != 0xf0 {
				break
			}
			k += 15
			continue
		}
		k += int(v >> 4)
		// As in bits.signed: a first bit of 0 means a negative number.
		positive := int32(int64(next) >> (word - 1))
		number := int32(next>>((word-size)&(word-1))) + (-1<<size+1)&^positive
		next <<= size
		n -= size
		b[zigzag[k]&(blockSize-1)] = int16(number)
		last = k
	}
	r.next, r.n = next, n
	return last
}
