package tiff

import (
	"errors"
	"fmt"
	"io"

	"acdclip/pkg/data/pixels/picture/unsupported"
)

// The codes are those of ITU-T T.4 (group 3, one- and two-dimensional) and T.6 (group 4).
// In decoded rows, a set bit is black, before the photometric interpretation is
// applied.

func unfax(dst []byte, src packed) error { return faxStrip(dst, src, faxRun{align: 8}) }

func unfaxWords(dst []byte, src packed) error { return faxStrip(dst, src, faxRun{align: 16}) }

func unfax4(dst []byte, src packed) error { return faxStrip(dst, src, faxRun{always2D: true}) }

func unfax3(dst []byte, src packed) error {
	const twoDimensional = 1 // bit mask in T4Options
	return faxStrip(dst, src, faxRun{lineEnds: true, tagged2D: src.options&twoDimensional != 0})
}

// faxRun is the format of the rows of a strip.
type faxRun struct {
	align    int  // rows start at multiples of this number of bits; 0: at the end of the previous row
	lineEnds bool // an end-of-line code precedes each row
	tagged2D bool // a bit after that code tells whether the row is one-dimensional
	always2D bool
}

func faxStrip(dst []byte, src packed, run faxRun) error {
	r := &faxReader{bits: bitReader{b: src.bytes}, width: src.width, tables: faxTables()}
	for row := 0; len(dst) > 0; row++ {
		if err := r.row(run); err != nil {
			return fmt.Errorf("row %d: %w", row, err)
		}
		paintRuns(dst[:src.rowBytes], r.current)
		dst = dst[src.rowBytes:]
		r.reference, r.current = r.current, r.reference[:0]
	}
	return nil
}

// faxReader stores a row as the positions of its color changes, in ascending order and
// below the width. The first change is to black.
type faxReader struct {
	bits               bitReader
	width              int
	tables             *faxCodes
	reference, current []int
}

func (r *faxReader) row(run faxRun) error {
	if run.align > 0 {
		r.bits.at = (r.bits.at + run.align - 1) / run.align * run.align
	}
	twoDimensional := run.always2D
	if run.lineEnds {
		marked := r.skipLineEnd()
		if run.tagged2D {
			if !marked {
				return errors.New("missing end-of-line code")
			}
			twoDimensional = r.bits.take(1) == 0
		}
		if marked && r.bits.peek(lineEndBits) == 0 {
			return io.ErrUnexpectedEOF // several consecutive codes end the picture
		}
	}
	if twoDimensional {
		return r.row2D()
	}
	return r.row1D()
}

// lineEndBits is the minimum number of zeros before the 1 of an end-of-line code.
const lineEndBits = 11

func (r *faxReader) skipLineEnd() (marked bool) {
	if r.bits.peek(lineEndBits) != 0 {
		return false
	}
	for !r.bits.ended() && r.bits.take(1) == 0 {
	}
	return true
}

func (r *faxReader) row1D() error {
	for at, black := 0, false; at < r.width; black = !black {
		n, err := r.run(black)
		if err != nil {
			return err
		}
		at += n
		if err := r.change(at); err != nil {
			return err
		}
	}
	return nil
}

func (r *faxReader) row2D() error {
	at, black := -1, false // -1: before the first pixel, which may be a change
	below := 0             // index of the first relevant change in the row above
	for at < r.width {
		// b1 is the first change to the other color after at in the row above, b2 the next change.
		for below > 0 && r.above(below-1) > at {
			below--
		}
		for below%2 == 1 != black || r.above(below) <= at && r.above(below) < r.width {
			below++
		}
		mode, err := r.mode()
		if err != nil {
			return err
		}
		switch mode {
		case faxPass:
			at = r.above(below + 1)
		case faxHorizontal:
			at = max(at, 0)
			for _, color := range []bool{black, !black} {
				n, err := r.run(color)
				if err != nil {
					return err
				}
				at += n
				if err := r.change(at); err != nil {
					return err
				}
			}
		default:
			next := r.above(below) + int(mode)
			if next < max(at, 0) {
				return errFaxCode
			}
			if err := r.change(next); err != nil {
				return err
			}
			at, black = next, !black
		}
	}
	return nil
}

