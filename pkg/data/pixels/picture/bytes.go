package picture

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	"math"
)

// InspectBytes is Inspect for the content of a file.
func InspectBytes(content []byte, o DecodeOptions) (Info, error) {
	_, info, err := checkHeader(bytes.NewReader(content), int64(len(content)), o)
	return info, err
}

// ReadBytes is Read for the content of a file. Its errors are those of Read, without a path.
func ReadBytes(content []byte, o DecodeOptions) (*Image, Reading, error) {
	file, err := decodeStored(content, o)
	if err != nil {
		return nil, Reading{}, err
	}
	reading, err := file.reading(o)
	if err != nil {
		return nil, Reading{}, err
	}
	im, err := file.image(file.depth(o))
	if err != nil {
		return nil, Reading{}, err
	}
	return turned(im, reading.Turn), reading, nil
}

// FromImage converts a picture that is in memory. Its alpha is dropped, and of 16-bit colors
// the high byte is kept, but of 16-bit grey v/257 rounded, as Read does. A picture without
// pixels, or with more than o.MaxPixels, is an error.
func FromImage(m image.Image, o DecodeOptions) (*Image, error) {
	size := m.Bounds().Size()
	if size.X <= 0 || size.Y <= 0 {
		return nil, fmt.Errorf("the picture has an invalid size: %d x %d pixels", size.X, size.Y)
	}
	if int64(size.X) > min(o.maxPixels(), math.MaxInt/3)/int64(size.Y) {
		return nil, fmt.Errorf("%w: it has %d x %d pixels, the maximum is %d", ErrTooLarge, size.X, size.Y, o.maxPixels())
	}
	switch typed := m.(type) {
	case *image.Gray, *image.Gray16, *image.NRGBA, *image.NRGBA64:
		return toRGB(m, pictureDepth, 0, size.Y)
	case *image.RGBA:
		if typed.Opaque() {
			return toRGB(m, pictureDepth, 0, size.Y)
		}
	case *image.YCbCr:
		opaque := image.NewRGBA(image.Rectangle{Max: size})
		draw.Draw(opaque, opaque.Rect, m, m.Bounds().Min, draw.Src)
		return toRGB(opaque, pictureDepth, 0, size.Y)
	}
	im := NewImage(size.X, size.Y)
	for y := range im.Height {
		row := im.row(y)
		for x := range im.Width {
			plain := plainColor(m.At(m.Bounds().Min.X+x, m.Bounds().Min.Y+y))
			row[3*x], row[3*x+1], row[3*x+2] = plain.R, plain.G, plain.B
		}
	}
	return im, nil
}
