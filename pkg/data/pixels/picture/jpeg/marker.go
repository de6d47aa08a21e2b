package jpeg

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
)

// The markers that this package handles.
const (
	markerTEM   = 0x01
	markerSOF0  = 0xc0 // baseline
	markerSOF2  = 0xc2 // progressive
	markerDHT   = 0xc4
	markerJPG   = 0xc8
	markerDAC   = 0xcc
	markerSOF15 = 0xcf
	markerRST0  = 0xd0
	markerRST7  = 0xd7
	markerSOI   = 0xd8
	markerEOI   = 0xd9
	markerSOS   = 0xda
	markerDQT   = 0xdb
	markerDRI   = 0xdd
	markerAPP0  = 0xe0
	markerAPP14 = 0xee
	markerAPP15 = 0xef
	markerLS    = 0xf7 // a frame of JPEG-LS
	markerCOM   = 0xfe
)

// tableSlots is the number of slots for tables of one kind.
const tableSlots = 4

var errNoStart = errors.New("no start marker")

// decoder is the state of one decoding.
type decoder struct {
	bits // the content and the read position

	quant    [tableSlots]*[blockSize]uint16 // in natural order; nil if not defined
	dc, ac   [tableSlots]*huffmanCodes
	interval int // MCUs between restart markers; 0 for none

	jfif, adobe bool
	transform   byte  // Adobe's color transform, if adobe is set
	maxPixels   int64 // 0: no limit
	frame       *frame
	scans       int
	lastGood    int   // the last row of MCUs for which the last scan has data
	visits      int64 // number of blocks that the scans have visited
}

// open starts reading b. Tables read before stay defined.
func (d *decoder) open(b []byte) { d.bits = bits{b: b} }

// readTables reads a stream of tables without a picture.
func (d *decoder) readTables(b []byte) error {
	d.open(b)
	if err := d.start(); err != nil {
		return err
	}
	marker, err := d.segments()
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return err
	case d.frame != nil || marker == markerSOS:
		return errors.New("they contain a picture")
	}
	return nil
}

// start reads the start marker, which resets all state except the tables.
func (d *decoder) start() error {
	if d.at+2 > len(d.b) || d.b[d.at] != 0xff || d.b[d.at+1] != markerSOI {
		return errNoStart
	}
	d.at += 2
	d.interval, d.jfif, d.adobe, d.transform = 0, false, false, 0
	return nil
}

// nextMarker finds the next marker and skips other bytes.
func nextMarker(b []byte, at int) (marker byte, next int, err error) {
	for {
		skipped := bytes.IndexByte(b[at:], 0xff)
		if skipped < 0 {
			return 0, len(b), io.EOF
		}
		for at += skipped; at < len(b) && b[at] == 0xff; at++ {
		}
		if at >= len(b) {
			return 0, at, io.EOF
		}
		at++
		if b[at-1] != 0 {
			return b[at-1], at, nil
		}
	}
}

// bodyAt returns the content of the segment whose length field is at b[at:].
func bodyAt(b []byte, at int) ([]byte, error) {
	if at+2 > len(b) {
		return nil, io.EOF
	}
	length := int(b[at])<<8 | int(b[at+1])
	if length < 2 {
		return nil, fmt.Errorf("a segment has the invalid length %d", length)
	}
	if at+length > len(b) {
		return nil, io.EOF
	}
	return b[at+2 : at+length], nil
}

// Segments yields the marker and content of the segments before the first scan. It stops
// at the first error.
func Segments(b []byte) iter.Seq2[byte, []byte] {
	return func(yield func(byte, []byte) bool) {
		for at := 2; at <= len(b); {
			marker, next, err := nextMarker(b, at)
			if err != nil || marker == markerSOS {
				return
			}
			at = next
			if alone(marker) {
				continue
			}
			body, err := bodyAt(b, at)
			if err != nil || !yield(marker, body) {
				return
			}
			at += 2 + len(body)
		}
	}
}

// alone reports whether a marker has no content.
func alone(marker byte) bool {
	return marker == markerTEM || marker >= markerRST0 && marker <= markerEOI
}

