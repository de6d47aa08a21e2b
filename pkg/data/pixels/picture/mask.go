package picture

import (
	"fmt"
	"image"
	"image/color"
	"slices"

	"acdclip/pkg/data/pixels/picture/png"
)

// Grey is a picture of one channel: Pix is [H, W], row-major, with values in [0, 255].
type Grey struct {
	Width, Height int
	Pix           []uint8
}

// NonZero is the mask threshold at which every value but zero is anomalous.
const NonZero = 1

// DecodeMask reads the mask at path as grey (Pillow's convert("L"), alpha is ignored) at
// its original size. It does not apply threshold, as Binary does, but with NonZero it
// keeps non-zero 16-bit values non-zero. It rotates the mask by turn, the picture's
// orientation, and ignores the mask's own EXIF. Its errors are Decode's.
func DecodeMask(path string, threshold uint8, o DecodeOptions, turn Orientation) (*Grey, Info, error) {
	g, info, _, err := DecodeMaskColor(path, threshold, o, turn)
	return g, info, err
}

// MaskColor is color information of a mask that its grey values do not contain.
type MaskColor struct {
	Colored bool        // the channels of at least one pixel differ, ignoring alpha
	Palette bool        // it has a palette
	First   color.NRGBA // the palette's first color, not multiplied by alpha
}

// DecodeMaskColor is DecodeMask and also returns the mask's MaskColor.
func DecodeMaskColor(path string, threshold uint8, o DecodeOptions, turn Orientation) (g *Grey, info Info, c MaskColor, err error) {
	file, err := openStored(path, o)
	if err != nil {
		return nil, Info{}, MaskColor{}, err
	}
	depth := greyDepth
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

// plainColor returns the channels of a palette's color, not multiplied by alpha.
func plainColor(c color.Color) color.NRGBA {
	if plain, ok := c.(color.NRGBA); ok {
		return plain
	}
	return color.NRGBAModel.Convert(c).(color.NRGBA)
}

// grey converts the stored pixels to grey, if possible without an intermediate RGB
// picture, since datasets have many masks.
func (s storedPicture) grey(depth narrowing, turn Orientation) (g *Grey, colored bool, err error) {
	if turn <= Upright {
		switch m := s.pixels.(type) {
		case *image.Gray:
			return storedGrey(m), false, nil
		case *image.Paletted, *image.NRGBA, *image.RGBA, *png.RGB:
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

// storedGrey converts a grey picture directly; the result equals that of converting via RGB.
func storedGrey(m *image.Gray) *Grey {
	g := &Grey{Width: m.Rect.Dx(), Height: m.Rect.Dy(), Pix: m.Pix}
	g.Pix = g.Pix[:min(len(g.Pix), g.Width*g.Height)] // the JPEG decoder pads to whole blocks
	if m.Stride != g.Width {
		g.Pix = make([]uint8, g.Width*g.Height)
		for y := range g.Height {
			copy(g.Pix[y*g.Width:(y+1)*g.Width], m.Pix[y*m.Stride:])
		}
	}
	return g
}

// rowsToGrey converts a picture row by row through RGB.
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

// greyRow is Pillow's convert("L") for RGB pixels and reports whether one is colored.
// Equal channels, the usual case in masks, are their own grey.
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

// Luma returns the grey of a pixel, by ITU-R 601-2 in 16-bit fixed point.
// (Pillow, src/libImaging/Convert.c.)
func Luma(r, g, b uint8) uint8 {
	return uint8((19595*uint32(r) + 38470*uint32(g) + 7471*uint32(b) + 32768) >> 16)
}

// ResizeNearest is Pillow's resize(NEAREST). It accumulates the input position step by
// step like Pillow, including the rounding errors.
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

// MaxNearest returns the largest value in ResizeNearest(width, height), or any value in
// it that is at least enough.
func (g *Grey) MaxNearest(width, height int, enough uint8) uint8 {
	// Repeated columns and rows are read once.
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

// nearest returns the input index of each of out output pixels.
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

// Binary replaces values in place: 1 (anomalous) if at least threshold, else 0. A
// threshold of 0 counts as NonZero.
func (g *Grey) Binary(threshold uint8) {
	threshold = max(threshold, NonZero)
	for i, v := range g.Pix {
		g.Pix[i] = 0
		if v >= threshold {
			g.Pix[i] = 1
		}
	}
}
