package jpeg

import (
	"errors"
	"fmt"
	"io"
)

// zigzag is the natural place of each coefficient in the order in which they
// are stored. What a damaged file places behind the end goes to the last one.
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

const (
	// maxBlocksInMCU is the standard's limit of blocks that are coded together.
	maxBlocksInMCU = 10
	// maxVisits and freeVisits bound the time that hostile files take: all scans
	// together go over each block no more than maxVisits times, or freeVisits in all.
	// Real files do so less than ten times.
	maxVisits  = 100
	freeVisits = 1 << 22
)

// scan is one pass over the blocks of some components.
type scan struct {
	*decoder
	components  []scanned
	progressive progression
	direct      bool // the only scan: samples are made at once
	work        block

	left      int  // MCUs before the next restart marker
	restarts  byte // the number of that marker
	exhausted bool // the data ended early: blocks stay as they are
}

// scanned is a component of a scan.
type scanned struct {
	*component
	dc, ac    *huffman
	predicted int32 // the DC value before
}

// decode reads the whole stream.
func (d *decoder) decode() error {
	if err := d.start(); err != nil {
		return err
	}
	for {
		marker, err := d.segments()
		switch {
		case errors.Is(err, io.EOF) && d.complete():
			return nil // the end marker is missing
		case err != nil:
			return err
		case marker == markerSOS:
			if err := d.readScan(); err != nil {
				return err
			}
		case d.frame == nil: // tables alone, which a picture may follow
			if err := d.start(); err != nil {
				return err
			}
		case d.scans == 0:
			return errors.New("the stream ends without a scan")
		default:
			d.reconstruct()
			return nil
		}
	}
}

// complete reports whether the only scan was read.
func (d *decoder) complete() bool { return d.scans == 1 && d.frame.components[0].coefficient == nil }

// readScan reads a scan's header, behind its marker, and the data.
func (d *decoder) readScan() error {
	if d.frame == nil {
		return errors.New("a scan stands before the frame's header")
	}
	if d.complete() {
		return errors.New("there is a second scan of all components")
	}
	body, err := bodyAt(d.b, d.at)
	if err != nil {
		return err
	}
	d.at += 2 + len(body)
	s, err := d.newScan(body)
	if err != nil {
		return err
	}
	d.scans++
	if d.scans == 1 {
		s.direct = !d.frame.progressive && len(s.components) == len(d.frame.components)
		if err := d.frame.allocate(!s.direct, len(d.b)); err != nil {
			return err
		}
	}
	if err := s.prepare(); err != nil {
		return err
	}
	return s.run()
}

// newScan reads a scan's header.
func (d *decoder) newScan(body []byte) (*scan, error) {
	if len(body) < 1 || body[0] < 1 || body[0] > 4 || len(body) != 4+2*int(body[0]) {
		return nil, errors.New("a scan's header is not well formed")
	}
	s := &scan{decoder: d}
	blocks, all := 0, d.frame.components
	for i := range int(body[0]) {
		id, tables := body[1+2*i], body[2+2*i]
		at := i // components stand in the frame's order; identifiers may be the same
		for at < len(all) && all[at].id != id {
			at++
		}
		if at == len(all) {
			return nil, fmt.Errorf("a scan has the component %d, which the frame has not", id)
		}
		for _, other := range s.components {
			if other.component == &all[at] {
				return nil, fmt.Errorf("a scan has the component %d twice", id)
			}
		}
		s.components = append(s.components, scanned{component: &all[at]})
		blocks += all[at].h * all[at].v
		s.progressive.dcSlots[i], s.progressive.acSlots[i] = tables>>4, tables&15
	}
	if len(s.components) > 1 && blocks > maxBlocksInMCU {
		return nil, fmt.Errorf("a scan has %d blocks in an MCU, more than %d", blocks, maxBlocksInMCU)
	}
	s.progressive.parameters(body[len(body)-3:])
	return s, nil
}

// prepare finds the tables that the scan needs.
func (s *scan) prepare() error {
	for _, c := range s.components {
		if c.quant == nil {
			if c.slot >= tableSlots || s.quant[c.slot] == nil {
				return fmt.Errorf("there is no quantization table %d", c.slot)
			}
			c.quant = s.quant[c.slot]
		}
	}
	needDC, needAC := true, true
	if s.frame.progressive {
		if err := s.progressive.check(s); err != nil {
			return err
		}
		needDC, needAC = s.progressive.first == 0 && s.progressive.high == 0, s.progressive.first > 0
	} else {
		s.standardTables()
	}
	for i := range s.components {
		c := &s.components[i]
		var err error
		if needDC {
			c.dc, err = table(s.dc[:], s.progressive.dcSlots[i], 15)
		}
		if err == nil && needAC {
			c.ac, err = table(s.ac[:], s.progressive.acSlots[i], 255)
		}
		if err != nil {
			return err
		}
	}
	s.drop()
	s.left = s.interval
	return nil
}

