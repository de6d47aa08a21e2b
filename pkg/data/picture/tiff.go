package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"

	"acdclip/pkg/data/picture/tiff"
	"acdclip/pkg/data/picture/unsupported"
)

func storedTIFF(b []byte) (image.Image, error) { return tiff.Decode(b, tiffJPEG) }

// anywhere makes a format's config of a function that reads at any place, since what
// a TIFF says of itself may stand at its end.
func anywhere(config func(r io.ReaderAt, size int64) (image.Config, error)) func(io.Reader) (image.Config, error) {
	return func(r io.Reader) (image.Config, error) {
		section, ok := r.(*io.SectionReader)
		if !ok {
			return image.Config{}, errors.New("not readable at any place")
		}
		return config(section, section.Size())
	}
}

// tiffJPEG decodes the JPEG in a strip or tile of a TIFF. The colors are those that
// the TIFF's tags say, whatever the JPEG says of them.
func tiffJPEG(stream []byte, most image.Point, toRGB bool) (samples []uint8, size image.Point, components int, err error) {
	c, err := jpeg.DecodeConfig(bytes.NewReader(stream))
	if err != nil {
		return nil, size, 0, fmt.Errorf("its JPEG: %w", err)
	}
	if c.Width > most.X || c.Height > most.Y {
		return nil, size, 0, fmt.Errorf("its JPEG is of %d x %d pixels, more than %d x %d", c.Width, c.Height, most.X, most.Y)
	}
	m, err := storedJPEG(stream)
	if err != nil {
		return nil, size, 0, fmt.Errorf("its JPEG: %w", err)
	}
	size = m.Bounds().Size()
	switch m := m.(type) {
	case *image.Gray:
		return storedGrey(m).Pix, size, 1, nil
	case *image.YCbCr:
		convert := interleave
		if toRGB {
			convert = ycbcrToRGB
		}
		return joinPlanes(size, planesOf(m), convert).Pix, size, 3, nil
	}
	return nil, size, 0, unsupported.Feature("JPEG with four components in a TIFF; save the picture as a PNG")
}
