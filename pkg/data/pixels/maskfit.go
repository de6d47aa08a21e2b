package pixels

import "acdclip/pkg/data/pixels/picture"

// Size is a picture's or a mask's width and height in pixels, both above 0.
type Size struct{ Width, Height int }

// MaskFit says how a mask fits its picture. Of several the largest is the one to tell of.
type MaskFit int

// How a mask fits.
const (
	MaskFits        MaskFit = iota // by its size, or its aspect ratio where it is scaled
	MaskEitherWay                  // both as the picture is stored and as it stands upright: it was turned with the picture
	MaskOtherAspect                // in no way: its aspect ratio differs from the picture's by more than 2 %
)

// aspectTolerance is how much larger one aspect ratio may be than another that is taken as the same.
const aspectTolerance = 1.02

// TurnedSize is the size that a picture of a stored size has after it was turned.
func TurnedSize(stored Size, turn picture.Orientation) Size {
	if turn.Swaps() {
		return Size{stored.Height, stored.Width}
	}
	return stored
}

// FitMask says how a mask of a picture is to be turned, and how it fits.
//
// upright is the picture's size after it was turned by turn, and mask is the
// mask's size as it is stored. A mask may have been drawn over the picture as it
// is stored, and then it is turned like the picture; or over the picture as it
// stands upright, and then it is not. Its size tells, or where neither size is its
// own, its aspect ratio. Where it fits both ways (a square, or a half turn) it is
// turned like the picture: without EXIF it lies on the picture, so that it does with it.
func FitMask(upright, mask Size, turn picture.Orientation) (picture.Orientation, MaskFit) {
	stored := TurnedSize(upright, turn) // which turns it back
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

// SameAspect reports whether two aspect ratios differ by 2 % at most.
func SameAspect(a, b Size) bool {
	ratio := float64(a.Width) * float64(b.Height) / (float64(a.Height) * float64(b.Width))
	return ratio <= aspectTolerance && ratio >= 1/aspectTolerance
}