func table(all []*huffmanCodes, slot byte, largest uint8) (*huffman, error) {
	if int(slot) >= len(all) || all[slot] == nil {
		return nil, fmt.Errorf("there is no Huffman table %d", slot)
	}
	return all[slot].ready(largest)
}

// run decodes the scan's data.
func (s *scan) run() error {
	if err := s.countVisits(); err != nil {
		return err
	}
	decode := s.sequentialBlock
	if s.frame.progressive {
		decode = s.progressive.decoder(s)
	}
	if len(s.components) == 1 {
		return s.runSingle(decode)
	}
	for mcu := range s.frame.mcus {
		if skip, err := s.begin(mcu / s.frame.mcusAcross); err != nil || skip {
			return err
		}
		left, top := mcu%s.frame.mcusAcross, mcu/s.frame.mcusAcross
		for i := range s.components {
			c := &s.components[i]
			for y := range c.v {
				for x := range c.h {
					decode(c, left*c.h+x, top*c.v+y)
				}
			}
		}
		if err := s.end(); err != nil {
			return err
		}
	}
	return nil
}

// runSingle decodes a scan of one component, whose blocks are not grouped.
func (s *scan) runSingle(decode func(c *scanned, x, y int)) error {
	c := &s.components[0]
	for y := range c.blocks.Y {
		for x := range c.blocks.X {
			if skip, err := s.begin(y / c.v); err != nil || skip {
				return err
			}
			decode(c, x, y)
			if err := s.end(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *scan) countVisits() error {
	all := int64(0)
	for _, c := range s.frame.components {
		all += int64(c.blocks.X) * int64(c.blocks.Y)
	}
	for _, c := range s.components {
		s.visits += int64(c.blocks.X) * int64(c.blocks.Y)
	}
	if s.visits > max(freeVisits, maxVisits*all) {
		return &UnsupportedError{fmt.Sprintf("JPEG of %d scans", s.scans)}
	}
	return nil
}

// begin deals with a restart marker before an MCU. row is the MCU's row, of
// MCUs of all components. It reports whether the rest of the scan can be left out.
func (s *scan) begin(row int) (skip bool, err error) {
	if s.interval > 0 {
		if s.left == 0 {
			if err := s.restart(); err != nil {
				return false, err
			}
		}
		s.left--
	}
	if !s.exhausted {
		s.lastGood = row
	}
	return s.exhausted && s.interval == 0 && !s.direct, nil
}

// end notes whether an MCU used data that are missing.
func (s *scan) end() error {
	if !s.exhausted && s.isLacking() {
		if s.marker == 0 {
			return io.ErrUnexpectedEOF
		}
		s.exhausted = true
	}
	return nil
}

// restart goes behind the next restart marker, or stays before another one as libjpeg does.
func (s *scan) restart() error {
	s.drop()
	if s.marker == 0 {
		if err := s.toMarker(); err != nil {
			return err
		}
	}
	if err := s.resynchronize(); err != nil {
		return err
	}
	for i := range s.components {
		s.components[i].predicted = 0
	}
	s.progressive.run = 0
	s.left = s.interval
	s.restarts = (s.restarts + 1) % 8
	if s.marker == 0 {
		s.exhausted = false
	}
	return nil
}

func (s *scan) toMarker() (err error) {
	s.marker, s.at, err = nextMarker(s.b, s.at)
	return err
}

// resynchronize decides what a restart marker that was not expected means: one
// of the two before was sent again, one of the two after shows that data are
// lost, and any other is taken for the expected one.
func (s *scan) resynchronize() error {
	for {
		ahead := (s.marker - markerRST0 - s.restarts) % 8
		switch {
		case s.marker < markerSOF0:
		case s.marker < markerRST0 || s.marker > markerRST7 || ahead == 1 || ahead == 2:
			return nil // the blocks up to there stay as they are
		case ahead == 6 || ahead == 7:
		default:
			s.marker = 0
			return nil
		}
		if err := s.toMarker(); err != nil {
			return err
		}
	}
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

// sequential decodes all coefficients of a block, and returns the place of the last one that is not zero.
func (s *scan) sequential(b *block, c *scanned) (last int) {
	r := &s.bits
	if r.n < enough {
		r.fill()
	}
	c.predicted += r.signed(int(r.symbol(c.dc)))
	b[0] = int16(c.predicted)
	for k := 1; k < blockSize; k++ {
		if r.n < enough {
			r.fill()
		}
		v := r.symbol(c.ac)
		size := int(v & 15)
		if size == 0 {
			if v != 0xf0 {
				break
			}
			k += 15
			continue
		}
		k += int(v >> 4)
		b[zigzag[k]&(blockSize-1)] = int16(r.signed(size))
		last = k
	}
	return last
}
