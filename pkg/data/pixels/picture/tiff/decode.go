// Package tiff decodes the first page of a TIFF to the same pixels as Pillow: strips and
// tiles, interleaved and planar, classic TIFF and BigTIFF, with most sample formats and
// compressions that Pillow supports. (The format: TIFF 6.0, Adobe, 1992; the Supplement
// 2 of 2002; "Adobe Photoshop TIFF Technical Note 3" for floats.)
//
// Errors wrap unsupported.Err for unsupported features; all other errors mean damaged files.
package tiff

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"io"

	"acdclip/pkg/data/pixels/picture/unsupported"
)

// Mode is the color model of DecodeConfig: Pillow's name of the pixel format ("1", "L",
// "LA", "I", "F", "P", "PA", "RGB", "RGBA", "CMYK"), with the number of bits, as in ";16",
// if channels have more than 8 (";32" for floats).
type Mode string

// Convert makes Mode a color.Model; only its name is used.
func (Mode) Convert(c color.Color) color.Color { return c }

func (m Mode) String() string { return string(m) }

// JPEG decodes the JPEG in a strip or tile; a JPEG larger than most is an error. If
// toRGB, it converts the samples from YCbCr to RGB, else it returns them as stored.
// samples is [size.Y, size.X, components].
type JPEG func(stream []byte, most image.Point, toRGB bool) (samples []uint8, size image.Point, components int, err error)

// DecodeConfig reads the size, with the orientation applied like Pillow, and the Mode. It
// reads only the first page's directory.
func DecodeConfig(r io.ReaderAt, size int64) (image.Config, error) {
	p, err := readPage(r, size)
	if err != nil {
		return image.Config{}, unsupported.OrDamaged(err)
	}
	c := image.Config{Width: p.width, Height: p.height, ColorModel: p.mode()}
	if p.orientation.Swaps() {
		c.Width, c.Height = c.Height, c.Width
	}
	return c, nil
}

// Decode reads the first page and applies its orientation. The result is one of
//   - *image.Gray for grey of up to 8 bits, and for 32-bit and signed integers, which are
//     clamped to 0 to 255 like Pillow;
//   - *Float for grey and RGB of floats;
//   - *image.Gray16 for unsigned grey of 12 and 16 bits, from 0 to 65535;
//   - *image.Paletted, with 256 colors;
//   - *image.NRGBA64 for RGB of 16 bits, and *image.NRGBA for other color: CMYK and
//     YCbCr are converted to RGB, and premultiplied colors are divided by alpha.
//
// Alpha is dropped: all pixels are opaque. Memory is proportional to the size from
// DecodeConfig, which the caller must check first.
func Decode(b []byte, jpeg JPEG) (image.Image, error) {
	p, err := readPage(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, err
	}
	if p.width < 1 || p.height < 1 {
		return nil, fmt.Errorf("invalid size: %d x %d pixels", p.width, p.height)
	}
	s, err := p.segments()
	if err != nil {
		return nil, err
	}
	if s.lengths == nil && p.compression != plain {
		s.guessLengths(int64(len(b)))
	}
	r := &reader{page: p, segments: s, file: b, jpeg: jpeg}
	if r.options, err = p.numberOr(t4Options, 0); err != nil {
		return nil, err
	}
	if p.colors == ycbcr && p.compression != jpegInside {
		if r.ycbcr, err = p.yccLayout(); err != nil {
			return nil, err
		}
	}
	canvas, err := newCanvas(p)
	if err != nil {
		return nil, err
	}
	if err := r.read(canvas); err != nil {
		return nil, err
	}
	return canvas.turned(p.orientation), nil
}

// reader paints the samples of a page's segments on a canvas.
type reader struct {
	*page
	segments *segments
	file     []byte
	jpeg     JPEG
	options  int64      // T4Options
	ycbcr    *yccLayout // nil if the reader need not convert YCbCr
	buffer   []byte     // a decompressed segment
	loose    []byte     // a row with samples expanded to whole bytes
	unpacker unpacker
}

// block is the samples of a segment inside the page: rows of width pixels.
type block struct {
	samples       []byte
	width, height int
	stride        int  // bytes per row
	spread        bool // samples are already expanded to whole bytes
}

