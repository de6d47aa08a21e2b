package pixels

import "acdclip/pkg/data/pixels/picture"

// Size is the width and height of a picture or mask in pixels, both above 0.
type Size struct{ Width, Height int }

// MaskFit is the result of matching a mask's size with its picture's. The largest value
// is the most important to report.
type MaskFit int

// The results of FitMask.
const (
	MaskFits        MaskFit = iota // size or, if it is scaled, aspect ratio matches
	MaskEitherWay                  // matches both the stored and the upright picture, and is rotated with the picture
	MaskOtherAspect                // matches neither: the aspect ratio differs from the picture's by more than 2 %
)

// aspectTolerance is the maximum quotient of two aspect ratios that count as equal.
const aspectTolerance = 1.02

// TurnedSize returns the size of a stored picture after rotation by turn.
func TurnedSize(stored Size, turn picture.Orientation) Size {
	if turn.Swaps() {
		return Size{stored.Height, stored.Width}
	}
	return stored
}

// FitMask returns the rotation for a picture's mask, and how the mask matches.
//
// upright is the picture's size after rotation by turn, and mask is the mask's stored
// size. A mask that was drawn over the stored picture is rotated like the picture; one
// that was drawn over the upright picture is not. The mask's size decides, or its
// aspect ratio if it has neither size. A mask that matches both (a square, or a
// rotation by 180 degrees) is rotated like the picture, so that it covers the same
// pixels with and without EXIF orientation.
func FitMask(upright, mask Size, turn picture.Orientation) (picture.Orientation, MaskFit) {
	stored := TurnedSize(upright, turn) // swapping width and height is its own inverse
	asStored, asUpright := mask == stored, mask == upright
	if !asStored && !asUpright {
		asStored, asUpright = SameAspect(mask, stored), SameAspect(mask, upright)
	}
	switch {
	case turn <= picture.Upright && asUpright:
		return picture.Upright, MaskFits
	case asStored && asUpright:
		return turn, MaskEitherWay
	case asUpright:
		return picture.Upright, MaskFits
	case asStored:
		return turn, MaskFits
	}
	return turn, MaskOtherAspect
}

// SameAspect reports whether two aspect ratios differ by at most 2 %.
func SameAspect(a, b Size) bool {
	ratio := float64(a.Width) * float64(b.Height) / (float64(a.Height) * float64(b.Width))
	return ratio <= aspectTolerance && ratio >= 1/aspectTolerance
}
