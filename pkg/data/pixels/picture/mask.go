package picture

import (
	"fmt"
	"image"
	"image/color"
	"slices"
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
	g, info, _, err := DecodeMaskColor(path, threshold, o, turn)
	return g, info, err
}

// MaskColor is what the grey of a mask does not tell of its colors.
type MaskColor struct {
	Colored bool        // some pixel's channels, alpha aside, differ
	Palette bool        // it has a palette
	First   color.NRGBA // the palette's first color, whose channels stay as they are under alpha 0
}

// DecodeMaskColor is DecodeMask, and tells of the mask's colors.
func DecodeMaskColor(path string, threshold uint8, o DecodeOptions, turn Orientation) (g *Grey, info Info, c MaskColor, err error) {
	file, err := openStored(path, o)
	if err != nil {
		return nil, Info{}, MaskColor{}, err
	}
	depth := pictureDepth
	if threshold <= NonZero {
		depth = maskDepth
	}
	if g, c.Colored, err = file.grey(depth, turn); err != nil {
		return nil, Info{}, MaskColor{}, fmt.Errorf("%s: %w", path, err)
	}
	if m, ok := file.pixels.(*image.Paletted); ok && len(m.Palette) > 0 {
		c.Palette, c.First = true, plainColor(m.Palette[0])
	}
	return g, file.info, c, nil
}

// plainColor gives the channels of a palette's color, which alpha has not changed.
func plainColor(c color.Color) color.NRGBA {
	if plain, ok := c.(color.NRGBA); ok {
		return plain
	}
	return color.NRGBAModel.Convert(c).(color.NRGBA)
}

// grey converts the stored pixels to grey. What can go without a picture of
// RGB in between does, since masks are many.
func (s storedPicture) grey(depth narrowing, turn Orientation) (g *Grey, colored bool, err error) {
	if turn <= Upright {
		switch m := s.pixels.(type) {
		case *image.Gray:
			return storedGrey(m), false, nil
		case *image.Paletted, *image.NRGBA, *image.RGBA:
			defer s.recovered(&err)
			return rowsToGrey(m, depth)
		}
	}
	im, err := s.image(depth)
	if err != nil {
		return nil, false, err
	}
	g, colored = turned(im, turn).toGrey()
	return g, colored, nil
}

func (im *Image) toGrey() (g *Grey, colored bool) {
	g = &Grey{im.Width, im.Height, make([]uint8, im.Width*im.Height)}
	return g, greyRow(g.Pix, im.Pix)
}

// storedGrey takes a grey picture as it is: by way of colors it would be the same.
func storedGrey(m *image.Gray) *Grey {
	g := &Grey{Width: m.Rect.Dx(), Height: m.Rect.Dy(), Pix: m.Pix}
	g.Pix = g.Pix[:min(len(g.Pix), g.Width*g.Height)] // JPEG's decoder leaves whole blocks
	if m.Stride != g.Width {
		g.Pix = make([]uint8, g.Width*g.Height)
		for y := range g.Height {
			copy(g.Pix[y*g.Width:(y+1)*g.Width], m.Pix[y*m.Stride:])
		}
	}
	return g
}

// rowsToGrey converts a picture with one row of RGB in between.
func rowsToGrey(m image.Image, depth narrowing) (g *Grey, colored bool, err error) {
	size := m.Bounds().Size()
	g = &Grey{size.X, size.Y, make([]uint8, size.X*size.Y)}
	row := make([]uint8, 3*size.X)
	for y := range size.Y {
		if err := rowToRGB(row, m, y, depth); err != nil {
			return nil, false, err
		}
		if greyRow(g.Pix[y*size.X:(y+1)*size.X], row) {
			colored = true
		}
	}
	return g, colored, nil
}

// greyRow is Pillow's convert("L") of RGB pixels, and says whether one is
// colored. Equal channels, the rule in masks, are their own grey.
func greyRow(dst, rgb []uint8) (colored bool) {
	for i := range dst {
		p := rgb[3*i : 3*i+3 : 3*i+3]
		r, g, b := p[0], p[1], p[2]
		if r != g || r != b {
			colored = true
			r = Luma(r, g, b)
		}
		dst[i] = r
	}
	return colored
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

// MaxNearest is the largest value that ResizeNearest(width, height) takes, or
// one that it takes and that is at least enough.
func (g *Grey) MaxNearest(width, height int, enough uint8) uint8 {
	// What is taken several times is looked at once.
	columns, rows := slices.Compact(nearest(g.Width, width)), slices.Compact(nearest(g.Height, height))
	var largest uint8
	for _, y := range rows {
		row := g.Pix[y*g.Width : (y+1)*g.Width]
		for _, x := range columns {
			largest = max(largest, row[x])
		}
		if largest >= enough {
			break
		}
	}
	return largest
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
