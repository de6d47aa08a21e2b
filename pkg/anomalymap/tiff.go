package anomalymap

import (
	"errors"
	"fmt"
	"io"
)

// The format is described in TIFF 6.0 (Adobe, 1992).

// tiffAdvice says how a map becomes a TIFF that is read.
const tiffAdvice = "save the map as uncompressed float32: tifffile.imwrite(path, scores.astype(np.float32))" +
	" or cv2.imwrite(path, scores, [cv2.IMWRITE_TIFF_COMPRESSION, 1])"

// readTIFF reads a TIFF of one page.
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

// sample finds how the page stores its scores, and refuses what is no map.
func (d tiffDirectory) sample() (sample, error) {
	// Each of these is 1, also where the tag is not there.
	for _, plain := range []struct {
		tag       tiffTag
		otherwise string
	}{
		{tiffCompression, "is compressed (scheme %d)"},
		{tiffSamples, "has %d samples a pixel, as color pictures have"},
		{tiffPhotometric, "is not grey with black as the smallest value (photometric interpretation %d)"},
		{tiffFillOrder, "has the bits of each byte turned round (fill order %d)"},
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
	return sample{}, refusedTIFF("has %d-bit samples of format %d; 32-bit float (format 3) and 8- and 16-bit unsigned (format 1) are read", depth, kind)
}

func refuseBigTIFF(io.ReaderAt, int64, Options) (*Map, error) {
	return nil, errors.New("this is a BigTIFF; save the map as a classic TIFF, tifffile.imwrite(path, scores, bigtiff=False), or as " + wanted)
}

// refusedTIFF is the error of a sound TIFF that is not read.
func refusedTIFF(format string, args ...any) error {
	return fmt.Errorf("the TIFF "+format+"; "+tiffAdvice, args...)
}

// damagedTIFF is the error of a TIFF that contradicts itself.
func damagedTIFF(format string, args ...any) error {
	return fmt.Errorf("the TIFF is damaged: "+format+"; copy or save it again", args...)
}