// above returns change i of the row above, or the width if there is none.
func (r *faxReader) above(i int) int {
	if i < len(r.reference) {
		return r.reference[i]
	}
	return r.width
}

// change adds a color change at a position. A second change at the same position removes the first.
func (r *faxReader) change(at int) error {
	last := len(r.current) - 1
	switch {
	case at > r.width:
		return fmt.Errorf("the row is longer than %d pixels", r.width)
	case last >= 0 && r.current[last] == at:
		r.current = r.current[:last]
	default:
		r.current = append(r.current, at)
	}
	return nil
}

// paintRuns sets the bits of the black pixels.
func paintRuns(row []byte, changes []int) {
	clear(row)
	for i := 0; i < len(changes); i += 2 {
		end := 8 * len(row)
		if i+1 < len(changes) {
			end = changes[i+1]
		}
		for x := changes[i]; x < end; {
			if x%8 == 0 && end-x >= 8 {
				row[x/8] = 0xff
				x += 8
				continue
			}
			row[x/8] |= 0x80 >> (x % 8)
			x++
		}
	}
}

var errFaxCode = errors.New("invalid fax code")

// run reads the length of a run of one color: any number of codes for multiples of 64, then one for the rest.
func (r *faxReader) run(black bool) (int, error) {
	table := &r.tables.white
	if black {
		table = &r.tables.black
	}
	for length := 0; ; {
		if r.bits.ended() {
			return 0, io.ErrUnexpectedEOF
		}
		code := table[r.bits.peek(faxCodeBits)]
		if code.bits == 0 {
			return 0, errFaxCode
		}
		r.bits.at += int(code.bits)
		if length += int(code.run); length > r.width {
			return 0, fmt.Errorf("the row is longer than %d pixels", r.width)
		}
		if code.run < 64 {
			return length, nil
		}
	}
}

// faxMode is a two-dimensional code: the distance of a change from the one in the row
// above, -3 to 3, or one of the other modes.
type faxMode int

const (
	faxPass       faxMode = 4 // skips two changes of the row above
	faxHorizontal faxMode = 5 // two run lengths follow
)

func (r *faxReader) mode() (faxMode, error) {
	if r.bits.ended() {
		return 0, io.ErrUnexpectedEOF
	}
	for _, m := range []struct {
		bits, code int
		mode       faxMode
	}{
		{1, 0b1, 0}, {3, 0b011, 1}, {3, 0b010, -1}, {3, 0b001, faxHorizontal}, {4, 0b0001, faxPass},
		{6, 0b000011, 2}, {6, 0b000010, -2}, {7, 0b0000011, 3}, {7, 0b0000010, -3},
	} {
		if r.bits.peek(m.bits) == m.code {
			r.bits.at += m.bits
			return m.mode, nil
		}
	}
	switch {
	case r.bits.peek(7) == 0b0000001:
		return 0, unsupported.Feature("uncompressed rows in a fax of a TIFF; %s", advice)
	case r.bits.peek(lineEndBits) == 0:
		return 0, io.ErrUnexpectedEOF
	}
	return 0, errFaxCode
}

// bitReader reads bits, highest bit of each byte first. After the end it returns zeros.
type bitReader struct {
	b  []byte
	at int // position in bits
}

func (r *bitReader) ended() bool { return r.at >= 8*len(r.b) }

// peek returns the next bits, at most 16.
func (r *bitReader) peek(n int) int {
	var v uint32
	for i := range 3 {
		v <<= 8
		if at := r.at/8 + i; at < len(r.b) {
			v |= uint32(r.b[at])
		}
	}
	return int(v << (8 + r.at%8) >> (32 - n))
}

func (r *bitReader) take(n int) int {
	v := r.peek(n)
	r.at += n
	return v
}
