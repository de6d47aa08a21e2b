package picture

import "image"

// Crop returns a copy of the part of im inside r, which must lie in the picture.
func (im *Image) Crop(r image.Rectangle) *Image {
	part := NewImage(r.Dx(), r.Dy())
	for y := range part.Height {
		copy(part.row(y), im.row(r.Min.Y + y)[3*r.Min.X:3*r.Max.X])
	}
	return part
}

// Paste copies part into im with its corner at (x, y), which must not be negative. What
// does not fit is cut. (Pillow's paste.)
func (im *Image) Paste(part *Image, x, y int) {
	width := min(part.Width, im.Width-x)
	for row := 0; row < part.Height && y+row < im.Height && width > 0; row++ {
		copy(im.row(y + row)[3*x:], part.row(row)[:3*width])
	}
}

// Paste is Image.Paste for one channel.
func (g *Grey) Paste(part *Grey, x, y int) {
	width := min(part.Width, g.Width-x)
	for row := 0; row < part.Height && y+row < g.Height && width > 0; row++ {
		copy(g.Pix[g.Width*(y+row)+x:], part.Pix[part.Width*row:][:width])
	}
}

// Join raises the pixels of g to those of other, where other is larger. Pixels of other
// outside g are ignored.
func (g *Grey) Join(other *Grey) {
	for y := range min(g.Height, other.Height) {
		for x := range min(g.Width, other.Width) {
			at := &g.Pix[g.Width*y+x]
			*at = max(*at, other.Pix[other.Width*y+x])
		}
	}
}
