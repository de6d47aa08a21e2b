// Package anomalymap reads and writes anomaly maps: one score per pixel of a picture, in
// the formats of other programs.
//
// The format of a file is detected by content, never by name. Supported are:
//
//   - NumPy arrays (.npy), versions 1.0, 2.0 and 3.0, in C or Fortran order, of
//     shape [H, W], [1, H, W], [1, 1, H, W] or [H, W, 1]. [1, H, 1] is read as
//     [1, H, W]. The values are f2, f4, f8, u1, u2, i2, i4 or i8, in either byte order.
//   - Classic TIFF of one page: uncompressed, upright, one sample per pixel,
//     strips or tiles, either byte order; 32-bit float, or 8- or 16-bit unsigned
//     grey with black as 0.
//   - PNG, 8- or 16-bit grey.
//
// Float scores are not scaled: float16 and float32 are exact; float64 is rounded to the
// nearest float32, so different float64 scores may become equal, and scores beyond
// float32's range become infinite. Integers in a NumPy array are scores too and must be
// exact in float32. Grey v of a TIFF or PNG becomes v/255 or v/65535, in [0, 1]. NaN and
// infinite scores are read like any other.
//
// Every size is checked against the file before memory is allocated.
package anomalymap

import (
	"errors"
	"fmt"
	"io"
	"math"

	"acdclip/pkg/regularfile"
	"acdclip/pkg/sniff"
)

// DefaultMaxPixels is the default of Options.MaxPixels.
const DefaultMaxPixels = 200_000_000

var (
	// ErrNotMap reports a file that is not a NumPy array, TIFF or PNG, or not a regular
	// file. A valid file of these formats that is not a supported map (three channels,
	// another type, compressed) gives another error.
	ErrNotMap = errors.New("not an anomaly map")
	// ErrTooLarge reports a header that declares more pixels than Options.MaxPixels.
	ErrTooLarge = errors.New("anomaly map is too large")
)

// Map is the anomaly map of one picture: Scores is [H, W], row-major, in any range.
type Map struct {
	Width, Height int
	Scores        []float32
}

// Options are the limits for reading.
type Options struct {
	// MaxPixels is the maximum of width times height; 0 means DefaultMaxPixels.
	MaxPixels int64
}

// maxPixels returns the limit, small enough that eight bytes per pixel fit an int.
func (o Options) maxPixels() int64 {
	if o.MaxPixels <= 0 {
		return DefaultMaxPixels
	}
	return min(o.MaxPixels, math.MaxInt/8)
}

// check returns an error for a size without pixels or above the limit. Otherwise
// height*width*8 fits an int.
func (o Options) check(height, width int64) error {
	if height <= 0 || width <= 0 {
		return fmt.Errorf("the header declares a map of height %d and width %d, but both must be at least 1; save the map again", height, width)
	}
	// A division cannot overflow for any header.
	if width > o.maxPixels()/height {
		return fmt.Errorf("%w: the header declares a map of height %d and width %d, the maximum is %d pixels; scale the map down, or save it again if it is not that large",
			ErrTooLarge, height, width, o.maxPixels())
	}
	return nil
}

// newMap allocates a map of a checked size.
func newMap(height, width int64) *Map {
	return &Map{Width: int(width), Height: int(height), Scores: make([]float32, height*width)}
}

// Read reads the anomaly map at path. Every error names the path and tells the user what
// to do; it may wrap ErrNotMap or ErrTooLarge. A file that is not regular (a folder, a
// pipe, a device) is never opened.
func Read(path string, o Options) (*Map, error) {
	file, found, err := regularfile.Open(path)
	if other, ok := errors.AsType[*regularfile.OtherError](err); ok {
		return nil, fmt.Errorf("%s: %w: it is %s; give a file", path, ErrNotMap, other.Kind)
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

// Decode is Read for the size bytes of r; its errors do not name a path.
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
	return nil, fmt.Errorf("%w: it contains %s; save the map as %s", ErrNotMap, sniff.Describe(head, foreign()), wanted)
}

// readAt fills b from offset on. An early end means that the file was truncated after it was opened.
func readAt(r io.ReaderAt, b []byte, offset int64) error {
	if _, err := io.ReadFull(io.NewSectionReader(r, offset, int64(len(b))), b); err != nil {
		return fmt.Errorf("reading %d bytes at byte %d failed, try again: %w", len(b), offset, err)
	}
	return nil
}
