package synth

import (
	"math"
	"math/rand/v2"
)

// layer is one layer of paint: its coverage, and a function of the color below. A
// defect is one or more layers, painted in order.
type layer struct {
	coverage []float64 // one value per pixel, in [0, 1]
	opacity  float64
	paint    func(x, y float64, under color) color
	// through replaces pixels at the object's border completely, so a missing part leaves no outline.
	through bool
}

// ground is the picture that a defect is drawn on.
type ground struct {
	scene scene
	view  view
}

// depth returns the distance of a point from the object's border or, for a texture, from
// the picture's border; positive inside.
func (g ground) depth(p point) float64 {
	if g.scene.inside == nil {
		return g.view.depth(p)
	}
	return g.scene.inside(p.x, p.y)
}

// defects returns the table of defect kinds; a new kind is one more row.
func defects() map[string]func(*rand.Rand, ground) []layer {
	return map[string]func(*rand.Rand, ground) []layer{
		"scratch": scratch,
		"stain":   stain,
		"hole":    hole,
		"crack":   crack,
		"thread":  thread,
		"dent":    dent,
		"missing": missing,

		"burn":      burn,
		"debris":    debris,
		"discolor":  discolor,
		"displaced": displaced,
		"gouge":     gouge,
		"pits":      pits,
		"shade":     shade,
		"smear":     smear,
		"spot":      spot,
		"wrinkle":   wrinkle,

		"bubble":    bubble,
		"corrosion": corrosion,
		"slit":      slit,
		"swirl":     swirl,
	}
}

// anchor draws a point of the view at least margin inside the object, or the deepest of many tries.
func (g ground) anchor(r *rand.Rand, margin float64) point {
	margin *= g.view.side
	best, deepest := point{}, math.Inf(-1)
	for range 200 {
		p := point{g.view.x + g.view.side*r.Float64(), g.view.y + g.view.side*r.Float64()}
		depth := g.depth(p)
		if depth >= margin {
			return p
		}
		if depth > deepest {
			best, deepest = p, depth
		}
	}
	return best
}

// against returns a tone that contrasts with the picture around a point: dark on
// bright and bright on dark.
func (g ground) against(p point) float64 {
	light := 0.0
	const n = 5
	for i := range n {
		for j := range n {
			light += g.scene.color(p.x+0.02*float64(i-n/2), p.y+0.02*float64(j-n/2)).luminance()
		}
	}
	if light/(n*n) > 0.52 {
		return 0.08
	}
	return 0.95
}

// flat returns a paint of one opaque color.
func flat(c color) func(float64, float64, color) color {
	return func(float64, float64, color) color { return c }
}

// tapered returns the width function of a stroke that is thin at the ends.
func tapered(width float64) func(float64) float64 {
	return func(t float64) float64 { return width * (0.35 + 0.65*math.Sqrt(clamp(4*t*(1-t)))) }
}

// scratch is one to three nearly parallel strokes, slightly bent.
func scratch(r *rand.Rand, g ground) []layer {
	from := g.anchor(r, 0.05)
	heading := between(r, 0, 2*math.Pi)
	b := newBrush(g.view)
	for range 1 + r.IntN(3) {
		bend := between(r, -0.03, 0.03)
		start := from.plus(point{between(r, -0.03, 0.03), between(r, -0.03, 0.03)})
		line := walk(start, heading+between(r, -0.12, 0.12), between(r, 0.14, 0.42), 16, func() float64 { return bend + between(r, -0.02, 0.02) })
		b.stroke(line, tapered(between(r, 0.005, 0.011)))
	}
	return []layer{{coverage: b.plane, opacity: between(r, 0.65, 0.9), paint: flat(grey(g.against(from)))}}
}

// stain is a spilt liquid: a few joined drops that tint what they cover, darker at the rim.
func stain(r *rand.Rand, g ground) []layer {
	tints := []color{rgb(120, 72, 30), rgb(60, 66, 96), rgb(150, 60, 44), rgb(70, 88, 52), rgb(58, 52, 48)}
	tint := tints[r.IntN(len(tints))].jitter(r, 0.1)
	middle := g.anchor(r, 0.05)
	drop := newBlob(r, middle, between(r, 0.045, 0.1), between(r, 0.12, 0.3), 1.3)
	b := newBrush(g.view)
	b.fill(drop, 0.008)
	for range r.IntN(4) {
		sin, cos := math.Sincos(between(r, 0, 2*math.Pi))
		away := drop.radius * between(r, 1.2, 2)
		b.fill(newBlob(r, middle.plus(point{away * cos, away * sin}), drop.radius*between(r, 0.12, 0.3), 0.15, 1), 0.006)
	}
	patchy := newField(r)
	return []layer{{coverage: b.plane, opacity: between(r, 0.65, 0.9), paint: func(x, y float64, under color) color {
		rim := ramp(0.02, 0, math.Abs(drop.depth(x, y)-0.008))
		tone := 1.15 + 0.2*patchy.sum(x*25, y*25, 2) - 0.3*rim
		return under.times(tint.scale(1.3*tone)).mix(tint.scale(tone), 0.35)
	}}}
}