// known reports whether a stream may contain a segment with the marker.
func known(marker byte) bool {
	switch {
	case marker >= markerSOF0 && marker <= markerDRI, marker >= markerAPP0 && marker <= markerAPP15, marker == markerCOM, marker == markerLS:
		return true
	}
	return alone(marker)
}

// segments reads up to a scan or the end of the stream, and returns that marker.
func (d *decoder) segments() (marker byte, err error) {
	for {
		if marker = d.marker; marker == 0 {
			if marker, d.at, err = nextMarker(d.b, d.at); err != nil {
				return 0, err
			}
		}
		d.marker = 0
		switch {
		case marker == markerEOI || marker == markerSOS:
			return marker, nil
		case marker == markerSOI:
			return 0, errors.New("duplicate start marker")
		case alone(marker):
			continue
		case !known(marker):
			return 0, fmt.Errorf("unknown marker %#02x", marker)
		}
		body, err := bodyAt(d.b, d.at)
		if err != nil {
			return 0, err
		}
		d.at += 2 + len(body)
		if err := d.segment(marker, body); err != nil {
			return 0, err
		}
	}
}

func (d *decoder) segment(marker byte, body []byte) error {
	switch {
	case marker == markerDQT:
		return d.readQuantization(body)
	case marker == markerDHT:
		return d.readHuffman(body)
	case marker == markerDRI:
		if len(body) != 2 {
			return fmt.Errorf("the restart interval has an invalid length of %d bytes", len(body))
		}
		d.interval = int(body[0])<<8 | int(body[1])
	case marker == markerDAC:
	case marker >= markerAPP0 && marker <= markerAPP15:
		d.readApplication(marker, body)
	case startsFrame(marker):
		return d.readFrame(marker, body)
	}
	return nil
}

func (d *decoder) readFrame(marker byte, body []byte) error {
	if d.frame != nil {
		return errors.New("it has a second frame")
	}
	f, err := parseFrame(marker, body)
	if err != nil {
		return err
	}
	if pixels := int64(f.width) * int64(f.height); d.maxPixels > 0 && pixels > d.maxPixels {
		return fmt.Errorf("the frame header declares %d x %d pixels, the maximum is %d", f.width, f.height, d.maxPixels)
	}
	d.frame = f
	return nil
}

// readApplication reads the color information of application segments. Like libjpeg, it ignores short segments.
func (d *decoder) readApplication(marker byte, body []byte) {
	const jfifLength, adobeLength = 14, 12
	switch {
	case marker == markerAPP0 && len(body) >= jfifLength && bytes.HasPrefix(body, []byte("JFIF\x00")):
		d.jfif = true
	case marker == markerAPP14 && len(body) >= adobeLength && bytes.HasPrefix(body, []byte("Adobe")):
		d.adobe, d.transform = true, body[11]
	}
}

func (d *decoder) readQuantization(body []byte) error {
	for len(body) > 0 {
		slot, wide := body[0]&15, body[0]>>4 != 0
		size := blockSize
		if wide {
			size *= 2
		}
		if slot >= tableSlots || len(body) < 1+size {
			return errors.New("malformed quantization table")
		}
		table := new([blockSize]uint16)
		for i := range blockSize {
			if wide {
				table[zigzag[i]] = uint16(body[1+2*i])<<8 | uint16(body[2+2*i])
			} else {
				table[zigzag[i]] = uint16(body[1+i])
			}
		}
		d.quant[slot] = table
		body = body[1+size:]
	}
	return nil
}

func (d *decoder) readHuffman(body []byte) error {
	const head = 17 // class and slot 1, the number of codes of each length 16
	for len(body) > 0 {
		if len(body) < head {
			return errors.New("malformed Huffman table")
		}
		codes, err := parseHuffman(body[1:])
		if err != nil {
			return err
		}
		slot, tables := body[0]&^0x10, &d.dc
		if body[0]&0x10 != 0 {
			tables = &d.ac
		}
		if slot >= tableSlots {
			return fmt.Errorf("a Huffman table has the invalid number %#02x", body[0])
		}
		tables[slot] = codes
		body = body[head+len(codes.values):]
	}
	return nil
}
