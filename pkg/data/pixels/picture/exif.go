package picture

import (
	"bytes"
	"encoding/binary"
	"math"

	"acdclip/pkg/data/pixels/picture/orientation"
)

// metadata is a file's metadata; missing parts are nil.
type metadata struct {
	exif []byte // a TIFF structure without pixels, after an optional "Exif" and two zeros
	xmp  []byte
}

// orientation returns the picture's orientation as Pillow's ImageOps.exif_transpose
// determines it: from EXIF, else from XMP. Missing or invalid metadata means Upright.
func (m metadata) orientation() Orientation {
	value, found := exifOrientation(m.exif)
	if !found {
		return orientation.InXMP(m.xmp)
	}
	return orientation.Of(value)
}

const (
	exifTag      = 0x0112
	ifdEntrySize = 12
)

// exifOrientation reads the value of the last orientation tag. A tag without a number
// counts as found, with the value 0.
func exifOrientation(b []byte) (value float64, found bool) {
	for bytes.HasPrefix(b, []byte(exifStart)) {
		b = b[len(exifStart):]
	}
	if len(b) < 8 {
		return 0, false
	}
	var order binary.ByteOrder
	switch string(b[:4]) {
	case "II*\x00", "II\x00*":
		order = binary.LittleEndian
	case "MM\x00*", "MM*\x00":
		order = binary.BigEndian
	default:
		return 0, false
	}
	at := uint64(order.Uint32(b[4:]))
	if at+2 > uint64(len(b)) {
		return 0, false
	}
	entries := b[at+2:]
	for range order.Uint16(b[at:]) {
		if len(entries) < ifdEntrySize {
			break
		}
		entry := entries[:ifdEntrySize]
		entries = entries[ifdEntrySize:]
		kind, known := exifKinds[order.Uint16(entry[2:])]
		if !known {
			continue
		}
		data := entry[8:]
		if size := uint64(order.Uint32(entry[4:])) * kind.size; size == 0 {
			continue
		} else if size > 4 {
			start := uint64(order.Uint32(data))
			if start+size > uint64(len(b)) {
				break // Pillow stops here
			}
			data = b[start:]
		}
		if order.Uint16(entry) == exifTag {
			value, found = kind.number(order, data), true
		}
	}
	return value, found
}

// exifStart is the prefix of EXIF data in formats other than PNG.
const exifStart = "Exif\x00\x00"

// exifKind is a value type: its size in bytes and its number parser.
type exifKind struct {
	size   uint64
	number func(order binary.ByteOrder, b []byte) float64
}

// exifKinds are EXIF's numeric types by code. For Pillow, bytes (1), text (2) and
// undefined data (7) are not numbers.
var exifKinds = map[uint16]exifKind{
	1:  {1, noNumber},
	2:  {1, noNumber},
	3:  {2, func(o binary.ByteOrder, b []byte) float64 { return float64(o.Uint16(b)) }},
	4:  {4, uint32Number},
	5:  {8, func(o binary.ByteOrder, b []byte) float64 { return uint32Number(o, b) / uint32Number(o, b[4:]) }},
	6:  {1, func(_ binary.ByteOrder, b []byte) float64 { return float64(int8(b[0])) }},
	7:  {1, noNumber},
	8:  {2, func(o binary.ByteOrder, b []byte) float64 { return float64(int16(o.Uint16(b))) }},
	9:  {4, int32Number},
	10: {8, func(o binary.ByteOrder, b []byte) float64 { return int32Number(o, b) / int32Number(o, b[4:]) }},
	11: {4, func(o binary.ByteOrder, b []byte) float64 { return float64(math.Float32frombits(o.Uint32(b))) }},
	12: {8, func(o binary.ByteOrder, b []byte) float64 { return math.Float64frombits(o.Uint64(b)) }},
	13: {4, uint32Number},
	16: {8, func(o binary.ByteOrder, b []byte) float64 { return float64(o.Uint64(b)) }},
}

func noNumber(binary.ByteOrder, []byte) float64         { return 0 }
func uint32Number(o binary.ByteOrder, b []byte) float64 { return float64(o.Uint32(b)) }
func int32Number(o binary.ByteOrder, b []byte) float64  { return float64(int32(o.Uint32(b))) }