// hole is a dark round opening with a lit far wall and a raised rim.
func hole(r *rand.Rand, g ground) []layer {
	middle := g.anchor(r, 0.05)
	opening := newBlob(r, middle, between(r, 0.022, 0.05), between(r, 0.06, 0.22), 1.5)
	opening.long = between(r, 1, 1.25)
	burr := opening
	burr.radius *= 1.18
	rim, inner := newBrush(g.view), newBrush(g.view)
	rim.fill(burr, 0.004)
	inner.fill(opening, 0.003)
	tone := 1.6
	if g.against(middle) < 0.5 {
		tone = 0.55
	}
	return []layer{
		{coverage: rim.plane, opacity: 0.75, paint: func(_, _ float64, under color) color { return under.scale(tone) }},
		{coverage: inner.plane, opacity: 1, paint: func(x, y float64, under color) color {
			away := -((x-middle.x)*lightX + (y-middle.y)*lightY) / opening.radius
			wall := ramp(0.35, 1, away) * ramp(0.7*opening.radius, 0, opening.depth(x, y))
			return under.scale(0.12 + 0.4*wall)
		}},
	}
}

// crack is a jagged dark line with branches; its edge away from the light shines.
func crack(r *rand.Rand, g ground) []layer {
	from := g.anchor(r, 0.04)
	heading := between(r, 0, 2*math.Pi)
	width := between(r, 0.007, 0.013)
	swing := 0.0
	jagged := func() float64 { // zigzag around a direction that hardly drifts
		before := swing
		swing = between(r, -0.75, 0.75)
		return swing - before + between(r, -0.12, 0.12)
	}
	lines := [][]point{walk(from, heading, between(r, 0.2, 0.4), 18, jagged), walk(from, heading+math.Pi, between(r, 0.1, 0.25), 10, jagged)}
	for range 1 + r.IntN(3) {
		at := lines[0][3+r.IntN(12)]
		side := math.Copysign(between(r, 0.5, 1.1), between(r, -1, 1))
		lines = append(lines, walk(at, heading+side, between(r, 0.07, 0.18), 8, jagged))
	}
	dark, shine := newBrush(g.view), newBrush(g.view)
	for i, line := range lines {
		thick := width
		if i > 1 {
			thick *= 0.6
		}
		taper := func(t float64) float64 { return thick * (1 - 0.7*t) }
		dark.stroke(line, taper)
		shine.stroke(shifted(line, -0.006*lightX, -0.006*lightY), taper)
	}
	return []layer{
		{coverage: shine.plane, opacity: 0.45, paint: func(_, _ float64, under color) color { return under.mix(grey(1), 0.6) }},
		{coverage: dark.plane, opacity: 0.92, paint: func(_, _ float64, under color) color { return under.scale(0.12) }},
	}
}

// thread is a loose curved fiber with its shadow.
func thread(r *rand.Rand, g ground) []layer {
	colors := []color{rgb(196, 44, 40), rgb(36, 64, 150), rgb(240, 238, 230), rgb(28, 28, 30), rgb(36, 128, 70)}
	c := colors[r.IntN(len(colors))]
	from := g.anchor(r, 0.06)
	curl, drift := between(r, -0.16, 0.16), 0.0
	line := walk(from, between(r, 0, 2*math.Pi), between(r, 0.3, 0.6), 36, func() float64 {
		drift = 0.8*drift + between(r, -0.12, 0.12)
		return curl + drift
	})
	width := between(r, 0.008, 0.013)
	round := func(float64) float64 { return width }
	shadow, fiber := newBrush(g.view), newBrush(g.view)
	shadow.stroke(shifted(line, -0.008*lightX, -0.008*lightY), round)
	fiber.stroke(line, round)
	twist := newField(r)
	return []layer{
		{coverage: shadow.plane, opacity: 0.5, paint: func(_, _ float64, under color) color { return under.scale(0.35) }},
		{coverage: fiber.plane, opacity: 0.97, paint: func(x, y float64, _ color) color { return c.scale(1 + 0.22*twist.at(x*90, y*90)) }},
	}
}

// dent is a shallow hollow: dark on the side toward the light, bright on the other.
func dent(r *rand.Rand, g ground) []layer {
	middle := g.anchor(r, 0.06)
	hollow := newBlob(r, middle, between(r, 0.04, 0.075), 0.06, 1.2)
	hollow.long = between(r, 1, 1.4)
	b := newBrush(g.view)
	b.fill(hollow, 0.012)
	strength := between(r, 0.65, 0.95)
	return []layer{{coverage: b.plane, opacity: 1, paint: func(x, y float64, under color) color {
		away := -((x-middle.x)*lightX + (y-middle.y)*lightY) / hollow.radius
		slope := clamp(1.25 - 0.8*clamp(hollow.depth(x, y)/hollow.radius)) // steep at the rim, flat in the middle
		shade := strength * away * slope
		return under.scale(max(0.15, 0.84+min(shade, 0))).mix(grey(1), 0.75*clamp(shade))
	}}}
}

// missing is a piece broken off the object's outer border, with a rough broken face.
func missing(r *rand.Rand, g ground) []layer {
	// From outside the picture inward to the object's outer border.
	sin, cos := math.Sincos(between(r, 0, 2*math.Pi))
	p := point{0.5 + 0.7*cos, 0.5 + 0.7*sin}
	for range 175 {
		if g.depth(p) > 0 {
			break
		}
		p = p.plus(point{-0.004 * cos, -0.004 * sin})
	}
	bite := newBlob(r, p, between(r, 0.05, 0.085), between(r, 0.1, 0.2), 1.7)
	bite.long = between(r, 1, 1.3)
	face := bite
	face.radius += between(r, 0.008, 0.016)
	broken, gone := newBrush(g.view), newBrush(g.view)
	broken.fill(face, 0)
	gone.fill(bite, 0)
	grain := newField(r)
	return []layer{
		{coverage: broken.plane, opacity: 1, paint: func(x, y float64, under color) color {
			return under.scale(0.5 + 0.18*grain.at(x*100, y*100))
		}},
		{coverage: gone.plane, opacity: 1, through: true, paint: func(x, y float64, _ color) color { return g.scene.behind(x, y) }},
	}
}
