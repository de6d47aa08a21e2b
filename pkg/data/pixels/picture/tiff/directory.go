package tiff

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// tag is the number of a field.
type tag uint16

const (
	imageWidth      tag = 256
	imageLength     tag = 257
	bitsPerSample   tag = 258
	compressionTag  tag = 259
	photometricTag  tag = 262
	fillOrder       tag = 266
	stripOffsets    tag = 273
	orientationTag  tag = 274
	samplesPerPixel tag = 277
	rowsPerStrip    tag = 278
	stripByteCounts tag = 279
	planarTag       tag = 284
	t4Options       tag = 292
	predictorTag    tag = 317
	colorMap        tag = 320
	tileWidth       tag = 322
	tileLength      tag = 323
	tileOffsets     tag = 324
	tileByteCounts  tag = 325
	extraSamples    tag = 338
	sampleFormat    tag = 339
	jpegTables      tag = 347
	yccCoefficients tag = 529
	yccSubsampling  tag = 530
	blackWhite      tag = 532
	xmp             tag = 700
)

func (t tag) String() string {
	name, known := map[tag]string{
		imageWidth: "ImageWidth", imageLength: "ImageLength", bitsPerSample: "BitsPerSample", compressionTag: "Compression",
		photometricTag: "PhotometricInterpretation", fillOrder: "FillOrder", stripOffsets: "StripOffsets", orientationTag: "Orientation",
		samplesPerPixel: "SamplesPerPixel", rowsPerStrip: "RowsPerStrip", stripByteCounts: "StripByteCounts",
		planarTag: "PlanarConfiguration", t4Options: "T4Options", predictorTag: "Predictor", colorMap: "ColorMap",
		tileWidth: "TileWidth", tileLength: "TileLength", tileOffsets: "TileOffsets", tileByteCounts: "TileByteCounts",
		extraSamples: "ExtraSamples", sampleFormat: "SampleFormat", jpegTables: "JPEGTables", yccCoefficients: "YCbCrCoefficients",
		yccSubsampling: "YCbCrSubSampling", blackWhite: "ReferenceBlackWhite", xmp: "XMP",
	}[t]
	if !known {
		return fmt.Sprintf("tag %d", uint16(t))
	}
	return name
}

// directory is the image file directory (IFD) of a file's first page.
type directory struct {
	file   io.ReaderAt
	size   int64 // size of the file in bytes
	order  binary.ByteOrder
	big    bool // a BigTIFF, with 64-bit offsets and counts
	fields map[tag]field
}

// field is a field's values, or their offset if they do not fit into the entry.
type field struct {
	kind    uint16
	count   uint64
	content [8]byte
}

// The supported value types.
const (
	kindByte           = 1
	kindShort          = 3
	kindLong           = 4
	kindRational       = 5
	kindSignedByte     = 6
	kindUndefined      = 7
	kindSignedShort    = 8
	kindSignedLong     = 9
	kindSignedRational = 10
	kindFloat          = 11
	kindDouble         = 12
	kindIFD            = 13
	kindLong8          = 16
	kindSignedLong8    = 17
	kindIFD8           = 18
)

// valueSize returns the number of bytes of one value of each supported type.
func valueSize(kind uint16) uint64 {
	switch kind {
	case kindByte, kindSignedByte, kindUndefined:
		return 1
	case kindShort, kindSignedShort:
		return 2
	case kindLong, kindSignedLong, kindFloat, kindIFD:
		return 4
	case kindRational, kindSignedRational, kindDouble, kindLong8, kindSignedLong8, kindIFD8:
		return 8
	}
	return 0
}

// readDirectory reads the first page's entries, but not the values at other offsets.
func readDirectory(file io.ReaderAt, size int64) (*directory, error) {
	d := &directory{file: file, size: size, order: binary.LittleEndian, fields: map[tag]field{}}
	head, err := d.bytes(0, 8)
	if err != nil {
		return nil, err
	}
	if head[0] == 'M' {
		d.order = binary.BigEndian
	}
	// Some writers store the version number in the other byte order; Pillow accepts that.
	d.big = head[2]|head[3] == 43
	at := uint64(d.order.Uint32(head[4:]))
	if d.big {
		if head, err = d.bytes(8, 8); err != nil {
			return nil, err
		}
		at = d.order.Uint64(head)
	}
	return d, d.readFields(at)
}

