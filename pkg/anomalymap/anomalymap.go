// Package anomalymap reads and writes the anomaly map of one picture: a score a
// pixel, as other programs save it.
//
// A file is known by its content, never by its name. What is read:
//
//   - NumPy arrays (.npy), versions 1.0, 2.0 and 3.0, in C or Fortran order, of
//     shape [H, W], [1, H, W], [1, 1, H, W] or [H, W, 1]. [1, H, 1] is taken as
//     [1, H, W]. The values are f2, f4, f8, u1, u2, i2, i4 or i8, of either byte order.
//   - Classic TIFF, the first page: uncompressed, upright, one sample a pixel,
//     strips or tiles, either byte order; 32-bit float, or 8- or 16-bit unsigned
//     grey with black as 0.
//   - PNG, 8- or 16-bit grey.
//
// Float scores are taken as they are: float16 and float32 exactly, float64 rounded
// to the nearest float32, so that two float64 scores may become one float32, and
// one beyond float32's range becomes infinite. An integer in a NumPy array is a
// score too and must be exact in float32. Grey of a TIFF or PNG is v/255 or
// v/65535, in [0, 1]. NaN and infinite scores are read like any other.
//
// Every size is checked against the file before anything is allocated for it.
package anomalymap

import (
	"errors"
	"fmt"
	"io"
	"math"

	"acdclip/pkg/regularfile"
	"acdclip/pkg/sniff"
)

// DefaultMaxPixels is the largest width times height that is read when Options names no other.
const DefaultMaxPixels = 200_000_000

var (
	// ErrNotMap reports a file that is neither a NumPy array nor a TIFF nor a PNG,
	// or not a regular file. A sound file of these kinds that is no map of one
	// score a pixel (three channels, another type, compressed) is another error.
	ErrNotMap = errors.New("not an anomaly map")
	// ErrTooLarge reports a header that promises more pixels than Options.MaxPixels.
	ErrTooLarge = errors.New("anomaly map is too large")
)

// Map is the anomaly map of one picture: Scores holds Width*Height scores,
// row-major, [H, W], in whatever range the file has them.
type Map struct {
	Width, Height int
	Scores        []float32
}

// Options bounds what is read.
type Options struct {
	// MaxPixels is the largest width times height that is read; 0 means DefaultMaxPixels.
	MaxPixels int64
}

// maxPixels is small enough for eight bytes a pixel to have a size that fits an int.
func (o Options) maxPixels() int64 {
	if o.MaxPixels <= 0 {
		return DefaultMaxPixels
	}
	return min(o.MaxPixels, math.MaxInt/8)
}

// check reports a promise of no pixels, or of more than are allowed. After it
// height*width*8 fits an int.
func (o Options) check(height, width int64) error {
	if height <= 0 || width <= 0 {
		return fmt.Errorf("the header promises a map of height %d and width %d; both must be at least 1: save the map again", height, width)
	}
	// Dividing cannot overflow, whatever the header says.
	if width > o.maxPixels()/height {
		return fmt.Errorf("%w: the header promises a map of height %d and width %d, more than %d pixels: scale the map down, or save it again if it is not that large",
			ErrTooLarge, height, width, o.maxPixels())
	}
	return nil
}

// newMap allocates a map whose size has been checked.
func newMap(height, width int64) *Map {
	return &Map{Width: int(width), Height: int(height), Scores: make([]float32, height*width)}
}

// Read reads the anomaly map at path. Every error names the path and says what
// to do; it wraps ErrNotMap or ErrTooLarge where that is the reason. A file that
// is not regular (a folder, a pipe, a device) is never opened.
func Read(path string, o Options) (*Map, error) {
	file, found, err := regularfile.Open(path)
	if other, ok := errors.AsType[*regularfile.OtherError](err); ok {
		return nil, fmt.Errorf("%s: %w: it is %s; name a file", path, ErrNotMap, other.Kind)
	}
	if err != nil {
		return nil, fmt.Errorf("read an anomaly map: %w", err)
	}
	defer file.Close()
	m, err := Decode(file, found.Size(), o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// Decode is Read for the size bytes of r; its errors name no path.
func Decode(r io.ReaderAt, size int64, o Options) (*Map, error) {
	head := make([]byte, min(headBytes, max(size, 0)))
	if err := readAt(r, head, 0); err != nil {
		return nil, err
	}
	for _, f := range formats() {
		if !f.magic(head) {
			continue
		}
		m, err := f.read(r, size, o)
		if err != nil {
			return nil, err
		}
		return m, nil
	}
	return nil, fmt.Errorf("%w: it holds %s; save the map as %s", ErrNotMap, sniff.Describe(head, foreign()), wanted)
}

// readAt fills b from offset on. A file that ends before is shorter than when it was opened.
func readAt(r io.ReaderAt, b []byte, offset int64) error {
	if _, err := io.ReadFull(io.NewSectionReader(r, offset, int64(len(b))), b); err != nil {
		return fmt.Errorf("%d bytes at byte %d cannot be read, try again: %w", len(b), offset, err)
	}
	return nil
}
