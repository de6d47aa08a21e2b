package anomalymap

import (
	"errors"
	"fmt"
	"io"
)

// The format is defined in TIFF 6.0 (Adobe, 1992).

// tiffAdvice tells the user how to save a map as a supported TIFF.
const tiffAdvice = "save the map as uncompressed float32: tifffile.imwrite(path, scores.astype(np.float32))" +
	" or cv2.imwrite(path, scores, [cv2.IMWRITE_TIFF_COMPRESSION, 1])"

// readTIFF reads a TIFF with one page.
func readTIFF(r io.ReaderAt, size int64, o Options) (*Map, error) {
	d, err := readTIFFDirectory(r, size)
	if err != nil {
		return nil, err
	}
	s, err := d.sample()
	if err != nil {
		return nil, err
	}
	width, err := d.number(tiffWidth)
	if err != nil {
		return nil, err
	}
	height, err := d.number(tiffHeight)
	if err != nil {
		return nil, err
	}
	if err := o.check(height, width); err != nil {
		return nil, err
	}
	cut, err := d.segments(height, width, s)
	if err != nil {
		return nil, err
	}
	m := newMap(height, width)
	return m, cut.read(m, newSampleReader(r, s))
}

// sample returns the storage format of the page's scores, or an error if it is not a supported map.
func (d tiffDirectory) sample() (sample, error) {
	// Each of these must be 1, which is also the default of a missing tag.
	for _, plain := range []struct {
		tag       tiffTag
		otherwise string
	}{
		{tiffCompression, "is compressed (scheme %d)"},
		{tiffSamples, "has %d samples per pixel, like a color picture"},
		{tiffPhotometric, "is not grey with black as the smallest value (photometric interpretation %d)"},
		{tiffFillOrder, "has the bits of each byte in reverse order (fill order %d)"},
		{tiffOrientation, "is not stored upright (orientation %d)"},
	} {
		value, err := d.numberOr(plain.tag, 1)
		if err != nil {
			return sample{}, err
		}
		if value != 1 {
			return sample{}, refusedTIFF(plain.otherwise, value)
		}
	}
	depth, err := d.numberOr(tiffBits, 1)
	if err != nil {
		return sample{}, err
	}
	const unsigned, float = 1, 3
	kind, err := d.numberOr(tiffSampleFormat, unsigned)
	if err != nil {
		return sample{}, err
	}
	switch {
	case kind == float && depth == 32:
		return sample{4, d.order, float32Of}, nil
	case kind == unsigned && depth == 8:
		return sample{1, d.order, grey8}, nil
	case kind == unsigned && depth == 16:
		return sample{2, d.order, grey16}, nil
	}
	return sample{}, refusedTIFF("has %d-bit samples of format %d, but only 32-bit float (format 3) and 8- and 16-bit unsigned (format 1) are supported", depth, kind)
}

func refuseBigTIFF(io.ReaderAt, int64, Options) (*Map, error) {
	return nil, errors.New("a BigTIFF is not supported; save the map as a classic TIFF, tifffile.imwrite(path, scores, bigtiff=False), or as " + wanted)
}

// refusedTIFF returns the error for a valid TIFF that is not supported.
func refusedTIFF(format string, args ...any) error {
	return fmt.Errorf("the TIFF "+format+"; "+tiffAdvice, args...)
}

// damagedTIFF returns the error for an inconsistent TIFF.
func damagedTIFF(format string, args ...any) error {
	return fmt.Errorf("the TIFF is damaged: "+format+"; copy or save it again", args...)
}
