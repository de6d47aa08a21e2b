// Package bmp decodes BMPs to the same pixels as Pillow: all versions of Windows and
// OS/2 headers, palettes, 16 to 32 bits with any color masks, and both RLE
// compressions. Where Pillow deviates from the format's documentation (jumps and odd
// lengths in RLE, a black and white palette with 8 bits), it follows the
// documentation. (Microsoft: "Bitmap Storage", "BITMAPINFOHEADER", "Bitmap
// Compression".)
//
// Errors wrap unsupported.Err for unsupported features; all other errors mean damaged files.
package bmp

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"io"
	"math/bits"

	"acdclip/pkg/data/pixels/picture/unsupported"
)

// Mode is the color model of DecodeConfig: Pillow's name of the pixel format ("1", "L", "P", "RGB", "RGBA").
type Mode string

// Convert makes Mode a color.Model; only its name is used.
func (Mode) Convert(c color.Color) color.Color { return c }

func (m Mode) String() string { return string(m) }

// DecodeConfig reads the size and the Mode. It reads only the header and the palette.
func DecodeConfig(r io.ReaderAt, _ int64) (image.Config, error) {
	h, err := readHeader(r)
	if err != nil {
		return image.Config{}, unsupported.OrDamaged(err)
	}
	return image.Config{Width: h.width, Height: h.height, ColorModel: h.mode()}, nil
}

// Decode reads the pixels: *image.Gray if the palette is the 8-bit grey scale,
// *image.Paletted with 256 colors, or an opaque *image.NRGBA, since alpha is dropped.
// Its memory is proportional to the size from DecodeConfig, which the caller must
// check first.
func Decode(b []byte) (image.Image, error) {
	h, err := readHeader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	if h.width < 1 || h.height < 1 {
		return nil, fmt.Errorf("invalid size: %d x %d pixels", h.width, h.height)
	}
	src := b[min(h.pixels, int64(len(b))):]
	if h.depth > 8 {
		return h.decodeColor(src)
	}
	var indices []uint8
	if h.compression == plain {
		indices, err = h.unpackIndices(src)
	} else {
		indices, err = h.unpackRuns(src)
	}
	if err != nil {
		return nil, err
	}
	bounds := image.Rect(0, 0, h.width, h.height)
	if h.grey {
		return &image.Gray{Pix: indices, Stride: h.width, Rect: bounds}, nil
	}
	palette := make(color.Palette, 256)
	for i := range palette {
		palette[i] = color.RGBA{A: 255} // as in Pillow, missing colors are black
	}
	copy(palette, h.colors)
	return &image.Paletted{Pix: indices, Stride: h.width, Rect: bounds, Palette: palette}, nil
}

// rows calls each with the bytes of every row and its index from the top. src must
// contain all rows; the last one needs no padding.
func (h *header) rows(src []byte, each func(y int, row []byte)) error {
	stride := (h.width*h.depth + 31) / 32 * 4
	used := (h.width*h.depth + 7) / 8
	if need := stride*(h.height-1) + used; len(src) < need {
		return fmt.Errorf("%w: its pixels need %d bytes from byte %d on, but the file has only %d", io.ErrUnexpectedEOF, need, h.pixels, len(src))
	}
	for i := range h.height {
		each(h.fromTop(i), src[i*stride:][:used])
	}
	return nil
}

// fromTop returns the index from the top of the i-th row in the file.
func (h *header) fromTop(i int) int {
	if h.topDown {
		return i
	}
	return h.height - 1 - i
}

func (h *header) unpackIndices(src []byte) ([]uint8, error) {
	var indices []uint8
	perByte, mask := 8/h.depth, byte(1<<h.depth-1)
	err := h.rows(src, func(y int, row []byte) {
		if indices == nil { // allocated only once the file is known to contain the rows
			indices = make([]uint8, h.width*h.height)
		}
		dst := indices[y*h.width:][:h.width]
		if h.depth == 8 {
			copy(dst, row)
			return
		}
		for x := range dst {
			shift := 8 - h.depth*(x%perByte+1)
			dst[x] = row[x/perByte] >> shift & mask
		}
	})
	return indices, err
}

func (h *header) decodeColor(src []byte) (image.Image, error) {
	var m *image.NRGBA
	paint := h.painter()
	err := h.rows(src, func(y int, row []byte) {
		if m == nil {
			m = image.NewNRGBA(image.Rect(0, 0, h.width, h.height))
		}
		paint(m.Pix[y*m.Stride:][:4*h.width], row)
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// painter returns the function that converts the bytes of a row to colors.
func (h *header) painter() func(dst, row []byte) {
	size := h.depth / 8
	if size > 2 && h.masks[0] == 0xff0000 && h.masks[1] == 0xff00 && h.masks[2] == 0xff {
		return func(dst, row []byte) {
			for i := range len(dst) / 4 {
				p, q := dst[4*i:4*i+4:4*i+4], row[size*i:size*i+3:size*i+3]
				p[0], p[1], p[2], p[3] = q[2], q[1], q[0], 255
			}
		}
	}
	var channels [3]channel
	for k := range channels {
		channels[k] = channelOf(h.masks[k])
	}
	return func(dst, row []byte) {
		for i := range len(dst) / 4 {
			var v uint32
			for k := range size {
				v |= uint32(row[size*i+k]) << (8 * k)
			}
			for k, c := range channels {
				dst[4*i+k] = c.value(v)
			}
			dst[4*i+3] = 255
		}
	}
}

// channel is the bits of a pixel that encode one color channel.
type channel struct {
	shift int
	most  uint32 // the largest value; 0 if the mask has no bits
}

func channelOf(mask uint32) channel {
	if mask == 0 {
		return channel{}
	}
	shift := bits.TrailingZeros32(mask)
	return channel{shift, mask >> shift}
}

// value scales the bits to [0, 255] and truncates, as Pillow does.
func (c channel) value(pixel uint32) uint8 {
	if c.most == 0 {
		return 0
	}
	return uint8(uint64(pixel>>c.shift&c.most) * 255 / uint64(c.most))
}
