// Package jpeg decodes JPEG pictures to the same pixels, bit for bit, as libjpeg-turbo
// with its default settings: baseline and progressive Huffman coding with 8 bits per
// sample, any number of scans, and all sampling factors that divide the largest one. It
// tolerates the same errors as libjpeg-turbo: stray bytes between segments, lost restart
// markers, invalid codes, data that end early at a marker (missing pixels are grey), and
// files without an end marker. A file that ends within its pixels is an error.
package jpeg

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"

	"acdclip/pkg/data/pixels/picture/unsupported"
)

// notRead returns the error for an unsupported feature.
func notRead(feature string) error {
	return unsupported.Feature("%s; convert it to PNG or baseline JPEG", feature)
}

// Color is the interpretation of a picture's components.
type Color int

const (
	// Guessed uses the file's JFIF and Adobe segments and its component identifiers.
	Guessed Color = iota
	// YCbCr interprets three components as luma and chroma, overriding the file.
	YCbCr
	// Stored applies no color conversion: the components are grey, RGB or CMYK.
	Stored
)

// Options are the options of Decode. The zero value is right for a standalone file.
type Options struct {
	// Tables is a JPEG stream with only quantization and Huffman tables, as in TIFF's
	// tag JPEGTables. They are used if the picture has none.
	Tables []byte
	// Color overrides the color information of the file.
	Color Color
	// MaxPixels is the maximum of width times height; 0 means no limit.
	MaxPixels int64
}

// Picture is a decoded picture. Its components have the file's subsampling; Pixels
// upsamples them to the picture's size and converts the colors.
type Picture struct {
	Width, Height int
	// Channels is the number of values per pixel: 1 for grey, 3 for RGB, 4 for CMYK;
	// with Stored, the number of components of the file.
	Channels int

	planes  []plane
	convert func(dst []uint8, components [][]uint8)
}

// Decode reads the JPEG in b. To read a stream that may be truncated, append an end
// marker (0xff 0xd9): missing pixels are then grey. An error wraps unsupported.Err if
// the JPEG uses an unsupported feature; any other error means that b is damaged. Decode
// does not modify b. Its memory is proportional to the size in the header, which is
// limited by len(b).
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

// Pixels writes the picture to dst, [Height, Width, Channels], row-major and
// interleaved.
func (p *Picture) Pixels(dst []uint8) { p.Rows(dst, 0, p.Height) }

// Rows is Pixels for rows [first, end) of the picture.
func (p *Picture) Rows(dst []uint8, first, end int) {
	u := p.upsampler()
	stride := p.Width * p.Channels
	for y := range end - first {
		p.convert(dst[y*stride:(y+1)*stride], u.row(first+y))
	}
}

// Grey returns a picture of one channel without copying; nil if it has more channels.
func (p *Picture) Grey() *image.Gray {
	if p.Channels != 1 {
		return nil
	}
	return &image.Gray{Pix: p.planes[0].pix, Stride: p.planes[0].stride, Rect: image.Rect(0, 0, p.Width, p.Height)}
}

// ColorModel, Bounds and At implement image.Image. At is slow: it converts a whole row.
func (p *Picture) ColorModel() color.Model { return colorModel(p.Channels) }

// Bounds returns the picture's size, starting at (0, 0).
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

// picture returns the Picture of the finished frame, with its color conversion.
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

// storesRGB and storesYCCK detect the color space like libjpeg.
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
