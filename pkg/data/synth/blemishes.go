package synth

import (
	"math"
	"math/rand/v2"
)

// spot is one or a few small marks, hard or soft, dark, bright or colored.
func spot(r *rand.Rand, g ground) []layer {
	middle := g.anchor(r, 0.03)
	b, softness := newBrush(g.view), between(r, 0.002, 0.02)
	size := between(r, 0.012, 0.05)
	b.fill(newBlob(r, middle, size, between(r, 0, 0.25), 1.5), softness)
	for range r.IntN(3) {
		sin, cos := math.Sincos(between(r, 0, 2*math.Pi))
		away := size * between(r, 1.5, 5)
		b.fill(newBlob(r, middle.plus(point{away * cos, away * sin}), size*between(r, 0.4, 1), 0.1, 1), softness)
	}
	ink := grey(g.against(middle))
	if r.Float64() < 0.4 {
		ink = material(r)
	}
	return []layer{{coverage: b.plane, opacity: between(r, 0.5, 0.95), paint: flat(ink)}}
}

// pits are a cluster of small pores.
func pits(r *rand.Rand, g ground) []layer {
	middle := g.anchor(r, 0.06)
	b, spread := newBrush(g.view), between(r, 0.03, 0.1)
	for range 4 + r.IntN(12) {
		at := middle.plus(point{spread * r.NormFloat64() * 0.6, spread * r.NormFloat64() * 0.6})
		b.fill(newBlob(r, at, between(r, 0.005, 0.014), 0.1, 1), 0.004)
	}
	tone := between(r, 0.1, 0.5)
	if r.Float64() < 0.3 {
		tone = between(r, 1.5, 2)
	}
	return []layer{{coverage: b.plane, opacity: 0.95, paint: func(_, _ float64, under color) color { return under.scale(tone) }}}
}

// smear is a rubbed or wiped area that has lost or gained brightness, with soft ends.
func smear(r *rand.Rand, g ground) []layer {
	middle := g.anchor(r, 0.08)
	wiped := newBlob(r, middle, between(r, 0.05, 0.12), between(r, 0.05, 0.25), 1)
	wiped.long = between(r, 1, 3)
	wiped.radius /= math.Sqrt(wiped.long)
	b := newBrush(g.view)
	b.fill(wiped, between(r, 0.02, 0.06))
	tone, flatter := contrary(r, g, middle), between(r, 0, 0.8)
	mean := g.mean(middle)
	return []layer{{coverage: b.plane, opacity: between(r, 0.6, 0.95), paint: func(_, _ float64, under color) color { return under.mix(mean, flatter).scale(tone) }}}
}

// shade is a large region that is darker or brighter than the rest.
func shade(r *rand.Rand, g ground) []layer {
	middle := g.anchor(r, 0.1)
	region := newBlob(r, middle, between(r, 0.1, 0.25), between(r, 0.1, 0.35), 1)
	region.long = between(r, 1, 2.5)
	b := newBrush(g.view)
	b.fill(region, between(r, 0.01, 0.08))
	tone := contrary(r, g, middle)
	return []layer{{coverage: b.plane, opacity: between(r, 0.5, 0.9), paint: func(_, _ float64, under color) color { return under.scale(tone) }}}
}

// discolor is a patch of another color under the same structure.
func discolor(r *rand.Rand, g ground) []layer {
	middle := g.anchor(r, 0.06)
	b := newBrush(g.view)
	b.fill(newBlob(r, middle, between(r, 0.04, 0.12), between(r, 0.05, 0.4), between(r, 0.8, 2)), between(r, 0.003, 0.03))
	tint := hsv(r.Float64(), between(r, 0.4, 0.9), 1)
	keep := between(r, 0.4, 0.8)
	return []layer{{coverage: b.plane, opacity: between(r, 0.7, 0.95), paint: func(_, _ float64, under color) color {
		l := under.luminance()
		return tint.scale(l*1.4).mix(under, 1-keep)
	}}}
}

