// Package picture decodes pictures and masks as Pillow does and scales them, bit
// for bit. It knows nothing of datasets.
package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"math"
	"slices"

	"acdclip/pkg/data/pixels/picture/jpeg"
	"acdclip/pkg/data/pixels/picture/unsupported"
)

// DefaultMaxPixels is the largest width times height that is decoded when DecodeOptions names no other.
const DefaultMaxPixels = 200_000_000

// ErrTooLarge reports a picture whose header promises more pixels than DecodeOptions.MaxPixels.
// It is found from the header alone: nothing is allocated for the pixels.
var ErrTooLarge = errors.New("picture is too large")

// ErrNotPicture reports content that is none of the picture formats that are read:
// PNG, JPEG, BMP, GIF, TIFF and WebP. The format is found from the content, never from the name.
var ErrNotPicture = errors.New("not a picture")

// ErrNotSupported reports a picture that may well be sound but uses a feature of its
// format that is not read. The error that wraps it names the feature.
var ErrNotSupported = unsupported.Err

// Image is a color picture: Pix holds Width*Height*3 bytes, row-major and
// interleaved, [H, W, 3], red first, each in [0, 255].
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

// DecodeOptions bounds and adjusts the decoding of pictures and masks.
type DecodeOptions struct {
	// MaxPixels is the largest width times height that is decoded; 0 means DefaultMaxPixels.
	MaxPixels int64
	// EXIF turns a JPEG, PNG or WebP as its EXIF or XMP orientation says. Without
	// it the orientation is ignored, as Pillow does. (A TIFF always stands as its
	// own tag says.)
	EXIF bool
}

func (o DecodeOptions) maxPixels() int64 {
	if o.MaxPixels <= 0 {
		return DefaultMaxPixels
	}
	return o.MaxPixels
}

// Decode reads the picture at path and returns it as Pillow's
// convert("RGB") does: grey is repeated, a palette and single bits are
// expanded, alpha is dropped (not composited) and CMYK converted; of 16-bit
// channels the high byte is kept, but 16-bit grey is v/257 rounded (Pillow
// saturates it), and 12-bit grey likewise. Numbers of a TIFF that are no shades
// of grey (floats, signed ones, those of 32 bits) are cut off at 0 and 255, the
// fraction too. Of several frames or pages the first is taken. A TIFF is turned
// as its orientation says whenever it is read, masks as well; that is no part of
// the options.
//
// Every error names the path. It wraps ErrNotPicture or ErrTooLarge where the
// content is no picture or promises too many pixels, ErrNotSupported where it
// uses what is not read. A file that is not
// regular (a folder, a pipe, a device) is an error and is never opened.
func Decode(path string, o DecodeOptions) (*Image, error) {
	im, _, err := DecodeTurned(path, o)
	return im, err
}

// DecodeTurned is Decode, and says how o.EXIF made it turn the picture, so that
// its mask can be turned likewise.
func DecodeTurned(path string, o DecodeOptions) (*Image, Orientation, error) {
	file, err := openStored(path, o)
	if err != nil {
		return nil, Upright, err
	}
	im, err := file.image(pictureDepth)
	if err != nil {
		return nil, Upright, fmt.Errorf("%s: %w", path, err)
	}
	if !o.EXIF {
		return im, Upright, nil
	}
	turn := file.orientation()
	return turned(im, turn), turn, nil
}

// Check decodes the picture at path as far as to know that DecodeTurned can,
// and says what it is and how it would be turned. Errors are Decode's.
func Check(path string, o DecodeOptions) (Info, Orientation, error) {
	file, err := openStored(path, o)
	if err != nil {
		return Info{}, Upright, err
	}
	if !file.converts() {
		if _, err := file.image(pictureDepth); err != nil {
			return Info{}, Upright, fmt.Errorf("%s: %w", path, err)
		}
	}
	if !o.EXIF {
		return file.info, Upright, nil
	}
	return file.info, file.orientation(), nil
}

// storedPicture is a picture as its file stores it.
type storedPicture struct {
	content []byte
	format  format
	info    Info
	pixels  image.Image
}

// openStored decodes the picture at path as it is stored. Every error names the path.
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

// decodeStored finds the format of b, checks the promised size and decodes it as it is stored.
func decodeStored(b []byte, o DecodeOptions) (file storedPicture, err error) {
	f, info, err := checkHeader(bytes.NewReader(b), int64(len(b)), o)
	if err != nil {
		return storedPicture{}, err
	}
	// The decoders are the standard library's and its neighbours': no
	// panic of theirs on hostile content may end the program.
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
func (s storedPicture) image(depth narrowing) (im *Image, err error) {
	defer s.recovered(&err)
	return s.format.convert(s.pixels, s.content, depth)
}

// recovered is deferred around a conversion: a panic on hostile content becomes its error.
func (s storedPicture) recovered(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("convert %s: %v", s.format.name, r)
	}
}

// converts reports whether it is known, without trying, that image succeeds.
func (s storedPicture) converts() bool {
	switch m := s.pixels.(type) {
	case *image.Gray, *image.Gray16, *image.YCbCr, *image.NRGBA, *image.NRGBA64, *image.RGBA, *jpeg.Picture:
		return true
	case *image.Paletted: // an index may lie beyond the palette
		beyond := func(index uint8) bool { return int(index) >= len(m.Palette) }
		return len(m.Palette) > math.MaxUint8 || !slices.ContainsFunc(m.Pix, beyond)
	}
	return false
}

// orientation says how the picture is meant to stand.
func (s storedPicture) orientation() Orientation {
	if s.format.metadata == nil {
		return Upright
	}
	return s.format.metadata(s.content).orientation()
}
