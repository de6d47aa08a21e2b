// Package orientation applies EXIF orientations to pictures.
package orientation

import "regexp"

// Orientation is the value of tag 0x0112 in EXIF and TIFF: the transform from the stored
// to the upright picture.
type Orientation uint16

// The orientations; other values count as Upright.
const (
	Upright     Orientation = 1
	Mirrored    Orientation = 2 // left and right swapped
	HalfTurn    Orientation = 3
	Flipped     Orientation = 4 // top and bottom swapped
	Transposed  Orientation = 5
	RotateRight Orientation = 6 // 90 degrees clockwise
	Transversed Orientation = 7 // transposed along the other diagonal
	RotateLeft  Orientation = 8
)

// Of returns the orientation with the given number, Upright for invalid numbers.
func Of(number float64) Orientation {
	for o := Mirrored; o <= RotateLeft; o++ {
		if number == float64(o) {
			return o
		}
	}
	return Upright
}

// inXMP matches the orientation in XMP, as an attribute or as an element.
var inXMP = regexp.MustCompile(`tiff:Orientation(?:="|>)([0-9])`)

// InXMP returns the orientation in a block of XMP, Upright if there is none.
func InXMP(b []byte) Orientation {
	match := inXMP.FindSubmatch(b)
	if match == nil {
		return Upright
	}
	return Of(float64(match[1][0] - '0'))
}

// Swaps reports whether the transform swaps width and height.
func (o Orientation) Swaps() bool { return o >= Transposed && o <= RotateLeft }

// Turn returns the upright version of a stored picture of width x height pixels with
// size bytes per pixel; pixels itself if no transform is needed.
func (o Orientation) Turn(pixels []uint8, width, height, size int) []uint8 {
	if o < Mirrored || o > RotateLeft {
		return pixels
	}
	out := make([]uint8, len(pixels))
	outWidth, outHeight := width, height
	if o.Swaps() {
		outWidth, outHeight = height, width
	}
	at := 0
	for y := range outHeight {
		for x := range outWidth {
			sx, sy := o.source(x, y, width, height)
			copy(out[at:at+size], pixels[(sy*width+sx)*size:])
			at += size
		}
	}
	return out
}

// source returns the position in the stored picture of w x h pixels of the upright picture's pixel (x, y).
func (o Orientation) source(x, y, w, h int) (sx, sy int) {
	switch o {
	case Mirrored:
		return w - 1 - x, y
	case HalfTurn:
		return w - 1 - x, h - 1 - y
	case Flipped:
		return x, h - 1 - y
	case Transposed:
		return y, x
	case RotateRight:
		return y, h - 1 - x
	case Transversed:
		return w - 1 - y, h - 1 - x
	case RotateLeft:
		return w - 1 - y, x
	}
	return x, y
}
