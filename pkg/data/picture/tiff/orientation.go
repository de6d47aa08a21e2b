package tiff

import (
	"image"
	"regexp"
)

// orientation says how the stored picture is turned to stand upright: 1 (not at
// all) to 8, the values of the tag Orientation and of EXIF.
type orientation int

const (
	upright     orientation = 1
	mirrored    orientation = 2 // left and right swapped
	halfTurn    orientation = 3
	flipped     orientation = 4 // top and bottom swapped
	transposed  orientation = 5
	rotateRight orientation = 6 // a quarter turn clockwise
	transversed orientation = 7 // transposed along the other diagonal
	rotateLeft  orientation = 8
)

// maxXMP is how much of the XMP block is searched.
const maxXMP = 16 << 20

var xmpOrientation = regexp.MustCompile(`tiff:Orientation(?:="|>)([0-9])`)

// orientation reads the tag or, where there is none, the XMP block, as Pillow does
// whenever it loads a TIFF. A value without a meaning is upright; one that the file
// ends before is an error.
func (d *directory) orientation() (orientation, error) {
	if f, there := d.fields[orientationTag]; there {
		if f.kind == kindByte || f.kind == kindUndefined {
			return upright, nil // no number to Pillow
		}
		values, err := d.reals(orientationTag, 1)
		if err != nil {
			return upright, err
		}
		return known(values[0]), nil
	}
	f, there := d.fields[xmp]
	if !there || f.kind != kindByte && f.kind != kindUndefined {
		return upright, nil
	}
	_, b, err := d.content(xmp, maxXMP)
	if err != nil {
		return upright, err
	}
	if found := xmpOrientation.FindSubmatch(b); found != nil {
		return known(float64(found[1][0] - '0')), nil
	}
	return upright, nil
}

func known(v float64) orientation {
	for o := upright; o <= rotateLeft; o++ {
		if v == float64(o) {
			return o
		}
	}
	return upright
}

// swaps reports whether width and height change places.
func (o orientation) swaps() bool { return o >= transposed }

// turn returns the turned pixels, of size bytes each, of a picture of stored.X x stored.Y.
func (o orientation) turn(pix []uint8, stored image.Point, size int) []uint8 {
	if o == upright {
		return pix
	}
	w, h := stored.X, stored.Y
	out := make([]uint8, len(pix))
	outWidth := w
	if o.swaps() {
		outWidth = h
	}
	for at := 0; at*size < len(out); at++ {
		x, y := o.source(at%outWidth, at/outWidth, w, h)
		copy(out[at*size:(at+1)*size], pix[(y*w+x)*size:])
	}
	return out
}

// source returns where in the stored picture of w x h pixels the turned picture's pixel (x, y) lies.
func (o orientation) source(x, y, w, h int) (sx, sy int) {
	switch o {
	case mirrored:
		return w - 1 - x, y
	case halfTurn:
		return w - 1 - x, h - 1 - y
	case flipped:
		return x, h - 1 - y
	case transposed:
		return y, x
	case rotateRight:
		return y, h - 1 - x
	case transversed:
		return w - 1 - y, h - 1 - x
	case rotateLeft:
		return w - 1 - y, x
	}
	return x, y
}
