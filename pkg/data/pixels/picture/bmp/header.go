package bmp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image/color"
	"io"
	"math/bits"

	"acdclip/pkg/data/pixels/picture/unsupported"
)

// The sizes of the headers, which identify their versions.
const (
	fileHeader = 14 // "BM", the file's size, two reserved words, and the offset of the pixels
	coreHeader = 12 // of OS/2 1 and Windows 2
	os2Header  = 64 // of OS/2 2, which may be shorter, down to 16 bytes
	infoHeader = 40 // of Windows 3; later versions have 52, 56, 108 and 124 bytes
	v2Header   = 52 // the first with color masks
	v3Header   = 56 // the first with an alpha mask
	maxHeader  = 124
)

// compression is the field of that name.
type compression uint32

const (
	plain           compression = 0
	rle8            compression = 1
	rle4            compression = 2
	bitFields       compression = 3 // color masks are in the header or after it
	alphaBitFields  compression = 6 // the same, with an alpha mask
	os2Huffman      compression = 3 // of OS/2's header
	os2RLE24        compression = 4
	advice                      = "save the picture as a PNG, or as a BMP of 24 bits without compression"
	paletteEntryOS2             = 3 // bytes of a color; 4 in all but the oldest headers
	paletteEntry                = 4
)

// header is the file's content before the pixels.
type header struct {
	width, height int
	topDown       bool // the first row in the file is the top row
	depth         int  // bits of a pixel
	compression   compression
	masks         [4]uint32 // of red, green, blue and alpha
	colors        []color.Color
	grey          bool  // pixel values are grey values; colors missing from the palette do not matter
	pixels        int64 // the offset of the pixels
}

// readHeader reads everything before the pixels and returns an error for unsupported features.
func readHeader(r io.ReaderAt) (*header, error) {
	b := make([]byte, fileHeader+maxHeader)
	n, err := r.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	le := binary.LittleEndian
	if n < fileHeader+4 {
		return nil, io.ErrUnexpectedEOF
	}
	size := int64(le.Uint32(b[fileHeader:]))
	h := &header{pixels: int64(le.Uint32(b[10:]))}
	if size > maxHeader || size < coreHeader || size < infoHeader && size != coreHeader && size < 16 {
		return nil, unsupported.Feature("a BMP header of %d bytes; %s", size, advice)
	}
	if int64(n) < fileHeader+size {
		return nil, io.ErrUnexpectedEOF
	}
	fields := make([]byte, maxHeader) // fields missing from a short header are 0
	copy(fields, b[fileHeader:fileHeader+size])
	count := h.readFields(fields, size)
	if err := h.check(size); err != nil {
		return nil, err
	}
	after := fileHeader + size
	if h.depth > 8 {
		after, err = h.readMasks(r, fields, size)
	} else {
		after, err = h.readPalette(r, after, count, size)
	}
	if h.pixels == 0 {
		h.pixels = after
	}
	return h, err
}

// readFields returns the number of colors in the palette, 0 if it is not stated.
func (h *header) readFields(b []byte, size int64) (colors int64) {
	le := binary.LittleEndian
	if size == coreHeader {
		h.width, h.height, h.depth = int(le.Uint16(b[4:])), int(le.Uint16(b[6:])), int(le.Uint16(b[10:]))
		return 0
	}
	h.width, h.height, h.depth = int(le.Uint32(b[4:])), int(int32(le.Uint32(b[8:]))), int(le.Uint16(b[14:]))
	if h.height < 0 {
		h.height, h.topDown = -h.height, true
	}
	h.compression = compression(le.Uint32(b[16:]))
	return int64(le.Uint32(b[32:]))
}

