package jpeg

import (
	"errors"
	"fmt"
	"io"
)

const (
	// maxBlocksInMCU is the standard's maximum number of blocks in an MCU.
	maxBlocksInMCU = 10
	// maxVisits and freeVisits limit the decoding time of malicious files: all scans
	// together may visit each block maxVisits times on average, or freeVisits blocks in
	// total. Real files visit each block fewer than ten times.
	maxVisits  = 100
	freeVisits = 1 << 22
)

// scan is one pass over the blocks of some components.
type scan struct {
	*decoder
	components  []scanned
	progressive progression
	direct      bool // the only scan: samples are computed immediately
	work        block

	left      int  // MCUs before the next restart marker
	restarts  byte // the number of that marker
	exhausted bool // the data ended early: remaining blocks stay unchanged
}

// scanned is a component of a scan.
type scanned struct {
	*component
	dc, ac    *huffman
	predicted int32 // the previous DC value
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
		case d.frame == nil: // only tables, a picture may follow
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

// complete reports whether the frame has a single scan and it was read.
func (d *decoder) complete() bool { return d.scans == 1 && d.frame.components[0].coefficient == nil }

// readScan reads a scan's header, after its marker, and its data.
func (d *decoder) readScan() error {
	if d.frame == nil {
		return errors.New("a scan comes before the frame header")
	}
	if d.complete() {
		return errors.New("it has a second scan of all components")
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
		return nil, errors.New("malformed scan header")
	}
	s := &scan{decoder: d}
	blocks, all := 0, d.frame.components
	for i := range int(body[0]) {
		id, tables := body[1+2*i], body[2+2*i]
		at := i // components are in the frame's order; identifiers may be equal
		for at < len(all) && all[at].id != id {
			at++
		}
		if at == len(all) {
			return nil, fmt.Errorf("a scan has the component %d, which is not in the frame", id)
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
		return nil, fmt.Errorf("a scan has %d blocks in an MCU, the maximum is %d", blocks, maxBlocksInMCU)
	}
	s.progressive.parameters(body[len(body)-3:])
	return s, nil
}

// prepare looks up the tables that the scan needs.
func (s *scan) prepare() error {
	for _, c := range s.components {
		if c.quant == nil {
			if c.slot >= tableSlots || s.quant[c.slot] == nil {
				return fmt.Errorf("missing quantization table %d", c.slot)
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
		if !s.frame.progressive {
			c.ac.enterNumbers()
		}
	}
	s.drop()
	s.left = s.interval
	return nil
}

func table(all []*huffmanCodes, slot byte, largest uint8) (*huffman, error) {
	if int(slot) >= len(all) || all[slot] == nil {
		return nil, fmt.Errorf("missing Huffman table %d", slot)
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
		return notRead(fmt.Sprintf("JPEG with %d scans", s.scans))
	}
	return nil
}

// begin handles a restart marker before an MCU. row is the MCU's row, in units of MCUs of
// all components. skip reports whether the rest of the scan can be skipped.
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

// end records whether an MCU used missing data.
func (s *scan) end() error {
	if !s.exhausted && s.isLacking() {
		if s.marker == 0 {
			return io.ErrUnexpectedEOF
		}
		s.exhausted = true
	}
	return nil
}
