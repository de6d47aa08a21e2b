package tiff

import (
	"fmt"
	"image"
	"image/color"
	"math"

	"acdclip/pkg/data/pixels/picture/orientation"
)

// canvas is the output picture for a page's samples.
type canvas struct {
	page   *page
	image  image.Image
	pix    []uint8 // the pixels of image
	size   int     // bytes per pixel in pix
	stride int     // input samples per pixel
	paint  func(x, y, n int, samples []byte)
	joined []byte // interleaved samples of all planes, for planar pages
}

// newCanvas selects the image type and the conversion of samples to pixels. Samples of
// more than 8 bits are in the page's byte order; smaller ones take one byte each.
func newCanvas(p *page) (*canvas, error) {
	c := &canvas{page: p, stride: p.samples}
	if p.planar {
		c.stride = p.used()
	}
	bounds := image.Rect(0, 0, p.width, p.height)
	if p.format == float {
		m := newFloat(bounds, p.colors.count())
		c.image, c.pix, c.size, c.paint = m, m.Pix, floatSize*m.Channels, c.paintFloats
		return c, nil
	}
	switch p.colors {
	case palette:
		colors, err := p.palette()
		if err != nil {
			return nil, err
		}
		m := image.NewPaletted(bounds, colors)
		c.image, c.pix, c.size, c.paint = m, m.Pix, 1, c.paintIndices
	case whiteIsZero, blackIsZero:
		if p.format == unsigned && (p.bits == 12 || p.bits == 16) {
			m := image.NewGray16(bounds)
			c.image, c.pix, c.size, c.paint = m, m.Pix, 2, c.paintGrey16
			break
		}
		m := image.NewGray(bounds)
		c.image, c.pix, c.size, c.paint = m, m.Pix, 1, c.greyPainter()
	default:
		if p.colors == rgb && p.bits == 16 && !p.associated() {
			m := image.NewNRGBA64(bounds)
			c.image, c.pix, c.size, c.paint = m, m.Pix, 8, c.paintRGB16
			break
		}
		m := image.NewNRGBA(bounds)
		c.image, c.pix, c.size, c.paint = m, m.Pix, 4, c.colorPainter()
	}
	return c, nil
}

// row returns the bytes of n pixels, starting at (x, y).
func (c *canvas) row(x, y, n int) []uint8 {
	at := (y*c.page.width + x) * c.size
	return c.pix[at : at+n*c.size]
}

// palette returns 256 colors: the high bytes of ColorMap, padded with black like Pillow.
func (p *page) palette() (color.Palette, error) {
	const most = 3 << 16
	values, err := p.numbers(colorMap, most)
	if err != nil {
		return nil, err
	}
	n := len(values) / 3
	colors := make(color.Palette, 256)
	for i := range colors {
		colors[i] = color.RGBA{A: 255}
		if i < n {
			colors[i] = color.RGBA{uint8(values[i] >> 8), uint8(values[n+i] >> 8), uint8(values[2*n+i] >> 8), 255}
		}
	}
	return colors, nil
}

func (c *canvas) paintIndices(x, y, n int, samples []byte) {
	dst := c.row(x, y, n)
	if c.stride == 1 {
		copy(dst, samples)
		return
	}
	for i := range dst {
		dst[i] = samples[i*c.stride]
	}
}

// paintGrey16 keeps 16 bits and scales 12 bits to 16. Like Pillow, it does not invert
// white-is-zero at this depth.
func (c *canvas) paintGrey16(x, y, n int, samples []byte) {
	dst, order, small := c.row(x, y, n), c.page.order, c.page.bits == 12
	divide := c.page.associated()
	for i := range n {
		v := order.Uint16(samples[2*i*c.stride:])
		if small {
			v = v<<4 | v>>8
		}
		if divide {
			v = divided16(v, order.Uint16(samples[2*i*c.stride+2:]))
		}
		dst[2*i], dst[2*i+1] = uint8(v>>8), uint8(v)
	}
}

func divided16(v, alpha uint16) uint16 {
	if alpha == 0 {
		return 0
	}
	return uint16(min(math.MaxUint16, uint32(v)*math.MaxUint16/uint32(alpha)))
}

// greyPainter returns a function that paints 8-bit grey: by a table, or numbers clamped to 0 to 255.
func (c *canvas) greyPainter() func(x, y, n int, samples []byte) {
	p := c.page
	if number := p.number255(); number != nil {
		size := c.stride * p.bits / 8
		return func(x, y, n int, samples []byte) {
			for i, dst := 0, c.row(x, y, n); i < n; i++ {
				dst[i] = number(samples[i*size:])
			}
		}
	}
	table := p.greyTable()
	same := p.bits == 8 && p.colors == blackIsZero && c.stride == 1
	divide := p.associated()
	return func(x, y, n int, samples []byte) {
		dst := c.row(x, y, n)
		switch {
		case same:
			copy(dst, samples)
		case divide:
			for i := range dst {
				dst[i] = divided(table[samples[i*c.stride]], samples[i*c.stride+1])
			}
		default:
			for i := range dst {
				dst[i] = table[samples[i*c.stride]]
			}
		}
	}
}

// greyTable returns the grey of each value of up to 8 bits.
func (p *page) greyTable() (table [256]uint8) {
	most := 1<<min(p.bits, 8) - 1
	for i := range table {
		table[i] = uint8(min(i, most) * 255 / most)
		if p.colors == whiteIsZero {
			table[i] = 255 - table[i]
		}
	}
	return table
}

