package picture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"math"

	"acdclip/pkg/data/pixels/picture/png"
	"acdclip/pkg/data/pixels/picture/tiff"
)

// narrowing converts 16-bit values of grey pictures and of color channels to bytes, and
// floats.
type narrowing struct {
	grey, color func(uint16) uint8
	real        func(float32) uint8
}

// pictureDepth keeps the high byte of color channels like Pillow, rounds grey (which
// Pillow saturates), and takes floats from 0 to 1 as black to white. greyDepth is for
// masks: it reads floats as Pillow does. maskDepth is too, and keeps non-zero integers
// non-zero: grey is at least 1, and non-zero color channels become 255, because small ones
// could vanish in the conversion to grey.
var (
	pictureDepth = narrowing{grey: rounded, color: highByte, real: ofUnit}
	greyDepth    = narrowing{grey: rounded, color: highByte, real: truncated}
	maskDepth    = narrowing{grey: atLeastOne, color: nonZero, real: truncated}
)

// ofBits is pictureDepth for 16-bit channels of which only some bits are used: the largest
// value of these bits, and any above, is white.
func ofBits(bits int) narrowing {
	most := uint32(1)<<bits - 1
	scaled := func(v uint16) uint8 { return uint8((min(uint32(v), most)*255 + most/2) / most) }
	return narrowing{grey: scaled, color: scaled, real: ofUnit}
}

func rounded(v uint16) uint8  { return uint8((uint32(v) + 128) / 257) }
func highByte(v uint16) uint8 { return uint8(v >> 8) }

func atLeastOne(v uint16) uint8 {
	if v == 0 {
		return 0
	}
	return max(1, rounded(v))
}

func nonZero(v uint16) uint8 {
	if v == 0 {
		return 0
	}
	return 255
}

// ofUnit rounds v, from 0 to 1, to a byte.
func ofUnit(v float32) uint8 { return uint8(float64(v)*255 + 0.5) }

// truncated clamps v to 0 to 255 and truncates it, like Pillow's conversion of its mode F
// to grey.
func truncated(v float32) uint8 {
	if !(v > 0) { // also true for NaN
		return 0
	}
	return uint8(min(v, 255))
}

// pngConfig reads only size and mode, so that a header with a huge size is reported as
// such even if other parts are wrong.
func pngConfig(r io.Reader) (image.Config, error) {
	const end = 26 // signature 8, chunk header 8, width 4, height 4, depth 1, color type 1
	var head [end]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return image.Config{}, err
	}
	if string(head[12:16]) != "IHDR" {
		return image.Config{}, errors.New("the first chunk is not IHDR")
	}
	size := func(b []byte) int { return int(min(binary.BigEndian.Uint32(b), math.MaxInt32)) }
	return image.Config{Width: size(head[16:]), Height: size(head[20:]), ColorModel: pngMode{depth: head[24], colorType: head[25]}}, nil
}

// convertPNG is toRGB, except that the decoder returns 16-bit grey with a transparent
// value as color. The result is a part of m if that stores RGB.
func convertPNG(m image.Image, mode string, depth narrowing, first, end int) (*Image, error) {
	if rgb, ok := m.(*png.RGB); ok {
		size := rgb.Rect.Size()
		return &Image{Width: size.X, Height: end - first, Pix: rgb.Pix[3*size.X*first : 3*size.X*end : 3*size.X*end]}, nil
	}
	if mode == grey16 {
		depth.color = depth.grey
	}
	return toRGB(m, depth, first, end)
}

// toRGB copies the color of rows [first, end) of m and drops its alpha. It reads the stored
// values, because m.At would multiply them by alpha.
func toRGB(m image.Image, depth narrowing, first, end int) (*Image, error) {
	im := NewImage(m.Bounds().Dx(), end-first)
	for y := range im.Height {
		if err := rowToRGB(im.row(y), m, first+y, depth); err != nil {
			return nil, err
		}
	}
	return im, nil
}

// rowToRGB converts row y of m, counted from the top of its bounds.
func rowToRGB(dst []uint8, m image.Image, y int, depth narrowing) error {
	switch m := m.(type) {
	case *image.Gray:
		greyToRGB(dst, m.Pix[y*m.Stride:])
	case *image.Gray16:
		grey16ToRGB(dst, m.Pix[y*m.Stride:], depth.grey)
	case *image.Paletted:
		paletteToRGB(dst, m.Pix[y*m.Stride:], m.Palette)
	case *image.NRGBA:
		rgbaToRGB(dst, m.Pix[y*m.Stride:])
	case *png.RGB:
		copy(dst, m.Row(y))
	case *image.RGBA: // opaque, so not multiplied by alpha
		rgbaToRGB(dst, m.Pix[y*m.Stride:])
	case *image.NRGBA64:
		rgba64ToRGB(dst, m.Pix[y*m.Stride:], depth.color)
	case *image.RGBA64:
		rgba64ToRGB(dst, m.Pix[y*m.Stride:], depth.color)
	case *tiff.Float:
		floatToRGB(dst, m, y*m.Rect.Dx(), depth.real)
	case *image.YCbCr:
		webpRow(dst, m, y)
	default:
		return fmt.Errorf("pixels of type %T are not supported", m)
	}
	return nil
}

func greyToRGB(dst, src []uint8) {
	for i := range len(dst) / 3 {
		v := src[i]
		dst[3*i], dst[3*i+1], dst[3*i+2] = v, v, v
	}
}

func grey16ToRGB(dst, src []uint8, narrow func(uint16) uint8) {
	for i := range len(dst) / 3 {
		v := narrow(uint16(src[2*i])<<8 | uint16(src[2*i+1]))
		dst[3*i], dst[3*i+1], dst[3*i+2] = v, v, v
	}
}

// floatToRGB converts the pixels of m from pixel first on.
func floatToRGB(dst []uint8, m *tiff.Float, first int, narrow func(float32) uint8) {
	for i := range dst {
		channel := min(i%3, m.Channels-1)
		dst[i] = narrow(m.Value((first+i/3)*m.Channels + channel))
	}
}

func paletteToRGB(dst, src []uint8, palette color.Palette) {
	for i := range len(dst) / 3 {
		switch c := palette[src[i]].(type) {
		case color.RGBA:
			dst[3*i], dst[3*i+1], dst[3*i+2] = c.R, c.G, c.B
		case color.NRGBA:
			dst[3*i], dst[3*i+1], dst[3*i+2] = c.R, c.G, c.B
		default:
			r, g, b, _ := c.RGBA()
			dst[3*i], dst[3*i+1], dst[3*i+2] = uint8(r>>8), uint8(g>>8), uint8(b>>8)
		}
	}
}

func rgbaToRGB(dst, src []uint8) {
	for i := range len(dst) / 3 {
		p, q := dst[3*i:3*i+3:3*i+3], src[4*i:4*i+3:4*i+3]
		p[0], p[1], p[2] = q[0], q[1], q[2]
	}
}

func rgba64ToRGB(dst, src []uint8, narrow func(uint16) uint8) {
	for i := range len(dst) / 3 {
		for c := range 3 {
			at := 8*i + 2*c
			dst[3*i+c] = narrow(uint16(src[at])<<8 | uint16(src[at+1]))
		}
	}
}
