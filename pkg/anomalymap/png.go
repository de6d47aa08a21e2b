package anomalymap

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
)

// pngAdvice tells the user how to save a map as a supported PNG.
const pngAdvice = "save the map as 8- or 16-bit grey, Image.fromarray(np.uint16(np.round(scores * 65535))).save(path), or as "

// readPNG reads a PNG of 8- or 16-bit grey v as v/255 or v/65535. It ignores data after
// the picture.
func readPNG(r io.ReaderAt, size int64, o Options) (*Map, error) {
	depth, err := checkPNG(r, size, o)
	if err != nil {
		return nil, err
	}
	stored, err := decodePNG(io.NewSectionReader(r, 0, size))
	if err != nil {
		return nil, fmt.Errorf("the PNG is damaged or cut short; copy or save it again: %w", err)
	}
	switch g := stored.(type) {
	case *image.Gray:
		return greyMap(g.Rect, g.Pix, sample{1, binary.BigEndian, grey8})
	case *image.Gray16:
		return greyMap(g.Rect, g.Pix, sample{2, binary.BigEndian, grey16})
	}
	return nil, fmt.Errorf("the PNG is %d-bit grey with a transparent value; %s%s", depth, pngAdvice, wanted)
}

// checkPNG reads the PNG's header (PNG specification, IHDR) and returns the bits per sample.
func checkPNG(r io.ReaderAt, size int64, o Options) (depth int, err error) {
	// deflateRatio is the maximum number of bytes from one compressed byte: matches of 258
	// bytes, coded in two bits each.
	const deflateRatio = 1032
	var head [26]byte // signature 8, chunk header 8, width 4, height 4, depth 1, color type 1
	if size < int64(len(head)) {
		return 0, fmt.Errorf("the PNG is truncated in its header, after %d bytes; copy or save it again", size)
	}
	if err := readAt(r, head[:], 0); err != nil {
		return 0, err
	}
	if string(head[12:16]) != "IHDR" {
		return 0, errors.New("the PNG's first chunk is not IHDR; save it again")
	}
	width, height := int64(binary.BigEndian.Uint32(head[16:])), int64(binary.BigEndian.Uint32(head[20:]))
	if err := o.check(height, width); err != nil {
		return 0, err
	}
	depth = int(head[24])
	if color := head[25]; color != 0 || depth != 8 && depth != 16 {
		return 0, fmt.Errorf("the PNG is %d-bit %s; %s%s", depth, pngColor(color), pngAdvice, wanted)
	}
	if promised := width * height * int64(depth) / 8; promised/deflateRatio > size {
		return 0, fmt.Errorf("the PNG is damaged: its header declares a map of height %d and width %d, too large for a file of %d bytes; copy or save it again", height, width, size)
	}
	return depth, nil
}

func pngColor(color uint8) string {
	switch color {
	case 0:
		return "grey"
	case 2:
		return "color"
	case 3:
		return "palette"
	case 4:
		return "grey with alpha"
	case 6:
		return "color with alpha"
	}
	return fmt.Sprintf("of the unknown color type %d", color)
}

// decodePNG decodes a PNG and turns a panic of the decoder on malicious content into an error.
func decodePNG(r io.Reader) (m image.Image, err error) {
	defer func() {
		if r := recover(); r != nil {
			m, err = nil, fmt.Errorf("decode: %v", r)
		}
	}()
	return png.Decode(r)
}

// greyMap converts decoded pixels with contiguous rows.
func greyMap(bounds image.Rectangle, pixels []uint8, s sample) (*Map, error) {
	m := newMap(int64(bounds.Dy()), int64(bounds.Dx()))
	for i := range m.Scores {
		score, err := s.score(s.order, pixels[i*s.size:])
		if err != nil {
			return nil, err
		}
		m.Scores[i] = score
	}
	return m, nil
}