// check returns an error for unsupported depths and compressions.
func (h *header) check(size int64) error {
	if size == os2Header && (h.compression == os2Huffman && h.depth == 1 || h.compression == os2RLE24) {
		return unsupported.Feature("compression %d of an OS/2 BMP of %d bits; %s", h.compression, h.depth, advice)
	}
	switch h.depth {
	case 1, 2, 4, 8, 16, 24, 32:
	case 0:
		return unsupported.Feature("a BMP that contains a JPEG or PNG (compression %d); extract that file", h.compression)
	default:
		return unsupported.Feature("a BMP with %d bits per pixel; %s", h.depth, advice)
	}
	switch h.compression {
	case plain:
		return nil
	case rle8, rle4:
		if h.depth <= 8 {
			return nil
		}
	case bitFields, alphaBitFields:
		if h.depth > 8 {
			return nil
		}
	}
	name := map[compression]string{4: "JPEG", 5: "PNG", 11: "CMYK", 12: "CMYK with RLE8", 13: "CMYK with RLE4"}[h.compression]
	if name != "" {
		name = " (" + name + ")"
	}
	return unsupported.Feature("compression %d%s of a BMP of %d bits; %s", h.compression, name, h.depth, advice)
}

// readMasks reads the color masks and returns the offset after them.
func (h *header) readMasks(r io.ReaderAt, fields []byte, size int64) (after int64, err error) {
	after = fileHeader + size
	standard := [4]uint32{0xff0000, 0xff00, 0xff, 0}
	if h.depth == 16 {
		standard = [4]uint32{0x7c00, 0x3e0, 0x1f, 0}
	}
	h.masks = standard
	if h.compression == plain {
		return after, nil
	}
	count := 3
	masks := fields[infoHeader:]
	switch {
	case size >= v3Header:
		count = 4
	case size >= v2Header:
	default: // after the header
		if h.compression == alphaBitFields {
			count = 4
		}
		masks = make([]byte, 4*count)
		if _, err := r.ReadAt(masks, after); err != nil {
			return after, fmt.Errorf("reading its color masks: %w", io.ErrUnexpectedEOF)
		}
		after += int64(len(masks))
	}
	h.masks = [4]uint32{}
	for i := range count {
		h.masks[i] = binary.LittleEndian.Uint32(masks[4*i:])
		if m := h.masks[i] >> bits.TrailingZeros32(h.masks[i]|1<<31); i < 3 && m&(m+1) != 0 {
			return after, unsupported.Feature("the color mask %#x of a BMP, whose bits are not contiguous; %s", h.masks[i], advice)
		}
	}
	if h.masks == [4]uint32{} { // Pillow then uses the default masks
		h.masks = standard
		if h.depth == 32 {
			h.masks[3] = 0xff000000
		}
	}
	return after, nil
}

// readPalette reads the colors, as many as the file has, and returns the offset after them.
func (h *header) readPalette(r io.ReaderAt, at, count, size int64) (after int64, err error) {
	most := int64(1) << h.depth
	if count == 0 {
		count = most
	}
	count = min(count, 256)
	entry := int64(paletteEntry)
	if size == coreHeader {
		entry = paletteEntryOS2
	}
	after = at + entry*count
	if h.pixels == at { // a wrong pixel offset that ignores the palette
		h.pixels = after
	}
	b := make([]byte, entry*count)
	n, err := r.ReadAt(b, at)
	if err != nil && !errors.Is(err, io.EOF) {
		return after, err
	}
	ramp := h.depth == 8 && count != 2
	for i := range int64(n) / entry {
		c := b[i*entry:]
		h.colors = append(h.colors, color.RGBA{c[2], c[1], c[0], 255})
		ramp = ramp && int64(c[0]) == i && c[0] == c[1] && c[0] == c[2]
	}
	h.grey = ramp && int64(n) == entry*count
	return after, nil
}

// mode returns Pillow's name of the pixel format.
func (h *header) mode() Mode {
	black, white := color.RGBA{A: 255}, color.RGBA{255, 255, 255, 255}
	switch {
	case h.grey:
		return "L"
	case h.depth == 1 && len(h.colors) == 2 && h.colors[0] == black && h.colors[1] == white:
		return "1"
	case h.depth <= 8:
		return "P"
	case h.masks[3] != 0:
		return "RGBA"
	}
	return "RGB"
}
