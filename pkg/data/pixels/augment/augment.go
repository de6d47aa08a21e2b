// Package augment changes training pictures at random, bit for bit as
// torchvision 0.26 does with the same drawn parameters.
//
// The order is: Draw, Color on the decoded picture at its own size, scaling to a
// square, Geometry on the square and its mask.
package augment

import "math"

// The probability of each transform and the ranges of its parameters, uniform.
const (
	noiseChance    = 0.3
	colorChance    = 0.7 // of brightness, contrast and saturation, each
	geometryChance = 0.5 // of rotation, translation and the two flips, each

	colorReach    = 0.5  // factors are in [1-colorReach, 1+colorReach)
	rotationReach = 30   // degrees either way
	shiftReach    = 0.15 // of the square's side, either way
)

// Parameters are what was drawn for one picture.
type Parameters struct {
	Noise *Noise // nil: none

	// Brightness, Contrast and Saturation are factors in [0.5, 1.5); 1, where none was drawn, changes nothing.
	Brightness, Contrast, Saturation float64

	Rotation       float64 // in degrees, counter-clockwise, in [-30, 30)
	ShiftX, ShiftY int     // whole pixels to the right and down, at most 0.15 of the square's side, rounded
	FlipX, FlipY   bool    // left and right, top and bottom, exchanged
}

// Draw draws the parameters for picture number index in an epoch. They depend on
// (seed, epoch, index) alone, each on random numbers of its own. size is the side
// of the square that Geometry will work on; only the translation's scale depends on it.
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

// noise draws whether there is noise.
func (o origin) noise() *Noise {
	if _, ok := o.applied("noise", noiseChance); !ok {
		return nil
	}
	return &Noise{Key: o.key("noise values")}
}

// factor draws a factor for one transform of the colors.
func (o origin) factor(part string) float64 {
	if r, ok := o.applied(part, colorChance); ok {
		return between(r, 1-colorReach, 1+colorReach)
	}
	return 1
}