// debris is a foreign particle, chip or flake, with its shadow.
func debris(r *rand.Rand, g ground) []layer {
	middle := g.anchor(r, 0.05)
	particle := newBlob(r, middle, between(r, 0.02, 0.06), between(r, 0.1, 0.35), between(r, 0.6, 1.5))
	particle.long = between(r, 1, 2.2)
	below := particle
	below.middle = middle.plus(point{-0.01 * lightX, -0.01 * lightY})
	shadow, body := newBrush(g.view), newBrush(g.view)
	shadow.fill(below, 0.01)
	body.fill(particle, 0.002)
	c, grain := material(r), newField(r)
	if math.Abs(c.luminance()-g.mean(middle).luminance()) < 0.15 {
		c = grey(g.against(middle))
	}
	return []layer{
		{coverage: shadow.plane, opacity: 0.5, paint: func(_, _ float64, under color) color { return under.scale(0.4) }},
		{coverage: body.plane, opacity: 0.97, paint: func(x, y float64, _ color) color {
			lit := ((x-middle.x)*lightX + (y-middle.y)*lightY) / particle.radius
			return c.scale(1 + 0.2*lit + 0.2*grain.at(x*70, y*70))
		}},
	}
}

// wrinkle is a fold: a ridge that is bright on one side and dark on the other.
func wrinkle(r *rand.Rand, g ground) []layer {
	from := g.anchor(r, 0.06)
	bend := between(r, -0.08, 0.08)
	line := walk(from, between(r, 0, 2*math.Pi), between(r, 0.2, 0.5), 20, func() float64 { return bend + between(r, -0.05, 0.05) })
	width := between(r, 0.01, 0.03)
	bright, dark := newBrush(g.view), newBrush(g.view)
	bright.stroke(shifted(line, 0.4*width*lightX, 0.4*width*lightY), tapered(width))
	dark.stroke(shifted(line, -0.4*width*lightX, -0.4*width*lightY), tapered(width))
	deep := between(r, 0.3, 0.6)
	return []layer{
		{coverage: bright.plane, opacity: deep, paint: func(_, _ float64, under color) color { return under.mix(grey(1), 0.8) }},
		{coverage: dark.plane, opacity: deep + 0.2, paint: func(_, _ float64, under color) color { return under.scale(0.3) }},
	}
}

// displaced is a patch in which the pattern is shifted and turned: a wrong weave, a bad
// repair, a misprint.
func displaced(r *rand.Rand, g ground) []layer {
	middle := g.anchor(r, 0.07)
	b := newBrush(g.view)
	b.fill(newBlob(r, middle, between(r, 0.05, 0.13), between(r, 0, 0.2), 1), 0.003)
	sin, cos := math.Sincos(between(r, 0.4, 2.7))
	zoom := between(r, 0.6, 1.7)
	shift := point{between(r, -0.2, 0.2), between(r, -0.2, 0.2)}
	tone := math.Pow(contrary(r, g, middle), 0.4) // on a surface without a pattern the patch has another shade
	return []layer{{coverage: b.plane, opacity: 1, paint: func(x, y float64, _ color) color {
		x, y = (x-middle.x)*zoom, (y-middle.y)*zoom
		return g.scene.color(middle.x+shift.x+x*cos+y*sin, middle.y+shift.y+y*cos-x*sin).scale(tone)
	}}}
}

// gouge is a wide furrow with a raised bright lip.
func gouge(r *rand.Rand, g ground) []layer {
	from := g.anchor(r, 0.06)
	bend := between(r, -0.05, 0.05)
	line := walk(from, between(r, 0, 2*math.Pi), between(r, 0.1, 0.3), 14, func() float64 { return bend + between(r, -0.03, 0.03) })
	width := between(r, 0.015, 0.04)
	lip, furrow := newBrush(g.view), newBrush(g.view)
	lip.stroke(shifted(line, -0.35*width*lightX, -0.35*width*lightY), tapered(1.3*width))
	furrow.stroke(line, tapered(width))
	grain, tone := newField(r), between(r, 0.25, 0.6)
	return []layer{
		{coverage: lip.plane, opacity: 0.6, paint: func(_, _ float64, under color) color { return under.mix(grey(1), 0.6) }},
		{coverage: furrow.plane, opacity: 0.95, paint: func(x, y float64, under color) color { return under.scale(tone + 0.15*grain.at(x*80, y*80)) }},
	}
}

// burn is a scorched area: dark and brown in the middle, fading outward.
func burn(r *rand.Rand, g ground) []layer {
	middle := g.anchor(r, 0.07)
	area := newBlob(r, middle, between(r, 0.05, 0.12), between(r, 0.1, 0.3), 1.4)
	b := newBrush(g.view)
	b.fill(area, 0.04)
	brown := hsv(between(r, 0.02, 0.1), between(r, 0.3, 0.7), between(r, 0.15, 0.35))
	return []layer{{coverage: b.plane, opacity: between(r, 0.7, 0.95), paint: func(x, y float64, under color) color {
		return under.mix(brown, ramp(0, 0.8, area.depth(x, y)/area.radius+0.25))
	}}}
}

