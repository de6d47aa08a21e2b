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

// The sizes of the headers that are told apart by them.
const (
	fileHeader = 14 // "BM", the file's size, two words of nothing, and where the pixels start
	coreHeader = 12 // of OS/2 1 and Windows 2
	os2Header  = 64 // of OS/2 2, which may also end earlier, from 16 bytes on
	infoHeader = 40 // of Windows 3; later versions have 52, 56, 108 and 124 bytes
	v2Header   = 52 // the first that holds the masks of the colors
	v3Header   = 56 // the first that holds alpha's
	maxHeader  = 124
)

// compression is the field of that name.
type compression uint32

const (
	plain           compression = 0
	rle8            compression = 1
	rle4            compression = 2
	bitFields       compression = 3 // the header or what follows it has masks of the colors
	alphaBitFields  compression = 6 // and of alpha
	os2Huffman      compression = 3 // of OS/2's header
	os2RLE24        compression = 4
	advice                      = "save the picture as a PNG, or as a BMP of 24 bits without compression"
	paletteEntryOS2             = 3 // bytes of a color; 4 in all but the oldest headers
	paletteEntry                = 4
)

// header is what stands before the pixels.
type header struct {
	width, height int
	topDown       bool // the first row in the file is the topmost
	depth         int  // bits of a pixel
	compression   compression
	masks         [4]uint32 // of red, green, blue and alpha
	colors        []color.Color
	grey          bool  // a pixel's value is its grey, whatever the palette has beyond its end
	pixels        int64 // where they start
}

// readHeader reads all that stands before the pixels, and refuses what is not read.
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
	fields := make([]byte, maxHeader) // those that a short header lacks are 0
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

// readFields returns the number of colors in the palette, 0 where it is not said.
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

// check refuses depths and compressions that are not read.
func (h *header) check(size int64) error {
	if size == os2Header && (h.compression == os2Huffman && h.depth == 1 || h.compression == os2RLE24) {
		return unsupported.Feature("compression %d of an OS/2 BMP of %d bits; %s", h.compression, h.depth, advice)
	}
	switch h.depth {
	case 1, 2, 4, 8, 16, 24, 32:
	case 0:
		return unsupported.Feature("a BMP that holds a JPEG or PNG (compression %d); take that file out of it", h.compression)
	default:
		return unsupported.Feature("a BMP of %d bits a pixel; %s", h.depth, advice)
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

// readMasks finds which bits are which color, and returns where what belongs to the header ends.
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
	default: // behind the header
		if h.compression == alphaBitFields {
			count = 4
		}
		masks = make([]byte, 4*count)
		if _, err := r.ReadAt(masks, after); err != nil {
			return after, fmt.Errorf("its color masks: %w", io.ErrUnexpectedEOF)
		}
		after += int64(len(masks))
	}
	h.masks = [4]uint32{}
	for i := range count {
		h.masks[i] = binary.LittleEndian.Uint32(masks[4*i:])
		if m := h.masks[i] >> bits.TrailingZeros32(h.masks[i]|1<<31); i < 3 && m&(m+1) != 0 {
			return after, unsupported.Feature("the color mask %#x of a BMP, whose bits are not side by side; %s", h.masks[i], advice)
		}
	}
	if h.masks == [4]uint32{} { // Pillow takes the usual ones then
		h.masks = standard
		if h.depth == 32 {
			h.masks[3] = 0xff000000
		}
	}
	return after, nil
}

// readPalette reads the colors, as many as the file has of them, and returns where they end.
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
	if h.pixels == at { // a start of the pixels that forgets the palette
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

// mode is Pillow's word for the pixels.
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
