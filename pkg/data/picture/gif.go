package picture

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"slices"
)

// storedGIF returns the first frame on its canvas as Pillow does: a
// transparent pixel keeps its palette color, and what the frame does not
// cover has the transparent index's color, or that of index 0.
func storedGIF(b []byte) (image.Image, error) {
	b, background := opaqueGIF(b)
	m, err := gif.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	frame, ok := m.(*image.Paletted)
	if !ok {
		return nil, errors.New("the frame has no palette")
	}
	// The frame may be smaller than the canvas, whose size the header states.
	canvas := image.NewPaletted(image.Rect(0, 0, le16(b[6:]), le16(b[8:])), paddedPalette(frame.Palette))
	for i := range canvas.Pix {
		canvas.Pix[i] = background
	}
	for y := frame.Rect.Min.Y; y < frame.Rect.Max.Y; y++ {
		copy(canvas.Pix[canvas.PixOffset(frame.Rect.Min.X, y):], frame.Pix[frame.PixOffset(frame.Rect.Min.X, y):][:frame.Rect.Dx()])
	}
	return canvas, nil
}

func le16(b []byte) int { return int(b[0]) | int(b[1])<<8 }

// paddedPalette fills up to 256 colors with black, for a background index beyond the palette.
func paddedPalette(p color.Palette) color.Palette {
	p = slices.Clone(p)
	for len(p) < 256 {
		p = append(p, color.RGBA{A: 255})
	}
	return p
}

// opaqueGIF returns b with the first frame's transparency switched off, since
// image/gif would put black in the transparent color's place, and the index
// that was transparent (0 without one). Anything odd is left for image/gif to report.
func opaqueGIF(b []byte) ([]byte, uint8) {
	const (
		screenEnd  = 13 // signature 6, logical screen descriptor 7
		extension  = 0x21
		control    = 0xf9
		colorTable = 0x80
	)
	at := screenEnd
	if len(b) > at && b[10]&colorTable != 0 {
		at += 3 << (1 + b[10]&7)
	}
	for at+8 <= len(b) && b[at] == extension {
		if b[at+1] == control && b[at+2] == 4 && b[at+3]&1 != 0 {
			opaque := slices.Clone(b)
			opaque[at+3] &^= 1
			return opaque, b[at+6]
		}
		at += 2
		for at < len(b) && b[at] != 0 { // data blocks, the empty one last
			at += 1 + int(b[at])
		}
		at++
	}
	return b, 0
}