// bubble is a blister: a bright rim, a lit dome with a gloss.
func bubble(r *rand.Rand, g ground) []layer {
	middle := g.anchor(r, 0.06)
	dome := newBlob(r, middle, between(r, 0.025, 0.065), 0.04, 1)
	dome.long = between(r, 1, 1.2)
	b := newBrush(g.view)
	b.fill(dome, 0.003)
	strong := between(r, 0.5, 0.9)
	return []layer{{coverage: b.plane, opacity: 0.95, paint: func(x, y float64, under color) color {
		lit := ((x-middle.x)*lightX + (y-middle.y)*lightY) / dome.radius
		rim := ramp(0.25*dome.radius, 0, dome.depth(x, y))
		gloss := ramp(0.55, 0.85, lit) * (1 - rim)
		return under.scale(1+strong*0.5*lit-strong*0.7*rim).mix(grey(1), 0.9*gloss)
	}}}
}

// corrosion is a rough patch of rust or mould in many small flecks.
func corrosion(r *rand.Rand, g ground) []layer {
	middle := g.anchor(r, 0.06)
	area := newBlob(r, middle, between(r, 0.06, 0.14), 0.3, 1.2)
	b := newBrush(g.view)
	b.fill(area, 0.004)
	fleck, tint := newField(r), hsv(between(r, 0.02, 0.4), between(r, 0.3, 0.8), between(r, 0.2, 0.5))
	size := between(r, 40, 80)
	for i, cover := range b.plane {
		if cover > 0 {
			x, y := g.view.at(i)
			b.plane[i] = cover * ramp(-0.1, 0.35, fleck.sum(x*size, y*size, 2)+0.5*area.depth(x, y)/area.radius)
		}
	}
	return []layer{{coverage: b.plane, opacity: between(r, 0.7, 0.95), paint: func(x, y float64, under color) color {
		return tint.scale(1+0.4*fleck.at(x*120, y*120)).mix(under, 0.15)
	}}}
}

// slit is a clean straight cut that gapes a little.
func slit(r *rand.Rand, g ground) []layer {
	from := g.anchor(r, 0.06)
	line := walk(from, between(r, 0, 2*math.Pi), between(r, 0.12, 0.35), 12, func() float64 { return 0 })
	width := between(r, 0.008, 0.022)
	lens := func(t float64) float64 { return width * math.Sqrt(clamp(4*t*(1-t))) }
	edges, open := newBrush(g.view), newBrush(g.view)
	edges.stroke(shifted(line, 0.3*width*lightX, 0.3*width*lightY), func(t float64) float64 { return 1.5 * lens(t) })
	open.stroke(line, lens)
	dark := between(r, 0.02, 0.25)
	return []layer{
		{coverage: edges.plane, opacity: 0.4, paint: func(_, _ float64, under color) color { return under.mix(grey(1), 0.5) }},
		{coverage: open.plane, opacity: 0.97, paint: flat(grey(dark))},
	}
}

// swirl is a patch in which the pattern is twisted around its middle.
func swirl(r *rand.Rand, g ground) []layer {
	middle := g.anchor(r, 0.08)
	radius := between(r, 0.07, 0.14)
	b := newBrush(g.view)
	b.fill(blob{middle: middle, radius: radius, long: 1, cos: 1, outline: newField(r)}, 0.004)
	strong := math.Copysign(between(r, 2, 4), between(r, -1, 1))
	return []layer{{coverage: b.plane, opacity: 1, paint: func(x, y float64, _ color) color {
		x, y = x-middle.x, y-middle.y
		sin, cos := math.Sincos(strong * (1 - math.Hypot(x, y)/radius))
		return g.scene.color(middle.x+x*cos+y*sin, middle.y+y*cos-x*sin)
	}}}
}

// contrary returns a factor that brightens what is dark and darkens what is bright, or either
// in between.
func contrary(r *rand.Rand, g ground, p point) float64 {
	l := g.mean(p).luminance()
	if l > 0.65 || l > 0.25 && r.Float64() < 0.5 {
		return between(r, 0.4, 0.8)
	}
	return between(r, 1.3, 1.9)
}

// mean returns the average color around a point.
func (g ground) mean(p point) color {
	var sum color
	const n = 4
	for i := range n {
		for j := range n {
			c := g.scene.color(p.x+0.03*(float64(i)-1.5), p.y+0.03*(float64(j)-1.5))
			sum.r, sum.g, sum.b = sum.r+c.r, sum.g+c.g, sum.b+c.b
		}
	}
	return sum.scale(1.0 / (n * n))
}