// number255 returns a function that reads a sample as a number, clamps it to 0 to 255 and
// truncates it, like Pillow's conversion of its mode I to grey. It is nil for unsigned
// samples of up to 16 bits.
func (p *page) number255() func(b []byte) uint8 {
	order := p.order
	switch {
	case p.bits == 32: // Pillow reads unsigned numbers as signed
		return func(b []byte) uint8 { return uint8(min(max(int32(order.Uint32(b)), 0), 255)) }
	case p.bits == 16 && p.format == signed:
		return func(b []byte) uint8 { return uint8(min(max(int16(order.Uint16(b)), 0), 255)) }
	}
	return nil
}

// paintRGB16 keeps 16 bits.
func (c *canvas) paintRGB16(x, y, n int, samples []byte) {
	dst, order := c.row(x, y, n), c.page.order
	for i := range n {
		p, q := dst[8*i:8*i+8:8*i+8], samples[2*i*c.stride:]
		for k := range 3 {
			v := order.Uint16(q[2*k:])
			p[2*k], p[2*k+1] = uint8(v>>8), uint8(v)
		}
		p[6], p[7] = 255, 255
	}
}

// colorPainter returns a function that paints 8-bit colors; it takes the high byte of 16-bit samples.
func (c *canvas) colorPainter() func(x, y, n int, samples []byte) {
	p := c.page
	if p.colors != cmyk && p.bits == 8 && !p.associated() {
		return c.paintRGB8
	}
	size, high := 1, 0
	if p.bits == 16 {
		size = 2
		if p.order.Uint16([]byte{1, 0}) == 1 { // little-endian
			high = 1
		}
	}
	used, most := p.used(), 1<<min(p.bits, 8)-1
	convert := dividedPixel
	switch {
	case p.colors == cmyk:
		convert = cmykPixel
	case !p.associated():
		convert = rgbPixel
	}
	return func(x, y, n int, samples []byte) {
		dst := c.row(x, y, n)
		var values [5]uint8
		for i := range n {
			for k := range used {
				values[k] = uint8(int(samples[(i*c.stride+k)*size+high]) * 255 / most)
			}
			convert(dst[4*i:4*i+4:4*i+4], &values)
		}
	}
}

// paintRGB8 paints 8-bit RGB, the most common case.
func (c *canvas) paintRGB8(x, y, n int, samples []byte) {
	dst, step := c.row(x, y, n), c.stride
	for i := range n {
		p, q := dst[4*i:4*i+4:4*i+4], samples[step*i:step*i+3:step*i+3]
		p[0], p[1], p[2], p[3] = q[0], q[1], q[2], 255
	}
}

func rgbPixel(dst []uint8, v *[5]uint8) { dst[0], dst[1], dst[2], dst[3] = v[0], v[1], v[2], 255 }

// dividedPixel divides by alpha as Pillow does.
func dividedPixel(dst []uint8, v *[5]uint8) {
	for k := range 3 {
		dst[k] = divided(v[k], v[3])
	}
	dst[3] = 255
}

func divided(v, alpha uint8) uint8 {
	if alpha == 0 {
		return 0
	}
	return uint8(min(255, int(v)*255/int(alpha)))
}

// cmykPixel converts inks like Pillow: light - ink*light/255, where light is 255 - black.
func cmykPixel(dst []uint8, v *[5]uint8) {
	light := 255 - int(v[3])
	for k := range 3 {
		product := int(v[k])*light + 128
		dst[k] = uint8(max(0, light-(product>>8+product)>>8))
	}
	dst[3] = 255
}

// joinPlanes allocates memory for the samples of all planes.
func (c *canvas) joinPlanes() {
	size := (c.page.bits + 7) / 8
	c.joined = make([]byte, c.page.width*c.page.height*c.stride*size)
}

// joinPlane interleaves n samples of a plane with those of the other planes.
func (c *canvas) joinPlane(x, y, n, plane int, samples []byte) {
	size := (c.page.bits + 7) / 8
	step := c.stride * size
	dst := c.joined[(y*c.page.width+x)*step+plane*size:]
	for i := range n {
		copy(dst[i*step:i*step+size], samples[i*size:])
	}
}

// paintJoined paints the interleaved samples.
func (c *canvas) paintJoined() {
	step := c.page.width * c.stride * ((c.page.bits + 7) / 8)
	for y := range c.page.height {
		c.paint(0, y, c.page.width, c.joined[y*step:])
	}
}

// turned returns the image in upright orientation.
func (c *canvas) turned(o orientation.Orientation) image.Image {
	if o == orientation.Upright {
		return c.image
	}
	bounds := c.image.Bounds()
	pix := o.Turn(c.pix, bounds.Dx(), bounds.Dy(), c.size)
	if o.Swaps() {
		bounds = image.Rect(0, 0, bounds.Dy(), bounds.Dx())
	}
	stride := bounds.Dx() * c.size
	switch m := c.image.(type) {
	case *image.Gray:
		return &image.Gray{Pix: pix, Stride: stride, Rect: bounds}
	case *image.Gray16:
		return &image.Gray16{Pix: pix, Stride: stride, Rect: bounds}
	case *image.Paletted:
		return &image.Paletted{Pix: pix, Stride: stride, Rect: bounds, Palette: m.Palette}
	case *image.NRGBA64:
		return &image.NRGBA64{Pix: pix, Stride: stride, Rect: bounds}
	case *image.NRGBA:
		return &image.NRGBA{Pix: pix, Stride: stride, Rect: bounds}
	case *Float:
		return &Float{Pix: pix, Channels: m.Channels, Rect: bounds}
	}
	panic(fmt.Sprintf("orientation of %T is not implemented", c.image))
}
