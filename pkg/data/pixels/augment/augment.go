// Package augment applies random augmentation to training pictures. Given the same
// drawn parameters, its result is bit-identical to torchvision 0.26's.
//
// Call in this order: Draw, Color on the decoded picture at its original size, scaling
// to a square, Geometry on the square and its mask.
package augment

import "math"

// The probability of each transform, and the ranges of its uniformly drawn parameters.
const (
	noiseChance    = 0.3
	colorChance    = 0.7 // probability of brightness, contrast and saturation, each
	geometryChance = 0.5 // probability of rotation, translation and the two flips, each

	colorReach    = 0.5  // factors are in [1-colorReach, 1+colorReach)
	rotationReach = 30   // maximum rotation in degrees, in both directions
	shiftReach    = 0.15 // maximum translation as a fraction of the square's side, in both directions
)

// Parameters are the drawn parameters of one picture.
type Parameters struct {
	Noise *Noise // nil for no noise

	// Brightness, Contrast and Saturation are factors in [0.5, 1.5); 1 if the transform does not apply.
	Brightness, Contrast, Saturation float64

	Rotation       float64 // in degrees, counter-clockwise, in [-30, 30)
	ShiftX, ShiftY int     // whole pixels to the right and down, at most 0.15 of the square's side, rounded
	FlipX, FlipY   bool    // horizontal and vertical flip
}

// Draw draws the parameters for picture number index in an epoch. They depend only on
// (seed, epoch, index), and each uses its own random stream. size is the side of the
// square for Geometry, in pixels; it only scales the translation.
func Draw(seed uint64, epoch, index, size int) Parameters {
	o := origin{seed, epoch, index}
	p := Parameters{
		Noise:      o.noise(),
		Brightness: o.factor("brightness"),
		Contrast:   o.factor("contrast"),
		Saturation: o.factor("saturation"),
	}
	if r, ok := o.applied("rotation", geometryChance); ok {
		p.Rotation = between(r, -rotationReach, rotationReach)
	}
	if r, ok := o.applied("translation", geometryChance); ok {
		reach := shiftReach * float64(size)
		p.ShiftX = int(math.RoundToEven(between(r, -reach, reach)))
		p.ShiftY = int(math.RoundToEven(between(r, -reach, reach)))
	}
	_, p.FlipX = o.applied("horizontal flip", geometryChance)
	_, p.FlipY = o.applied("vertical flip", geometryChance)
	return p
}

// noise draws whether noise applies.
func (o origin) noise() *Noise {
	if _, ok := o.applied("noise", noiseChance); !ok {
		return nil
	}
	return &Noise{Key: o.key("noise values")}
}

// factor draws the factor of one color transform.
func (o origin) factor(part string) float64 {
	if r, ok := o.applied(part, colorChance); ok {
		return between(r, 1-colorReach, 1+colorReach)
	}
	return 1
}
