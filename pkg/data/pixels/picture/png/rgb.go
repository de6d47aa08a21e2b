package png

import (
	"image"
	"image/color"
)

// RGB is a picture of three bytes per pixel: Pix is [H, W, 3], row-major and interleaved.
type RGB struct {
	Pix  []uint8
	Rect image.Rectangle // starts at (0, 0)
}

// ColorModel returns the model of image.RGBA, whose alpha is 255 here.
func (p *RGB) ColorModel() color.Model { return color.RGBAModel }

// Bounds returns the picture's size, starting at (0, 0).
func (p *RGB) Bounds() image.Rectangle { return p.Rect }

// At returns the color of one pixel.
func (p *RGB) At(x, y int) color.Color {
	if !(image.Point{X: x, Y: y}).In(p.Rect) {
		return color.RGBA{}
	}
	v := p.Row(y)[3*x:]
	return color.RGBA{R: v[0], G: v[1], B: v[2], A: 255}
}

// Row returns row y, [W, 3], of the picture itself.
func (p *RGB) Row(y int) []uint8 {
	stride := 3 * p.Rect.Max.X
	return p.Pix[y*stride : (y+1)*stride]
}
