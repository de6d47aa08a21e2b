package picture

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
)

// gifReader is the input of the GIF decoder.
type gifReader interface {
	io.Reader
	io.ByteReader
}

// gifHeader is the content before the pixels of the first frame.
type gifHeader struct {
	canvas      image.Point     // large enough for the frame, even if the file declares less
	frame       image.Rectangle // on the canvas
	palette     color.Palette   // 256 colors; nil if each index is its own grey value
	background  uint8           // the index around the frame
	interlaced  bool
	literalBits int
}

// readGIFHeader reads up to the pixels of the first frame. Like Pillow, it skips unknown
// bytes between blocks.
func readGIFHeader(r gifReader) (h gifHeader, err error) {
	const (
		screenLength = 13 // signature 6, width 2, height 2, flags 1, background 1, aspect 1
		extension    = '!'
		frame        = ','
		trailer      = ';'
	)
	var screen [screenLength]byte
	if _, err := io.ReadFull(r, screen[:]); err != nil {
		return h, err
	}
	h.canvas = image.Pt(le16(screen[6:]), le16(screen[8:]))
	if h.palette, _, err = readGIFPalette(r, screen[10]); err != nil {
		return h, err
	}
	for {
		block, err := r.ReadByte()
		if err != nil {
			return h, err
		}
		switch block {
		case extension:
			if err := h.readExtension(r); err != nil {
				return h, err
			}
		case trailer:
			return h, errors.New("it has no frame")
		case frame:
			return h, h.readFrame(r)
		}
	}
}

// readFrame reads the frame's header.
func (h *gifHeader) readFrame(r gifReader) error {
	const (
		length     = 9 // left 2, top 2, width 2, height 2, flags 1
		interlaced = 0x40
		maxBits    = 12
	)
	var b [length]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return err
	}
	left, top := le16(b[:]), le16(b[2:])
	h.frame = image.Rect(left, top, left+le16(b[4:]), top+le16(b[6:]))
	if h.frame.Empty() {
		return errors.New("the first frame has no pixels")
	}
	h.canvas = image.Pt(max(h.canvas.X, h.frame.Max.X), max(h.canvas.Y, h.frame.Max.Y))
	h.interlaced = b[8]&interlaced != 0
	palette, given, err := readGIFPalette(r, b[8])
	if err != nil {
		return err
	}
	if given && palette != nil { // Pillow keeps the global palette if the frame's is a grey scale
		h.palette = palette
	}
	bits, err := r.ReadByte()
	if err != nil {
		return err
	}
	if h.literalBits = int(bits); h.literalBits > maxBits {
		return fmt.Errorf("invalid index size: %d bits", bits)
	}
	return nil
}

// readGIFPalette reads the colors that the flags declare. palette is nil if each color
// is the grey value of its index.
func readGIFPalette(r io.Reader, flags byte) (palette color.Palette, given bool, err error) {
	const hasPalette, sizeBits = 0x80, 7
	if flags&hasPalette == 0 {
		return nil, false, nil
	}
	b := make([]byte, 6<<(flags&sizeBits))
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, true, err
	}
	meaningful := false
	palette = make(color.Palette, 256)
	for i := range palette {
		c := color.RGBA{A: 255} // indexes beyond the colors are black
		if 3*i < len(b) {
			c.R, c.G, c.B = b[3*i], b[3*i+1], b[3*i+2]
			meaningful = meaningful || c.R != uint8(i) || c.G != uint8(i) || c.B != uint8(i)
		}
		palette[i] = c
	}
	if !meaningful {
		return nil, true, nil
	}
	return palette, true, nil
}

// readExtension skips an extension. From a graphic control extension it takes the
// transparent index, which also fills the area around the frame.
func (h *gifHeader) readExtension(r gifReader) error {
	const (
		control     = 0xf9
		transparent = 1 // a flag
	)
	kind, err := r.ReadByte()
	if err != nil {
		return err
	}
	for first := true; ; first = false {
		var block [255]byte
		n, err := r.ReadByte()
		if err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
		if _, err := io.ReadFull(r, block[:n]); err != nil {
			return err
		}
		if first && kind == control && n >= 4 && block[0]&transparent != 0 {
			h.background = block[3]
		}
	}
}

func gifConfig(r io.Reader) (image.Config, error) {
	h, err := readGIFHeader(bufio.NewReader(r))
	c := image.Config{Width: h.canvas.X, Height: h.canvas.Y, ColorModel: color.GrayModel}
	if h.palette != nil {
		c.ColorModel = h.palette
	}
	return c, err
}

// storedGIF returns the first frame on its canvas as Pillow does: a transparent pixel
// keeps its palette color, and the area around the frame has the color of the
// transparent index, or of index 0.
func storedGIF(b []byte) (image.Image, error) {
	r := bytes.NewReader(b)
	h, err := readGIFHeader(r)
	if err != nil {
		return nil, err
	}
	canvas := image.NewPaletted(image.Rectangle{Max: h.canvas}, h.palette)
	if h.background != 0 {
		for i := range canvas.Pix {
			canvas.Pix[i] = h.background
		}
	}
	rows := gifRows{canvas: canvas, frame: h.frame, step: 1}
	if h.interlaced {
		rows.step, rows.passes = 8, []int{4, 2, 1}
	}
	rows.begin()
	if err := unpackGIF(b[len(b)-r.Len():], h.literalBits, &rows); err != nil {
		return nil, err
	}
	if h.palette == nil {
		return &image.Gray{Pix: canvas.Pix, Stride: canvas.Stride, Rect: canvas.Rect}, nil
	}
	return canvas, nil
}

