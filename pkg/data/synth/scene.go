package synth

import (
	"math"
	"math/rand/v2"
)

// color is a color with components in [0, 1]; intermediate results may exceed the range.
type color struct{ r, g, b float64 }

// rgb returns a color from 8-bit components.
func rgb(r, g, b uint8) color { return color{float64(r) / 255, float64(g) / 255, float64(b) / 255} }

func grey(v float64) color { return color{v, v, v} }

func (c color) scale(s float64) color { return color{c.r * s, c.g * s, c.b * s} }

func (c color) times(o color) color { return color{c.r * o.r, c.g * o.g, c.b * o.b} }

func (c color) mix(o color, t float64) color {
	return color{lerp(c.r, o.r, t), lerp(c.g, o.g, t), lerp(c.b, o.b, t)}
}

// jitter varies a color slightly, like the batches of a product.
func (c color) jitter(r *rand.Rand, by float64) color {
	s := between(r, 1-by, 1+by)
	return color{c.r * s * between(r, 1-by/3, 1+by/3), c.g * s, c.b * s * between(r, 1-by/3, 1+by/3)}
}

func (c color) luminance() float64 { return 0.299*c.r + 0.587*c.g + 0.114*c.b }

// scene is one normal picture. Coordinates are in [0, 1), x to the right and y down;
// lengths are in the same unit.
type scene struct {
	color func(x, y float64) color
	// inside returns the distance to the object's border, positive inside; nil for a
	// texture, which fills the picture.
	inside func(x, y float64) float64
	// behind returns the background color behind a missing part of the object; nil for a texture.
	behind func(x, y float64) color
}

// cover returns the fraction of the pixel at (x, y), px wide, that the object covers.
func (s scene) cover(x, y, px float64) float64 {
	if s.inside == nil {
		return 1
	}
	return edge(s.inside(x, y), px)
}

// edge returns the fraction of a pixel, px wide, that is inside a border at distance d.
func edge(d, px float64) float64 { return clamp(0.5 + d/px) }

// pose is the position, rotation and scale of an object in the picture.
type pose struct{ x, y, cos, sin, scale float64 }

// newPose draws a random pose: moved by up to shift, rotated by up to turn (radians),
// scaled by up to stretch (a fraction).
func newPose(r *rand.Rand, shift, turn, stretch float64) pose {
	sin, cos := math.Sincos(between(r, -turn, turn))
	return pose{
		x: 0.5 + between(r, -shift, shift), y: 0.5 + between(r, -shift, shift),
		cos: cos, sin: sin, scale: 1 / between(r, 1-stretch, 1+stretch),
	}
}

// at converts a point of the picture to the object's coordinates, with the origin at its centre.
func (p pose) at(x, y float64) (u, v float64) {
	x, y = (x-p.x)*p.scale, (y-p.y)*p.scale
	return x*p.cos + y*p.sin, y*p.cos - x*p.sin
}

// lightX and lightY are the direction of the light for all objects: from the upper left.
const lightX, lightY = -0.6, -0.8

// table returns a scene with an object on a background, with a soft shadow to the lower right.
func table(r *rand.Rand, ground color, px float64, inside func(x, y float64) float64, face func(x, y float64) color) scene {
	grain := newField(r)
	ground = ground.jitter(r, 0.06)
	behind := func(x, y float64) color {
		c := ground.scale(1 + 0.03*grain.sum(x*6, y*6, 2) + 0.025*grain.at(x*120, y*120))
		shadow := ramp(-0.035, 0.02, inside(x+0.02*lightX, y+0.02*lightY))
		return c.scale(1 - 0.45*shadow)
	}
	return scene{
		color: func(x, y float64) color {
			c := behind(x, y)
			cover := edge(inside(x, y), px)
			if cover == 0 {
				return c
			}
			return c.mix(face(x, y), cover)
		},
		inside: inside,
		behind: behind,
	}
}
