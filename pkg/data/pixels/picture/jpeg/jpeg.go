// Package jpeg decodes JPEG pictures to the pixels that libjpeg-turbo gives with
// its default settings, bit for bit: baseline and progressive Huffman coding
// with 8 bits a sample, any number of scans, and all sampling factors that
// divide one another. It also tolerates what libjpeg-turbo tolerates: stray
// bytes between segments, lost restart markers, wrong codes, data that end in
// an early marker (what is missing is grey), and files without an end marker.
// A file that ends in the middle of its pixels is an error.
package jpeg

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"

	"acdclip/pkg/data/pixels/picture/unsupported"
)

// notRead is the error of a feature that this package does not read.
func notRead(feature string) error {
	return unsupported.Feature("%s; convert it to PNG or baseline JPEG", feature)
}

// Color says what the components of a picture mean.
type Color int

const (
	// Guessed trusts the file: its JFIF and Adobe segments and its component identifiers.
	Guessed Color = iota
	// YCbCr takes three components as luma and chroma, whatever the file says.
	YCbCr
	// Stored leaves the components as they are: grey, RGB or CMYK.
	Stored
)

// Options adjust Decode. The zero value is right for a file of its own.
type Options struct {
	// Tables is a JPEG stream that holds only quantization and Huffman tables, as
	// TIFF's tag JPEGTables does. They apply where the picture brings none.
	Tables []byte
	// Color overrides what the file says of its colors.
	Color Color
	// MaxPixels is the largest width times height that is decoded; 0 means no limit.
	MaxPixels int64
}

// Picture is a decoded picture. Its components are kept as the file samples
// them; Pixels brings them to the picture's size and converts the colors.
type Picture struct {
	Width, Height int
	// Channels is the number of values a pixel: 1 for grey, 3 for RGB, 4 for CMYK.
	// With Stored they are the file's components.
	Channels int

	planes  []plane
	convert func(dst []uint8, components [][]uint8)
}

// Decode reads the JPEG in b. To read a stream that may be cut short anywhere,
// append an end marker (0xff 0xd9): what is missing is grey then. It returns an
// error that wraps unsupported.Err where the JPEG uses a feature that is not read, and
// otherwise says what is wrong with b. It only reads b. The memory that it
// takes is in proportion to the size that the header states, which cannot be
// more than len(b) allows.
func Decode(b []byte, o Options) (*Picture, error) {
	d := decoder{maxPixels: o.MaxPixels}
	if o.Tables != nil {
		if err := d.readTables(o.Tables); err != nil {
			return nil, fmt.Errorf("read the JPEG tables: %w", err)
		}
	}
	d.open(b)
	if err := d.decode(); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return d.picture(o.Color), nil
}

// Pixels writes the picture to dst, which has Width*Height*Channels bytes:
// row-major, the channels interleaved, [H, W, C].
func (p *Picture) Pixels(dst []uint8) {
	u := p.upsampler()
	stride := p.Width * p.Channels
	for y := range p.Height {
		p.convert(dst[y*stride:(y+1)*stride], u.row(y))
	}
}

// Grey returns a picture of one channel without copying it; nil if there are more.
func (p *Picture) Grey() *image.Gray {
	if p.Channels != 1 {
		return nil
	}
	return &image.Gray{Pix: p.planes[0].pix, Stride: p.planes[0].stride, Rect: image.Rect(0, 0, p.Width, p.Height)}
}

// ColorModel, Bounds and At make a Picture an image.Image. At is slow: it converts a whole row.
func (p *Picture) ColorModel() color.Model { return colorModel(p.Channels) }

// Bounds begins at (0, 0).
func (p *Picture) Bounds() image.Rectangle { return image.Rect(0, 0, p.Width, p.Height) }

// At returns the color of one pixel.
func (p *Picture) At(x, y int) color.Color {
	if !(image.Point{X: x, Y: y}).In(p.Bounds()) {
		return color.RGBA{}
	}
	row := make([]uint8, p.Width*p.Channels)
	p.convert(row, p.upsampler().row(y))
	v := row[x*p.Channels:][:p.Channels]
	switch p.Channels {
	case 1:
		return color.Gray{Y: v[0]}
	case 3:
		return color.RGBA{R: v[0], G: v[1], B: v[2], A: 255}
	}
	return color.CMYK{C: v[0], M: v[1], Y: v[2], K: v[3]}
}

func colorModel(channels int) color.Model {
	switch channels {
	case 1:
		return color.GrayModel
	case 3:
		return color.RGBAModel
	}
	return color.CMYKModel
}

// picture joins the planes of the finished frame with the conversion of their colors.
func (d *decoder) picture(c Color) *Picture {
	f := d.frame
	p := &Picture{Width: f.width, Height: f.height, Channels: len(f.components), convert: interleave}
	for i := range f.components {
		p.planes = append(p.planes, f.components[i].plane)
	}
	switch {
	case c == Stored || p.Channels == 1:
	case p.Channels == 3 && (c == YCbCr || !d.storesRGB()):
		p.convert = ycbcrToRGB
	case p.Channels == 4 && d.storesYCCK():
		p.convert = ycckToCMYK
	}
	return p
}

// storesRGB and storesYCCK decide as libjpeg does.
func (d *decoder) storesRGB() bool {
	switch {
	case d.jfif:
		return false
	case d.adobe:
		return d.transform == 0
	}
	c := d.frame.components
	return c[0].id == 'R' && c[1].id == 'G' && c[2].id == 'B'
}

func (d *decoder) storesYCCK() bool { return d.adobe && d.transform != 0 }
