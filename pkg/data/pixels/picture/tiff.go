package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"

	"acdclip/pkg/data/pixels/picture/jpeg"
	"acdclip/pkg/data/pixels/picture/tiff"
)

func storedTIFF(b []byte) (image.Image, error) { return tiff.Decode(b, tiffJPEG) }

// anywhere adapts a config function that needs random access, because the directory of
// a TIFF may be at its end.
func anywhere(config func(r io.ReaderAt, size int64) (image.Config, error)) func(io.Reader) (image.Config, error) {
	return func(r io.Reader) (image.Config, error) {
		section, ok := r.(*io.SectionReader)
		if !ok {
			return image.Config{}, errors.New("the input does not support random access")
		}
		return config(section, section.Size())
	}
}

// tiffJPEG decodes the JPEG in a strip or tile of a TIFF. The TIFF's tags define the
// colors, not the JPEG's segments.
func tiffJPEG(stream []byte, most image.Point, toRGB bool) (samples []uint8, size image.Point, components int, err error) {
	c, err := jpeg.DecodeConfig(bytes.NewReader(stream))
	if err != nil {
		return nil, size, 0, fmt.Errorf("its JPEG: %w", err)
	}
	if c.Width > most.X || c.Height > most.Y {
		return nil, size, 0, fmt.Errorf("its JPEG has %d x %d pixels, the maximum is %d x %d", c.Width, c.Height, most.X, most.Y)
	}
	colors := jpeg.Stored
	if toRGB {
		colors = jpeg.YCbCr
	}
	p, err := jpeg.Decode(stream, jpeg.Options{Color: colors})
	if err != nil {
		return nil, size, 0, fmt.Errorf("its JPEG: %w", err)
	}
	samples = make([]uint8, p.Width*p.Height*p.Channels)
	p.Pixels(samples)
	return samples, image.Pt(p.Width, p.Height), p.Channels, nil
}
