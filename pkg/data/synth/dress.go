package synth

import (
	"math"
	"math/rand/v2"
)

// dress returns the scenes of a texture with what normal pictures have besides it: cut
// borders, seams, bars, rows of rivets, prints. A class decides which it has; a picture, where.
func dress(of family, class *rand.Rand) func(r *rand.Rand, px float64) scene {
	face := of(class)
	turn := 0.08
	if class.Float64() < 0.3 {
		turn = math.Pi
	}
	quarter := float64(class.IntN(2)) * math.Pi / 2
	ends := newEnds(class)
	bar := newBar(class)
	var label *lettering
	if class.Float64() < 0.12 {
		label = newLettering(class)
	}
	rivets := newRivets(class)
	return func(r *rand.Rand, px float64) scene {
		p := newPose(r, 0.5, turn, 0.12)
		sin, cos := math.Sincos(quarter)
		p.cos, p.sin = p.cos*cos-p.sin*sin, p.sin*cos+p.cos*sin
		surface, seam, row := face(r, px), bar.in(r), rivets.in(r)
		shift := point{between(r, -0.2, 0.2), between(r, -0.2, 0.2)}
		s := scene{color: func(x, y float64) color {
			c := surface(p.at(x, y))
			if seam != nil {
				c = seam(c, x, y, px)
			}
			if row != nil {
				c = row(c, x, y, px)
			}
			if label != nil {
				c = c.mix(label.ink, label.at(x-0.5-shift.x, y-0.5-shift.y, px))
			}
			return c
		}}
		return ends.cut(s, r, px)
	}
}

// ends says how the surface ends within the pictures of a class.
type ends struct {
	chance float64 // that a picture shows an end
	sides  int     // on how many sides
	ground color
	deep   float64 // most of the picture's width that is not surface
	shine  float64 // of the cut edge; negative is dark
	wide   float64 // of the edge
}

func newEnds(class *rand.Rand) ends {
	e := ends{sides: 1 + class.IntN(4), deep: between(class, 0.04, 0.25), shine: between(class, -0.7, 0.7), wide: between(class, 0.004, 0.05)}
	switch class.IntN(4) {
	case 0:
		e.chance, e.ground = between(class, 0.5, 1), grey(between(class, 0.01, 0.12))
	case 1:
		e.chance, e.ground = between(class, 0.3, 0.9), material(class)
	}
	return e
}

// cut returns the scene with its ends, if a picture has any.
func (e ends) cut(s scene, r *rand.Rand, px float64) scene {
	if r.Float64() >= e.chance {
		return s
	}
	sin, cos := math.Sincos(between(r, -0.05, 0.05))
	at := [4]float64{-1, -1, -1, -1} // distance of the end from the picture's side; -1 is none
	for side := range e.sides {
		at[side] = between(r, 0.01, e.deep)
	}
	r.Shuffle(4, func(i, j int) { at[i], at[j] = at[j], at[i] })
	rough := newField(r)
	inside := func(x, y float64) float64 {
		u, v := (x-0.5)*cos+(y-0.5)*sin+0.5, (y-0.5)*cos-(x-0.5)*sin+0.5
		return min(u-at[0], 1-at[1]-u, v-at[2], 1-at[3]-v) + 0.002*rough.at(x*40, y*40)
	}
	ground := e.ground.jitter(r, 0.1)
	behind := func(x, y float64) color { return ground.scale(1 + 0.06*rough.at(x*90, y*90)) }
	return scene{inside: inside, behind: behind, color: func(x, y float64) color {
		d := inside(x, y)
		cover := edge(d, px)
		if cover == 0 {
			return behind(x, y)
		}
		c := s.color(x, y)
		c = c.scale(1 + e.shine*ramp(e.wide, 0, d))
		return behind(x, y).mix(c, cover)
	}}
}

// bar is a straight band across the pictures of a class: a seam, a weld, a tape, a line.
type bar struct {
	chance, turn, wide, soft, shade float64
	count                           int
	tint                            color
	opaque                          float64
}

func newBar(class *rand.Rand) bar {
	b := bar{turn: float64(class.IntN(2)) * math.Pi / 2, wide: between(class, 0.004, 0.1), soft: between(class, 0, 0.02), shade: between(class, 0.45, 1.6), count: 1 + class.IntN(2), tint: material(class), opaque: between(class, 0, 0.9)}
	if class.Float64() < 0.35 {
		b.chance = between(class, 0.4, 1)
	}
	return b
}

func (b bar) in(r *rand.Rand) func(c color, x, y, px float64) color {
	if r.Float64() >= b.chance {
		return nil
	}
	sin, cos := math.Sincos(b.turn + between(r, -0.06, 0.06))
	offsets := [2]float64{between(r, -0.4, 0.4), between(r, -0.4, 0.4)}
	return func(c color, x, y, px float64) color {
		across := (x-0.5)*cos + (y-0.5)*sin
		for _, at := range offsets[:b.count] {
			cover := edge(b.wide/2-math.Abs(across-at), max(px, b.soft))
			c = c.mix(c.scale(b.shade).mix(b.tint, b.opaque), cover)
		}
		return c
	}
}

// rivets are a row of rivets, studs or stitches.
type rivets struct{ chance, turn, every, size, lift, shade float64 }

func newRivets(class *rand.Rand) rivets {
	v := rivets{turn: float64(class.IntN(2)) * math.Pi / 2, every: between(class, 0.08, 0.3), size: between(class, 0.008, 0.03), lift: between(class, 0, 0.5), shade: between(class, 0.4, 1.3)}
	if class.Float64() < 0.15 {
		v.chance = between(class, 0.5, 1)
	}
	return v
}

func (v rivets) in(r *rand.Rand) func(c color, x, y, px float64) color {
	if r.Float64() >= v.chance {
		return nil
	}
	sin, cos := math.Sincos(v.turn + between(r, -0.05, 0.05))
	at, first := between(r, -0.35, 0.35), r.Float64()
	return func(c color, x, y, px float64) color {
		across, along := (x-0.5)*cos+(y-0.5)*sin-at, (y-0.5)*cos-(x-0.5)*sin
		if math.Abs(across) > 2*v.size {
			return c
		}
		along = wrap(along/v.every+first) * v.every
		d := v.size - math.Hypot(across, along)
		lit := (across*lightX + along*lightY) / v.size
		return c.mix(c.scale(v.shade*(1+v.lift*lit)), edge(d, px))
	}
}
