package anomalymap

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// tiffTag is the number of a TIFF field.
type tiffTag uint16

const (
	tiffWidth        tiffTag = 256
	tiffHeight       tiffTag = 257
	tiffBits         tiffTag = 258
	tiffCompression  tiffTag = 259
	tiffPhotometric  tiffTag = 262
	tiffFillOrder    tiffTag = 266
	tiffStripOffsets tiffTag = 273
	tiffOrientation  tiffTag = 274
	tiffSamples      tiffTag = 277
	tiffStripRows    tiffTag = 278
	tiffStripBytes   tiffTag = 279
	tiffTileWidth    tiffTag = 322
	tiffTileHeight   tiffTag = 323
	tiffTileOffsets  tiffTag = 324
	tiffTileBytes    tiffTag = 325
	tiffSampleFormat tiffTag = 339
)

func (t tiffTag) String() string {
	name, known := map[tiffTag]string{
		tiffWidth: "ImageWidth", tiffHeight: "ImageLength", tiffBits: "BitsPerSample", tiffCompression: "Compression",
		tiffPhotometric: "PhotometricInterpretation", tiffFillOrder: "FillOrder", tiffOrientation: "Orientation",
		tiffSamples: "SamplesPerPixel", tiffSampleFormat: "SampleFormat",
		tiffStripOffsets: "StripOffsets", tiffStripRows: "RowsPerStrip", tiffStripBytes: "StripByteCounts",
		tiffTileWidth: "TileWidth", tiffTileHeight: "TileLength", tiffTileOffsets: "TileOffsets", tiffTileBytes: "TileByteCounts",
	}[t]
	if !known {
		return fmt.Sprintf("tag %d", uint16(t))
	}
	return name
}

// tiffDirectory is the image file directory (IFD) of a file's only page.
type tiffDirectory struct {
	file   io.ReaderAt
	size   int64 // size of the file in bytes
	order  binary.ByteOrder
	fields map[tiffTag]tiffField
}

// tiffField is a field's values, or their offset if they need more than four bytes.
type tiffField struct {
	kind    uint16
	count   int64
	content [4]byte
}

func readTIFFDirectory(file io.ReaderAt, size int64) (tiffDirectory, error) {
	d := tiffDirectory{file: file, size: size, fields: map[tiffTag]tiffField{}}
	head, err := d.bytes(0, 8)
	if err != nil {
		return d, err
	}
	d.order = binary.LittleEndian
	if head[0] == 'M' {
		d.order = binary.BigEndian
	}
	at := int64(d.order.Uint32(head[4:]))
	count, err := d.bytes(at, 2)
	if err != nil {
		return d, err
	}
	const fieldSize = 12
	length := fieldSize * int64(d.order.Uint16(count))
	fields, err := d.bytes(at+2, length)
	if err != nil {
		return d, err
	}
	for ; len(fields) > 0; fields = fields[fieldSize:] {
		tag := tiffTag(d.order.Uint16(fields))
		if _, twice := d.fields[tag]; twice {
			return d, damagedTIFF("duplicate %v", tag)
		}
		d.fields[tag] = tiffField{d.order.Uint16(fields[2:]), int64(d.order.Uint32(fields[4:])), [4]byte(fields[8:])}
	}
	return d, d.alone(at + 2 + length)
}

// alone returns an error for a file with another page, whose offset is at end. The file
// may be shorter than that.
func (d tiffDirectory) alone(end int64) error {
	if end+4 > d.size {
		return nil
	}
	next, err := d.bytes(end, 4)
	if err == nil && d.order.Uint32(next) != 0 {
		err = errors.New("the TIFF has several pages, expected one; save one map per file")
	}
	return err
}

// bytes reads length bytes at offset, after checking that the file contains them.
func (d tiffDirectory) bytes(offset, length int64) ([]byte, error) {
	if offset > d.size || length > d.size-offset {
		return nil, damagedTIFF("it refers to %d bytes at byte %d, but the file has %d bytes", length, offset, d.size)
	}
	b := make([]byte, length)
	return b, readAt(d.file, b, offset)
}

// numbers reads the count values of a field of type SHORT or LONG, each in [0, 2^32).
func (d tiffDirectory) numbers(tag tiffTag, count int64) ([]int64, error) {
	field, there := d.fields[tag]
	if !there {
		return nil, damagedTIFF("missing %v", tag)
	}
	const short, long = 3, 4
	width := map[uint16]int64{short: 2, long: 4}[field.kind]
	if width == 0 {
		return nil, damagedTIFF("its %v has the type %d, expected SHORT or LONG", tag, field.kind)
	}
	if field.count != count {
		return nil, damagedTIFF("its %v has %d values, expected %d", tag, field.count, count)
	}
	b := field.content[:]
	if width*count > int64(len(b)) {
		var err error
		if b, err = d.bytes(int64(d.order.Uint32(b)), width*count); err != nil {
			return nil, err
		}
	}
	values := make([]int64, count)
	for i := range values {
		if field.kind == short {
			values[i] = int64(d.order.Uint16(b[2*i:]))
		} else {
			values[i] = int64(d.order.Uint32(b[4*i:]))
		}
	}
	return values, nil
}

// number reads a field with one value.
func (d tiffDirectory) number(tag tiffTag) (int64, error) {
	values, err := d.numbers(tag, 1)
	if err != nil {
		return 0, err
	}
	return values[0], nil
}

// numberOr is number, but returns unset for a missing field.
func (d tiffDirectory) numberOr(tag tiffTag, unset int64) (int64, error) {
	if _, there := d.fields[tag]; !there {
		return unset, nil
	}
	return d.number(tag)
}
