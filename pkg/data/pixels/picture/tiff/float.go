package tiff

import (
	"encoding/binary"
	"image"
	"image/color"
	"math"
)

// Float is a picture of 32-bit floats, without a meaning of their range.
type Float struct {
	Pix      []uint8 // [H, W, Channels] of big-endian floats, row-major and interleaved
	Channels int     // 1 for grey, 3 for RGB
	Rect     image.Rectangle
}

func newFloat(bounds image.Rectangle, channels int) *Float {
	return &Float{Pix: make([]uint8, floatSize*channels*bounds.Dx()*bounds.Dy()), Channels: channels, Rect: bounds}
}

const floatSize = 4 // bytes

// Len returns the number of values.
func (m *Float) Len() int { return len(m.Pix) / floatSize }

// Value returns value i of [H, W, Channels].
func (m *Float) Value(i int) float32 {
	return math.Float32frombits(binary.BigEndian.Uint32(m.Pix[floatSize*i:]))
}

// Bounds is that of image.Image.
func (m *Float) Bounds() image.Rectangle { return m.Rect }

// ColorModel is that of image.Image.
func (m *Float) ColorModel() color.Model { return color.RGBA64Model }

// At takes values from 0 to 1 as black to white, and those beyond as black or white.
func (m *Float) At(x, y int) color.Color {
	pixel := ((y-m.Rect.Min.Y)*m.Rect.Dx() + x - m.Rect.Min.X) * m.Channels
	channel := func(k int) uint16 {
		v := m.Value(pixel + min(k, m.Channels-1))
		if !(v > 0) { // also true for NaN
			return 0
		}
		return uint16(math.Round(float64(min(v, 1)) * math.MaxUint16))
	}
	return color.RGBA64{channel(0), channel(1), channel(2), math.MaxUint16}
}

// paintFloats copies the color samples.
func (c *canvas) paintFloats(x, y, n int, samples []byte) {
	dst, order, channels := c.row(x, y, n), c.page.order, c.page.colors.count()
	for i := range n {
		for k := range channels {
			binary.BigEndian.PutUint32(dst[floatSize*(i*channels+k):], order.Uint32(samples[floatSize*(i*c.stride+k):]))
		}
	}
}
