package picture

import (
	"errors"
	"fmt"
	"image"
	"io"

	"golang.org/x/image/webp"

	"acdclip/pkg/data/pixels/picture/bmp"
	"acdclip/pkg/data/pixels/picture/jpeg"
	"acdclip/pkg/data/pixels/picture/tiff"
	"acdclip/pkg/sniff"
)

// headBytes is the number of bytes that are read to detect a file's format.
const headBytes = 512

// format is one picture format with its functions to detect, measure and decode files.
type format struct {
	name     string
	magic    sniff.Match
	config   func(io.Reader) (image.Config, error)
	stored   func(b []byte) (image.Image, error) // decodes the stored pixels, without applying an orientation
	convert  conversion
	metadata func(b []byte) metadata // nil if the format has no orientation metadata
}

// conversion converts rows [first, end) of the stored pixels to RGB; mode is Info's.
type conversion func(m image.Image, mode string, depth narrowing, first, end int) (*Image, error)

// formats is the table of supported formats; a new format is one more row.
var formats = []format{
	{name: "PNG", magic: sniff.Starts("\x89PNG\r\n\x1a\n"), config: pngConfig, stored: storedPNG, convert: convertPNG, metadata: pngMetadata},
	{name: "JPEG", magic: sniff.Starts("\xff\xd8\xff"), config: jpeg.DecodeConfig, stored: storedJPEG, convert: convertJPEG, metadata: jpegMetadata},
	{name: "BMP", magic: sniff.Starts("BM"), config: anywhere(bmp.DecodeConfig), stored: bmp.Decode, convert: plainly},
	{name: "TIFF", magic: sniff.Starts("II*\x00", "MM\x00*", "II\x00*", "MM*\x00", "II+\x00", "MM\x00+"), config: anywhere(tiff.DecodeConfig), stored: storedTIFF, convert: plainly},
	{name: "GIF", magic: sniff.Starts("GIF87a", "GIF89a"), config: gifConfig, stored: storedGIF, convert: plainly},
	{name: "WebP", magic: isWebP, config: webp.DecodeConfig, stored: storedWebP, convert: plainly, metadata: webpMetadata},
}

func isWebP(head []byte) bool {
	return len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP"
}

func plainly(m image.Image, _ string, depth narrowing, first, end int) (*Image, error) {
	return toRGB(m, depth, first, end)
}

// checkHeader detects the format of the content and reads its header. It returns an
// error if the content is no picture, or has no pixels or too many.
func checkHeader(r io.ReaderAt, size int64, o DecodeOptions) (f format, info Info, err error) {
	head := make([]byte, min(headBytes, size))
	if _, err := r.ReadAt(head, 0); err != nil && err != io.EOF {
		return f, Info{}, err
	}
	f, known := formatOf(head)
	if !known {
		return f, Info{}, fmt.Errorf("%w: it contains %s", ErrNotPicture, sniff.Describe(head, foreign))
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("read the %s header: %v", f.name, r)
		}
	}()
	c, err := f.config(io.NewSectionReader(r, 0, size))
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return f, Info{}, fmt.Errorf("read the %s header: %w", f.name, err)
	}
	if c.Width <= 0 || c.Height <= 0 {
		return f, Info{}, fmt.Errorf("the %s header declares an invalid size: %d x %d pixels", f.name, c.Width, c.Height)
	}
	// A division cannot overflow for any header.
	if int64(c.Width) > o.maxPixels()/int64(c.Height) {
		return f, Info{}, fmt.Errorf("%w: the %s header declares %d x %d pixels, the maximum is %d", ErrTooLarge, f.name, c.Width, c.Height, o.maxPixels())
	}
	return f, Info{Format: f.name, Mode: modeOf(c.ColorModel), Width: c.Width, Height: c.Height}, nil
}

func formatOf(head []byte) (format, bool) {
	for _, f := range formats {
		if f.magic(head) {
			return f, true
		}
	}
	return format{}, false
}
