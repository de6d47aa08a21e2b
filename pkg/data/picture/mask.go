package picture

import (
	"fmt"
	"image"
)

// Grey is a picture of one channel: Pix holds Width*Height bytes, row-major,
// [H, W], each in [0, 255].
type Grey struct {
	Width, Height int
	Pix           []uint8
}

// NonZero is the mask threshold that takes every value but zero as anomalous.
const NonZero = 1

// DecodeMask reads the mask at path as grey (Pillow's convert("L"), alpha is
// ignored), at its own size. A pixel is anomalous where its value is at least
// the threshold that the mask will be read with, which Binary applies; with
// NonZero a 16-bit value that is not zero stays so. The mask is turned by turn,
// its picture's, and never by an orientation of its own. Errors are Decode's.
func DecodeMask(path string, threshold uint8, o DecodeOptions, turn Orientation) (*Grey, Info, error) {
	file, err := openStored(path, o)
	if err != nil {
		return nil, Info{}, err
	}
	if m, isGrey := file.pixels.(*image.Gray); isGrey && turn <= Upright {
		return storedGrey(m), file.info, nil
	}
	depth := pictureDepth
	if threshold <= NonZero {
		depth = maskDepth
	}
	im, err := file.image(depth)
	if err != nil {
		return nil, Info{}, fmt.Errorf("%s: %w", path, err)
	}
	return turn.apply(im).grey(), file.info, nil
}

// storedGrey takes a grey picture as it is: by way of colors it would be the same.
func storedGrey(m *image.Gray) *Grey {
	g := &Grey{Width: m.Rect.Dx(), Height: m.Rect.Dy(), Pix: m.Pix}
	if m.Stride != g.Width {
		g.Pix = make([]uint8, g.Width*g.Height)
		for y := range g.Height {
			copy(g.Pix[y*g.Width:(y+1)*g.Width], m.Pix[y*m.Stride:])
		}
	}
	return g
}

// grey is Pillow's convert("L").
func (im *Image) grey() *Grey {
	g := &Grey{im.Width, im.Height, make([]uint8, im.Width*im.Height)}
	for i := range g.Pix {
		p := im.Pix[3*i : 3*i+3 : 3*i+3]
		g.Pix[i] = Luma(p[0], p[1], p[2])
	}
	return g
}

// Luma is the grey of a pixel: that of ITU-R 601-2 in 16-bit fixed point.
// (Pillow, src/libImaging/Convert.c.)
func Luma(r, g, b uint8) uint8 {
	return uint8((19595*uint32(r) + 38470*uint32(g) + 7471*uint32(b) + 32768) >> 16)
}

// ResizeNearest is Pillow's resize(NEAREST). The place in the input is
// summed up step by step as Pillow does it, rounding errors included.
// (Pillow, src/libImaging/Geometry.c, ImagingScaleAffine.)
func (g *Grey) ResizeNearest(width, height int) *Grey {
	out := &Grey{width, height, make([]uint8, width*height)}
	columns, rows := nearest(g.Width, width), nearest(g.Height, height)
	for y, sy := range rows {
		src, dst := g.Pix[sy*g.Width:], out.Pix[y*width:]
		for x, sx := range columns {
			dst[x] = src[sx]
		}
	}
	return out
}

// nearest returns which of in pixels each of out pixels takes.
func nearest(in, out int) []int {
	places := make([]int, out)
	step := float64(in) / float64(out)
	at := step * 0.5
	for i := range places {
		places[i] = min(int(at), in-1)
		at += step
	}
	return places
}

// Binary turns the values in place into 1, where they are at least threshold
// (anomalous), and 0. A threshold of 0 counts as NonZero.
func (g *Grey) Binary(threshold uint8) {
	threshold = max(threshold, NonZero)
	for i, v := range g.Pix {
		g.Pix[i] = 0
		if v >= threshold {
			g.Pix[i] = 1
		}
	}
}