func (r *reader) read(c *canvas) error {
	planes := 1
	if r.planar {
		planes = r.used()
		c.joinPlanes()
	}
	for i := range r.segments.perPlane() * int64(planes) {
		plane, at := int(i/r.segments.perPlane()), i%r.segments.perPlane()
		x, y := int(at%r.segments.across*r.segments.width), int(at/r.segments.across*r.segments.height)
		b, err := r.block(i, min(int(r.segments.height), r.height-y))
		if err != nil {
			return fmt.Errorf("strip or tile %d, at byte %d: %w", i, r.segments.offsets[i], err)
		}
		n := min(b.width, r.width-x)
		for row := range b.height {
			samples := b.samples[row*b.stride:]
			if !b.spread {
				samples = r.spread(samples, n*r.planeSamples())
			}
			if r.planar {
				c.joinPlane(x, y+row, n, plane, samples)
			} else {
				c.paint(x, y+row, n, samples)
			}
		}
	}
	if r.planar {
		c.paintJoined()
	}
	return nil
}

// block decompresses the first rows of segment i.
func (r *reader) block(i int64, rows int) (block, error) {
	src, err := r.segments.bytes(r.file, i)
	if err != nil {
		return block{}, err
	}
	if r.compression == jpegInside {
		return r.jpegBlock(src, rows)
	}
	if r.reversed && r.compression != plain {
		src = reverseBits(src)
	}
	width := int(r.segments.width)
	if r.ycbcr != nil {
		return r.yccBlock(src, width, rows)
	}
	rowBytes := (width*r.planeSamples()*r.bits + 7) / 8
	b, err := r.unpack(src, rows, rowBytes, width)
	if err != nil {
		return block{}, err
	}
	if r.compression.predicts() && r.predictor != noPredictor {
		for row := range rows {
			r.predictor.undo(b[row*rowBytes:(row+1)*rowBytes], r.bits, r.planeSamples(), r.order)
		}
	}
	return block{b, width, rows, rowBytes, r.bits%8 == 0}, nil
}

// unpack decompresses src. The result is valid until the next call.
func (r *reader) unpack(src []byte, rows, rowBytes, width int) ([]byte, error) {
	length := rows * rowBytes
	if r.compression == plain {
		if len(src) < length {
			return nil, fmt.Errorf("%w: it needs %d bytes, but the file ends after %d of them", io.ErrUnexpectedEOF, length, len(src))
		}
		if src = src[:length]; r.reversed {
			src = reverseBits(src)
		}
		return src, nil
	}
	if cap(r.buffer) < length {
		r.buffer = make([]byte, length)
	}
	r.buffer = r.buffer[:length]
	return r.buffer, codecs[r.compression](&r.unpacker, r.buffer, packed{src, rowBytes, width, r.options})
}

// spread expands each of n samples to whole bytes: one for 1, 2 and 4 bits, two for 12.
func (r *reader) spread(row []byte, n int) []byte {
	size := (r.bits + 7) / 8
	if cap(r.loose) < n*size {
		r.loose = make([]byte, n*size)
	}
	r.loose = r.loose[:n*size]
	if r.bits == 12 {
		for i := range n {
			v := uint16(row[i*3/2])<<8 | uint16(row[i*3/2+1])
			if i%2 == 0 {
				v >>= 4
			}
			r.order.PutUint16(r.loose[2*i:], v&0xfff)
		}
		return r.loose
	}
	perByte := 8 / r.bits
	mask := byte(1<<r.bits - 1)
	for i := range n {
		shift := 8 - r.bits*(i%perByte+1)
		r.loose[i] = row[i/perByte] >> shift & mask
	}
	return r.loose
}

// jpegBlock decodes the JPEG of a strip or tile. A separate field may contain the tables for all of them.
func (r *reader) jpegBlock(src []byte, rows int) (block, error) {
	stream := src
	if r.has(jpegTables) {
		_, tables, err := r.content(jpegTables, 1<<20)
		if err != nil {
			return block{}, err
		}
		const marker = 2 // bytes: tables end with "end of image", the stream starts with "start of image"
		if len(tables) >= 2*marker && len(src) >= marker {
			stream = append(append([]byte(nil), tables[:len(tables)-marker]...), src[marker:]...)
		}
	}
	most := image.Pt(r.segments.largestJPEG())
	samples, size, components, err := r.jpeg(stream, most, r.colors == ycbcr && !r.planar)
	if err != nil {
		return block{}, err
	}
	if components != r.planeSamples() {
		return block{}, fmt.Errorf("its JPEG has %d components, expected %d", components, r.planeSamples())
	}
	if size.Y < rows || size.X < min(r.width, most.X) {
		return block{}, fmt.Errorf("its JPEG has %d x %d pixels, expected at least %d x %d", size.X, size.Y, min(r.width, most.X), rows)
	}
	return block{samples, size.X, rows, size.X * components, true}, nil
}
