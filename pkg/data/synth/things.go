package synth

import (
	"math"
	"math/rand/v2"
)

// thing returns the scenes of an object: a shape of a material with a beveled border, and
// what a class may have besides: openings, rings, a print, a band of another material.
func thing(shape outline, of, on family, class *rand.Rand) func(r *rand.Rand, px float64) scene {
	inside := shape(class)
	face, ground := of(class), on(class)
	if class.Float64() < 0.4 {
		ground = plain(class)
	}
	contrast := between(class, 0.35, 1) // of the material's pattern
	fine := between(class, 0.8, 2.5)    // its scale
	bevel, lift := between(class, 0.01, 0.06), between(class, 0.1, 0.55)
	turn := math.Pi
	if class.Float64() < 0.5 {
		turn = 0.2
	}
	size := between(class, 0.75, 1.15)
	details := newDetails(class)
	shadow := between(class, 0, 0.5)
	cut := func(u, v float64) float64 { return min(inside(u, v), details.openings(u, v)) }
	return func(r *rand.Rand, px float64) scene {
		p := newPose(r, 0.05, turn, 0.12)
		p.scale /= size
		gp := newPose(r, 0.5, math.Pi, 0.1)
		body, floor := face(r, px*p.scale*fine), ground(r, px)
		dx, dy := lightX*p.cos+lightY*p.sin, lightY*p.cos-lightX*p.sin // the light in the object's coordinates
		depth := func(x, y float64) float64 {
			u, v := p.at(x, y)
			return cut(u, v) / p.scale
		}
		behind := func(x, y float64) color {
			c := floor(gp.at(x, y))
			if shadow > 0.1 {
				c = c.scale(1 - shadow*ramp(-0.035, 0.02, depth(x+0.02*lightX, y+0.02*lightY)))
			}
			return c
		}
		mean := body(0.11, 0.07).mix(body(-0.13, 0.05), 0.5).mix(body(0.03, -0.17), 0.33)
		return scene{
			inside: depth,
			behind: behind,
			color: func(x, y float64) color {
				u, v := p.at(x, y)
				d := cut(u, v)
				cover := edge(d/p.scale, px)
				if cover == 0 {
					return behind(x, y)
				}
				c := mean.mix(body(u*fine, v*fine), contrast)
				c = details.on(c, u, v, px*p.scale)
				if d < bevel {
					const step = 0.004
					lit := (cut(u+step*dx, v+step*dy) - d) / step // negative where the border faces the light
					c = c.scale(1 - lift*lit*(1-max(d, 0)/bevel))
				}
				if cover < 1 {
					return behind(x, y).mix(c, cover)
				}
				return c
			},
		}
	}
}

// details are the features of an object that are not its shape.
type details struct {
	holes, holeSize, holeAt  float64
	rings, ringAt, ringDepth float64
	band, bandAt, bandWidth  float64
	bandColor                color
	print                    *lettering
	slot, slotWide, slotLong float64
}

func newDetails(class *rand.Rand) details {
	var d details
	if class.Float64() < 0.4 {
		d.holes, d.holeSize, d.holeAt = float64(1+class.IntN(6)), between(class, 0.02, 0.06), between(class, 0.06, 0.2)
	}
	if class.Float64() < 0.3 {
		d.rings, d.ringAt, d.ringDepth = between(class, 10, 40), between(class, 0.08, 0.3), between(class, 0.08, 0.3)
	}
	if class.Float64() < 0.4 {
		d.band, d.bandAt, d.bandWidth, d.bandColor = between(class, 0.5, 1), between(class, -0.2, 0.2), between(class, 0.02, 0.2), material(class)
	}
	if class.Float64() < 0.3 {
		d.print = newLettering(class)
	}
	if class.Float64() < 0.25 {
		d.slot, d.slotWide, d.slotLong = between(class, 0.3, 0.8), between(class, 0.01, 0.03), between(class, 0.05, 0.2)
	}
	return d
}

// openings returns the distance to the nearest opening, positive outside of all.
func (d details) openings(u, v float64) float64 {
	if d.holes == 0 {
		return 1
	}
	if d.holes == 1 {
		return math.Hypot(u, v) - d.holeSize
	}
	turn := math.Round(math.Atan2(v, u)*d.holes/(2*math.Pi)) * 2 * math.Pi / d.holes
	sin, cos := math.Sincos(turn)
	return math.Hypot(u-d.holeAt*cos, v-d.holeAt*sin) - d.holeSize
}

// on paints the details on the object's own color.
func (d details) on(c color, u, v, px float64) color {
	if d.band > 0 {
		c = c.mix(d.bandColor, d.band*edge(d.bandWidth/2-math.Abs(u-d.bandAt), px))
	}
	if d.rings > 0 {
		if r := math.Hypot(u, v); r < d.ringAt {
			c = c.scale(1 + d.ringDepth*math.Sin(2*math.Pi*d.rings*r)*fades(d.rings, px))
		}
	}
	if d.slot > 0 {
		c = c.scale(1 - d.slot*edge(box(u, v, d.slotLong, d.slotWide, d.slotWide), px))
	}
	if d.print != nil {
		c = c.mix(d.print.ink, d.print.at(u, v, px))
	}
	return c
}

// lettering is a few lines of marks like letters.
type lettering struct {
	ink          color
	x, y         float64 // its middle
	wide, tall   float64 // half its size
	size, strong float64 // of a letter
	letters      field
}

func newLettering(class *rand.Rand) *lettering {
	size := between(class, 0.03, 0.07)
	return &lettering{
		ink: grey(between(class, 0.05, 0.95)), x: between(class, -0.1, 0.1), y: between(class, -0.1, 0.1),
		wide: size * between(class, 2, 6), tall: size * (0.5 + float64(class.IntN(3))), size: size, strong: between(class, 0.5, 0.95), letters: newField(class),
	}
}

// at returns how much ink covers a point.
func (p *lettering) at(u, v, px float64) float64 {
	u, v = u-p.x, v-p.y
	if math.Abs(u) > p.wide || math.Abs(v) > p.tall {
		return 0
	}
	a, b := (u+p.wide)/p.size*1.4, (v+p.tall)/p.size
	i, j := int(math.Floor(a)), int(math.Floor(b))
	x, y := 1.5*wrap(a), 1.5*wrap(b)
	if p.letters.cell(i, j) < 0.12 {
		return 0 // a space
	}
	// A letter is some of the segments of a figure eight.
	d, bits := -1.0, uint(p.letters.cell(i+500, j)*127)+1
	for k, s := range [7][4]float64{{0, -.5, .3, .06}, {-.3, -.25, .06, .3}, {.3, -.25, .06, .3}, {0, 0, .3, .06}, {-.3, .25, .06, .3}, {.3, .25, .06, .3}, {0, .5, .3, .06}} {
		if bits>>k&1 != 0 {
			d = max(d, box(x, y, 0, 0, 0), box(x-s[0], y-s[1]*.9, s[2], s[3], 0))
		}
	}
	return p.strong * soft(d+0.02, 1/p.size, px)
}