// gifRows writes the pixels of a frame row by row.
type gifRows struct {
	canvas *image.Paletted
	frame  image.Rectangle
	rest   []uint8 // the remaining pixels of row y of the frame
	y      int
	step   int   // distance to the next row
	passes []int // the first rows of the remaining passes of an interlaced frame
}

// begin starts row y.
func (g *gifRows) begin() {
	at := g.canvas.PixOffset(g.frame.Min.X, g.frame.Min.Y+g.y)
	g.rest = g.canvas.Pix[at : at+g.frame.Dx()]
}

// write writes pixels until the frame is full, and reports whether it is.
func (g *gifRows) write(pixels []uint8) (full bool) {
	for {
		n := copy(g.rest, pixels)
		g.rest, pixels = g.rest[n:], pixels[n:]
		if len(g.rest) > 0 {
			return false
		}
		for g.y += g.step; g.y >= g.frame.Dy(); {
			if len(g.passes) == 0 {
				return true
			}
			g.y, g.step = g.passes[0], 2*g.passes[0]
			g.passes = g.passes[1:]
		}
		g.begin()
	}
}

// gifBlocks reads bits from data blocks, lowest bit first. It skips empty blocks, which
// Pillow does not treat as the end.
type gifBlocks struct {
	b     []byte
	left  int // remaining bytes of the current block
	bits  uint32
	valid int
}

func (g *gifBlocks) code(size int) (int, error) {
	for g.valid < size {
		if len(g.b) == 0 {
			return 0, io.ErrUnexpectedEOF
		}
		if g.left == 0 {
			if g.left = int(g.b[0]); g.left >= len(g.b) {
				return 0, io.ErrUnexpectedEOF
			}
			g.b = g.b[1:]
			continue
		}
		g.bits |= uint32(g.b[0]) << g.valid
		g.valid += 8
		g.b = g.b[1:]
		g.left--
	}
	code := int(g.bits & (1<<size - 1))
	g.bits >>= size
	g.valid -= size
	return code, nil
}

var errGIFCode = errors.New("undefined LZW code")

const (
	maxGIFCodeSize = 12
	maxGIFCodes    = 1 << maxGIFCodeSize
)

// gifCodes is the code table of GIF's LZW variant.
type gifCodes struct {
	clear, size, next int // the clear code, the codes' size in bits, the next free code
	last              int // the previous code; -1 after a clear code
	first             uint8
	prefix            [maxGIFCodes]uint16
	suffix            [maxGIFCodes]uint8
	reversed          [maxGIFCodes + 1]uint8 // buffer for the pixels of a code, written from the end
}

func (g *gifCodes) reset(literalBits int) {
	g.clear, g.size, g.next, g.last = 1<<literalBits, literalBits+1, 1<<literalBits+2, -1
}

// pixels returns the pixels of a code; they are valid until the next call.
func (g *gifCodes) pixels(code int) ([]uint8, error) {
	if code > g.next || g.last < 0 && code > g.clear {
		return nil, errGIFCode
	}
	at, c := len(g.reversed), code
	if code == g.next && g.last >= 0 { // the previous code, followed by its first pixel
		at--
		g.reversed[at], c = g.first, g.last
	}
	for ; c >= g.clear; c = int(g.prefix[c]) {
		if at == 0 || c >= maxGIFCodes {
			return nil, errGIFCode
		}
		at--
		g.reversed[at] = g.suffix[c]
	}
	if at == 0 {
		return nil, errGIFCode
	}
	at--
	g.reversed[at], g.first = uint8(c), uint8(c)
	return g.reversed[at:], nil
}

// enter adds a new code: the previous code followed by the first pixel of this one.
func (g *gifCodes) enter(code int) {
	if g.last >= 0 && g.next < maxGIFCodes {
		g.suffix[g.next], g.prefix[g.next] = g.first, uint16(g.last)
		if g.next == 1<<g.size-1 && g.size < maxGIFCodeSize {
			g.size++
		}
		g.next++
	}
	g.last = code
}

// unpackGIF reads pixels until the frame is full.
func unpackGIF(b []byte, literalBits int, rows *gifRows) error {
	in, codes := gifBlocks{b: b}, new(gifCodes)
	codes.reset(literalBits)
	for {
		code, err := in.code(codes.size)
		switch {
		case err != nil:
			return err
		case code == codes.clear:
			codes.reset(literalBits)
			continue
		case code == codes.clear+1: // end of data
			return io.ErrUnexpectedEOF
		}
		pixels, err := codes.pixels(code)
		if err != nil {
			return err
		}
		if rows.write(pixels) {
			return nil
		}
		codes.enter(code)
	}
}

func le16(b []byte) int { return int(binary.LittleEndian.Uint16(b)) }