func (d *directory) readFields(at uint64) error {
	countSize, fieldSize := uint64(2), uint64(12)
	if d.big {
		countSize, fieldSize = 8, 20
	}
	b, err := d.bytes(at, countSize)
	if err != nil {
		return fmt.Errorf("its first directory: %w", err)
	}
	count := uint64(d.order.Uint16(b))
	if d.big {
		count = d.order.Uint64(b)
	}
	if count > math.MaxUint16 {
		return fmt.Errorf("its first directory has an invalid number of fields: %d", count)
	}
	if b, err = d.bytes(at+countSize, count*fieldSize); err != nil {
		return fmt.Errorf("its first directory: %w", err)
	}
	for ; len(b) > 0; b = b[fieldSize:] {
		f := field{kind: d.order.Uint16(b[2:])}
		if d.big {
			f.count = d.order.Uint64(b[4:])
			copy(f.content[:], b[12:])
		} else {
			f.count = uint64(d.order.Uint32(b[4:]))
			copy(f.content[:], b[8:12])
		}
		if f.count > 0 && valueSize(f.kind) > 0 {
			d.fields[tag(d.order.Uint16(b))] = f // if a tag is repeated, Pillow uses the last field
		}
	}
	return nil
}

// bytes reads length bytes at offset, after checking that the file contains them.
func (d *directory) bytes(offset, length uint64) ([]byte, error) {
	size := uint64(d.size)
	if offset > size || length > size-offset {
		return nil, fmt.Errorf("%w: reading %d bytes at byte %d of %d", io.ErrUnexpectedEOF, length, offset, size)
	}
	b := make([]byte, length)
	if _, err := d.file.ReadAt(b, int64(offset)); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return b, nil
}

func (d *directory) has(t tag) bool {
	_, there := d.fields[t]
	return there
}

// content reads the bytes of at most the first limit values of a field.
func (d *directory) content(t tag, limit uint64) (field, []byte, error) {
	f, there := d.fields[t]
	if !there {
		return f, nil, fmt.Errorf("missing %v", t)
	}
	inline := uint64(4)
	if d.big {
		inline = 8
	}
	length := min(f.count, limit) * valueSize(f.kind)
	if f.count <= inline/valueSize(f.kind) {
		return f, f.content[:length], nil
	}
	at := uint64(d.order.Uint32(f.content[:]))
	if d.big {
		at = d.order.Uint64(f.content[:])
	}
	b, err := d.bytes(at, length)
	if err != nil {
		return f, nil, fmt.Errorf("its %v: %w", t, err)
	}
	return f, b, nil
}

// numbers reads at most the first limit values of a field as non-negative integers.
func (d *directory) numbers(t tag, limit int) ([]int64, error) {
	f, b, err := d.content(t, uint64(limit))
	if err != nil {
		return nil, err
	}
	size := int(valueSize(f.kind))
	values := make([]int64, len(b)/size)
	for i := range values {
		v, whole := d.whole(f.kind, b[i*size:])
		if !whole || v < 0 {
			return nil, fmt.Errorf("its %v is not a non-negative integer (type %d)", t, f.kind)
		}
		values[i] = v
	}
	return values, nil
}

// whole reads one value of an integer type.
func (d *directory) whole(kind uint16, b []byte) (v int64, isWhole bool) {
	switch kind {
	case kindByte:
		return int64(b[0]), true
	case kindSignedByte:
		return int64(int8(b[0])), true
	case kindShort:
		return int64(d.order.Uint16(b)), true
	case kindSignedShort:
		return int64(int16(d.order.Uint16(b))), true
	case kindLong, kindIFD:
		return int64(d.order.Uint32(b)), true
	case kindSignedLong:
		return int64(int32(d.order.Uint32(b))), true
	case kindLong8, kindIFD8, kindSignedLong8:
		return int64(d.order.Uint64(b)), true // a value beyond int64 becomes negative, which is an error
	}
	return 0, false
}

// reals reads at most the first limit values of a field as floats.
func (d *directory) reals(t tag, limit int) ([]float64, error) {
	f, b, err := d.content(t, uint64(limit))
	if err != nil {
		return nil, err
	}
	size := int(valueSize(f.kind))
	values := make([]float64, len(b)/size)
	for i := range values {
		values[i] = d.real(f.kind, b[i*size:])
	}
	return values, nil
}

func (d *directory) real(kind uint16, b []byte) float64 {
	switch kind {
	case kindRational:
		return float64(d.order.Uint32(b)) / float64(d.order.Uint32(b[4:]))
	case kindSignedRational:
		return float64(int32(d.order.Uint32(b))) / float64(int32(d.order.Uint32(b[4:])))
	case kindFloat:
		return float64(math.Float32frombits(d.order.Uint32(b)))
	case kindDouble:
		return math.Float64frombits(d.order.Uint64(b))
	}
	v, _ := d.whole(kind, b)
	return float64(v)
}

// number reads a field's first value.
func (d *directory) number(t tag) (int64, error) {
	values, err := d.numbers(t, 1)
	if err != nil {
		return 0, err
	}
	return values[0], nil
}

// numberOr is number, but returns unset for a missing field.
func (d *directory) numberOr(t tag, unset int64) (int64, error) {
	if !d.has(t) {
		return unset, nil
	}
	return d.number(t)
}
