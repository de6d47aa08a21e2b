package jpeg

import "errors"

// progression is the part of the coefficients that a progressive scan codes. Baseline
// scans only use its table numbers.
type progression struct {
	dcSlots, acSlots [4]byte
	first, last      int // coefficients, in zigzag order
	high, low        int // lowest known bit before and after the scan, from 0; high is 0 in a first scan
	run              int // remaining blocks of an end-of-band run
}

func (p *progression) parameters(b []byte) {
	p.first, p.last, p.high, p.low = int(b[0]), int(b[1]), int(b[2]>>4), int(b[2]&15)
}

// check validates the scan and records the accuracy of the coefficients after it.
func (p *progression) check(s *scan) error {
	const maxLow = 13
	switch {
	case p.first == 0 && p.last != 0,
		p.first > p.last || p.last >= blockSize,
		p.first > 0 && len(s.components) > 1,
		p.high != 0 && p.low != p.high-1,
		p.low > maxLow:
		return errors.New("malformed header of a progressive scan")
	}
	for _, c := range s.components {
		c.before = [smoothed]int8{}
		if s.scans > 1 {
			copy(c.before[:], c.accuracy[:])
		}
		for k := p.first; k <= p.last; k++ {
			c.accuracy[k] = int8(p.low)
		}
	}
	return nil
}

// decoder returns the function that decodes a block of the scan.
func (p *progression) decoder(s *scan) func(c *scanned, x, y int) {
	var decode func(r *bits, b *block, c *scanned)
	switch {
	case p.first == 0 && p.high == 0:
		decode = p.firstDC
	case p.first == 0:
		decode = p.refineDC
	case p.high == 0:
		decode = p.firstAC
	default:
		decode = p.refineAC
	}
	return func(c *scanned, x, y int) {
		if !s.exhausted {
			decode(&s.bits, c.at(x, y), c)
		}
	}
}

func (p *progression) firstDC(r *bits, b *block, c *scanned) {
	if r.n < enough {
		r.fill()
	}
	c.predicted += r.signed(int(r.symbol(c.dc)))
	b[0] = int16(c.predicted << p.low)
}

func (p *progression) refineDC(r *bits, b *block, _ *scanned) {
	if r.n < enough {
		r.fill()
	}
	b[0] |= int16(r.take(1) << p.low)
}

func (p *progression) firstAC(r *bits, b *block, c *scanned) {
	if p.run > 0 {
		p.run--
		return
	}
	for k := p.first; k <= p.last; k++ {
		if r.n < enough {
			r.fill()
		}
		v := r.symbol(c.ac)
		zeros, size := int(v>>4), int(v&15)
		switch {
		case size > 0:
			k += zeros
			b[zigzag[k]] = int16(r.signed(size) << p.low)
		case zeros == 15:
			k += 15
		default:
			p.run = 1<<zeros + int(r.take(zeros)) - 1
			return
		}
	}
}

// refineAC reads one more bit of each non-zero coefficient, and new coefficients of one bit.
func (p *progression) refineAC(r *bits, b *block, c *scanned) {
	k := p.first
	for ; p.run == 0 && k <= p.last; k++ {
		if r.n < enough {
			r.fill()
		}
		v := r.symbol(c.ac)
		zeros, fresh := int(v>>4), int16(0)
		switch {
		case v&15 != 0:
			fresh = -1 << p.low
			if r.take(1) != 0 {
				fresh = 1 << p.low
			}
		case zeros < 15:
			p.run = 1<<zeros + int(r.take(zeros))
		}
		if p.run > 0 {
			break
		}
		k = p.correct(r, b, k, zeros)
		if fresh != 0 {
			b[zigzag[k]] = fresh
		}
	}
	if p.run > 0 {
		p.correct(r, b, k, blockSize)
		p.run--
	}
}

// correct reads one bit for each non-zero coefficient from k on, up to the zero after the
// given number of zeros, and returns the index of that zero.
func (p *progression) correct(r *bits, b *block, k, zeros int) int {
	for ; k <= p.last; k++ {
		v := &b[zigzag[k]]
		if *v == 0 {
			if zeros--; zeros < 0 {
				break
			}
			continue
		}
		if r.n < enough {
			r.fill()
		}
		if r.take(1) != 0 && *v&(1<<p.low) == 0 {
			if *v > 0 {
				*v += 1 << p.low
			} else {
				*v -= 1 << p.low
			}
		}
	}
	return k
}
