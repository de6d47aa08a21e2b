// Package picture decodes and scales pictures and masks, bit-identical to Pillow. It is
// independent of datasets.
package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"math"
	"slices"

	"acdclip/pkg/data/pixels/picture/jpeg"
	"acdclip/pkg/data/pixels/picture/png"
	"acdclip/pkg/data/pixels/picture/tiff"
	"acdclip/pkg/data/pixels/picture/unsupported"
)

// DefaultMaxPixels is the default of DecodeOptions.MaxPixels.
const DefaultMaxPixels = 200_000_000

// ErrTooLarge reports a picture whose header declares more pixels than
// DecodeOptions.MaxPixels. It is returned before any memory is allocated for pixels.
var ErrTooLarge = errors.New("picture is too large")

// ErrNotPicture reports content in none of the supported formats: PNG, JPEG, BMP, GIF,
// TIFF and WebP. The format is detected from the content, never from the file name.
var ErrNotPicture = errors.New("not a picture")

// ErrNotSupported reports a picture that may be valid but uses an unsupported feature of
// its format. The error that wraps it names the feature.
var ErrNotSupported = unsupported.Err

// Image is an RGB picture: Pix is [H, W, 3], row-major and interleaved, with values in
// [0, 255].
type Image struct {
	Width, Height int
	Pix           []uint8
}

// NewImage returns a black picture.
func NewImage(width, height int) *Image {
	return &Image{Width: width, Height: height, Pix: make([]uint8, 3*width*height)}
}

// row returns the bytes of row y.
func (im *Image) row(y int) []uint8 { return im.Pix[3*im.Width*y : 3*im.Width*(y+1)] }

// DecodeOptions are the options for decoding pictures and masks.
type DecodeOptions struct {
	// MaxPixels is the maximum of width times height; 0 means DefaultMaxPixels.
	MaxPixels int64
	// EXIF applies the EXIF or XMP orientation of a JPEG, PNG or WebP. Otherwise the
	// orientation is ignored, as in Pillow. (The orientation tag of a TIFF is always
	// applied.)
	EXIF bool
	// Bits is the number of bits that the 16-bit channels of pictures use, from 8 to 16;
	// values above them become 255. 0 means all 16, with Decode's rounding. It has no effect
	// on masks, and on pictures of other depths.
	Bits int
}

func (o DecodeOptions) maxPixels() int64 {
	if o.MaxPixels <= 0 {
		return DefaultMaxPixels
	}
	return o.MaxPixels
}

// Decode reads the picture at path and converts it like Pillow's convert("RGB"): grey
// is repeated, palettes and single bits are expanded, alpha is dropped (not
// composited), and CMYK is converted. Of 16-bit color channels the high byte is kept;
// 16-bit grey becomes v/257 rounded (Pillow saturates it), and 12-bit grey likewise.
// o.Bits changes this. Signed and 32-bit integers of a TIFF are clamped to 0 to 255.
// 32-bit floats of a TIFF are 0 (black) to 1; any other value, NaN too, is an error that
// wraps ErrNotSupported. Only the first frame or page is read. The orientation of a TIFF is always applied, also to masks, independent of the
// options.
//
// Every error names the path. It wraps ErrNotPicture if the content is no supported
// picture, ErrTooLarge if its header declares too many pixels, and ErrNotSupported if it
// uses an unsupported feature. A file that is not regular (a folder, a pipe, a device)
// gives an error and is never opened.
func Decode(path string, o DecodeOptions) (*Image, error) {
	im, _, err := Read(path, o)
	return im, err
}

// Read is Decode and also returns how the picture was read.
func Read(path string, o DecodeOptions) (*Image, Reading, error) {
	content, err := readPicture(path, o)
	if err != nil {
		return nil, Reading{}, err
	}
	im, reading, err := ReadBytes(content, o)
	if err != nil {
		return nil, Reading{}, fmt.Errorf("%s: %w", path, err)
	}
	return im, reading, nil
}

// Check decodes the picture at path as far as needed to know that Read succeeds. It
// returns the picture's Info and the Reading that Read would return. Its errors are Decode's.
func Check(path string, o DecodeOptions) (Info, Reading, error) {
	file, err := openStored(path, o)
	if err != nil {
		return Info{}, Reading{}, err
	}
	reading, err := file.reading(o)
	if err == nil && !file.converts() {
		_, err = file.image(file.depth(o))
	}
	if err != nil {
		return Info{}, Reading{}, fmt.Errorf("%s: %w", path, err)
	}
	return file.info, reading, nil
}

// storedPicture is a decoded picture before conversion and orientation.
type storedPicture struct {
	content []byte
	format  format
	info    Info
	pixels  image.Image
}

// openStored reads and decodes the picture at path with decodeStored. Every error names the path.
func openStored(path string, o DecodeOptions) (storedPicture, error) {
	b, err := readPicture(path, o)
	if err != nil {
		return storedPicture{}, err
	}
	file, err := decodeStored(b, o)
	if err != nil {
		return storedPicture{}, fmt.Errorf("%s: %w", path, err)
	}
	return file, nil
}

// decodeStored detects the format of b, checks the declared size and decodes the stored pixels.
func decodeStored(b []byte, o DecodeOptions) (file storedPicture, err error) {
	f, info, err := checkHeader(bytes.NewReader(b), int64(len(b)), o)
	if err != nil {
		return storedPicture{}, err
	}
	// Some decoders are not our own; a panic in them on malicious content must not
	// end the program.
	defer func() {
		if r := recover(); r != nil {
			file, err = storedPicture{}, fmt.Errorf("decode %s: %v", f.name, r)
		}
	}()
	pixels, err := f.stored(b)
	if errors.Is(err, ErrNotSupported) {
		return storedPicture{}, fmt.Errorf("the %s file: %w", f.name, err)
	}
	if err != nil {
		return storedPicture{}, fmt.Errorf("the %s file is damaged or cut short: %w", f.name, err)
	}
	return storedPicture{b, f, info, pixels}, nil
}

// image converts the stored pixels to RGB.
func (s storedPicture) image(depth narrowing) (*Image, error) {
	return s.rows(depth, 0, s.pixels.Bounds().Dy())
}

// rows converts rows [first, end) of the stored pixels to RGB.
func (s storedPicture) rows(depth narrowing, first, end int) (im *Image, err error) {
	defer s.recovered(&err)
	return s.format.convert(s.pixels, s.info.Mode, depth, first, end)
}

// recovered is deferred in conversions and turns a panic on malicious content into an error.
func (s storedPicture) recovered(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("convert %s: %v", s.format.name, r)
	}
}

// converts reports whether image is certain to succeed.
func (s storedPicture) converts() bool {
	switch m := s.pixels.(type) {
	case *image.Gray, *image.Gray16, *image.YCbCr, *image.NRGBA, *image.NRGBA64, *image.RGBA, *png.RGB, *tiff.Float, *jpeg.Picture:
		return true
	case *image.Paletted: // an index may be beyond the palette
		beyond := func(index uint8) bool { return int(index) >= len(m.Palette) }
		return len(m.Palette) > math.MaxUint8 || !slices.ContainsFunc(m.Pix, beyond)
	}
	return false
}

// orientation returns the picture's orientation from its metadata.
func (s storedPicture) orientation() Orientation {
	if s.format.metadata == nil {
		return Upright
	}
	return s.format.metadata(s.content).orientation()
}
