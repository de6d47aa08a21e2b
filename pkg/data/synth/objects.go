package synth

import (
	"math"
	"math/rand/v2"
)

// washer is a flat steel ring with lathe marks.
func washer(r *rand.Rand, px float64) scene {
	p := newPose(r, 0.03, math.Pi, 0.06)
	outer, inner := 0.37, between(r, 0.165, 0.18)
	steel := rgb(172, 174, 178).jitter(r, 0.06)
	turned, shine := newField(r), between(r, 0, math.Pi)
	sin, cos := math.Sincos(shine)
	inside := func(x, y float64) float64 {
		u, v := p.at(x, y)
		d := math.Sqrt(u*u + v*v)
		return min(outer-d, d-inner)
	}
	return table(r, rgb(52, 58, 68), px, inside, func(x, y float64) color {
		u, v := p.at(x, y)
		d := math.Sqrt(u*u+v*v) + 1e-9
		toward := (u*cos + v*sin) / d
		sheen := toward * toward * toward * toward
		c := steel.scale(0.78 + 0.34*sheen + 0.07*turned.at(d*150, 3) + 0.04*turned.at(u*60, v*60))
		lit := ((x-p.x)*lightX + (y-p.y)*lightY) / d / p.scale
		c = c.scale(1 + 0.35*lit*ramp(0.022, 0, outer-d))    // the outer edge faces outward,
		return c.scale(1 - 0.35*lit*ramp(0.016, 0, d-inner)) // the inner one inward
	})
}

// gear is a brass spur gear with a keyed bore and five round windows.
func gear(r *rand.Rand, px float64) scene {
	p := newPose(r, 0.03, math.Pi, 0.05)
	const teeth, root, height, bore = 20, 0.325, 0.055, 0.075
	brass := rgb(196, 160, 88).jitter(r, 0.06)
	turned := newField(r)
	windows := make([][2]float64, 5)
	for i := range windows {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / 5)
		windows[i] = [2]float64{0.19 * cos, 0.19 * sin}
	}
	inside := func(x, y float64) float64 {
		u, v := p.at(x, y)
		d := math.Sqrt(u*u + v*v)
		turn := math.Atan2(v, u) * teeth / (2 * math.Pi)
		flank := math.Abs(2*(turn-math.Floor(turn)) - 1) // 1 at the centre of a gap, 0 at the centre of a tooth
		depth := 0.75 * (root + height*ramp(0.62, 0.38, flank) - d)
		depth = min(depth, d-bore, max(v, math.Abs(u)-0.02, -0.105-v)) // bore and keyway
		for _, w := range windows {
			depth = min(depth, math.Sqrt((u-w[0])*(u-w[0])+(v-w[1])*(v-w[1]))-0.047)
		}
		return depth
	}
	return table(r, rgb(92, 98, 104), px, inside, func(x, y float64) color {
		u, v := p.at(x, y)
		d := math.Sqrt(u*u+v*v) + 1e-9
		lit := ((x-p.x)*lightX + (y-p.y)*lightY) / d / p.scale
		c := brass.scale(0.86 + 0.08*turned.at(d*130, 5) + 0.04*turned.sum(u*20, v*20, 2) + 0.1*lit)
		c = c.scale(1 - 0.22*ramp(0.292, 0.284, d)*ramp(0.112, 0.12, d)) // the web is lower than rim and hub
		c = c.scale(1 + 0.3*lit*ramp(0.01, 0, math.Abs(d-0.118)) - 0.3*lit*ramp(0.01, 0, math.Abs(d-0.288)))
		return c.scale(1 - 0.3*ramp(0.014, 0, inside(x, y)))
	})
}

// gelCapsule is a medicine capsule of two colors.
func gelCapsule(r *rand.Rand, px float64) scene {
	p := newPose(r, 0.04, 0.5, 0.06)
	const radius, half = 0.135, 0.2
	body, cap := rgb(238, 226, 200).jitter(r, 0.04), rgb(40, 92, 158).jitter(r, 0.08)
	seam := between(r, -0.03, 0.03)
	cloud := newField(r)
	inside := func(x, y float64) float64 {
		u, v := p.at(x, y)
		wide := radius
		if u > seam {
			wide += 0.006 // the cap is pushed over the body
		}
		along := max(math.Abs(u)-half, 0)
		return wide - math.Sqrt(along*along+v*v)
	}
	return table(r, rgb(206, 208, 206), px, inside, func(x, y float64) color {
		u, v := p.at(x, y)
		c := body.mix(cap, edge(u-seam, px))
		along := max(math.Abs(u)-half, 0)
		out := clamp(math.Sqrt(along*along+v*v) / radius)
		c = c.scale(0.52 + 0.5*math.Sqrt(1-out*out*0.96) + 0.02*cloud.sum(u*9, v*9, 2))
		ends := ramp(half+0.07, half-0.05, math.Abs(u))
		gloss := v + 0.06
		c = c.mix(grey(1), 0.6*ends/(1+2600*gloss*gloss)) // the reflection of a window along the capsule
		glow := v - 0.095
		c = c.scale(1 + 0.16*ends/(1+1500*glow*glow))
		return c.scale(1 - 0.35*ramp(0.008, 0, math.Abs(u-seam))*ramp(0.005, 0, u-seam))
	})
}

// button is a round button with a raised rim and four holes.
func button(r *rand.Rand, px float64) scene {
	p := newPose(r, 0.03, math.Pi, 0.06)
	const outer, rim, hole, off = 0.35, 0.275, 0.036, 0.072
	shell := rgb(74, 134, 126).jitter(r, 0.08)
	swirl := newField(r)
	holes := func(u, v float64) float64 {
		a, b := math.Abs(u)-off, math.Abs(v)-off
		return math.Sqrt(a*a+b*b) - hole
	}
	inside := func(x, y float64) float64 {
		u, v := p.at(x, y)
		return min(outer-math.Sqrt(u*u+v*v), holes(u, v))
	}
	return table(r, rgb(214, 204, 188), px, inside, func(x, y float64) color {
		u, v := p.at(x, y)
		d := math.Sqrt(u*u+v*v) + 1e-9
		pearl := swirl.sum(u*4+1.5*swirl.at(u*3, v*3), v*4+1.5*swirl.at(u*3+20, v*3), 3)
		c := shell.scale(1 + 0.12*pearl)
		lit := ((x-p.x)*lightX + (y-p.y)*lightY) / d / p.scale
		slope := ramp(outer-0.04, outer, d) - 0.9*ramp(0.018, 0, math.Abs(d-rim)) // slopes down outward, up to the rim
		c = c.scale(1 + 0.5*lit*slope)
		crest := d - 0.312
		c = c.mix(grey(1), 0.4*clamp(lit)*clamp(lit)/(1+9000*crest*crest))
		return c.scale(1 - 0.3*ramp(0.02, 0, holes(u, v)))
	})
}

// hexBolt is the head of a flanged hex bolt, seen from above.
func hexBolt(r *rand.Rand, px float64) scene {
	p := newPose(r, 0.03, math.Pi, 0.05)
	const flange, hex, chamfer = 0.38, 0.255, 0.262
	zinc := rgb(160, 158, 146).jitter(r, 0.06)
	rough, turned := newField(r), newField(r)
	inside := func(x, y float64) float64 {
		u, v := p.at(x, y)
		return flange - math.Sqrt(u*u+v*v)
	}
	hexagon := func(u, v float64) float64 { // distance to the hexagon's nearest side, positive inside
		a, b := math.Abs(u), math.Abs(v)
		return hex - max(b, 0.5*b+0.8660254037844386*a)
	}
	return table(r, rgb(104, 92, 82), px, inside, func(x, y float64) color {
		u, v := p.at(x, y)
		d := math.Sqrt(u*u+v*v) + 1e-9
		lit := ((x-p.x)*lightX + (y-p.y)*lightY) / d / p.scale
		grain := 1 + 0.05*rough.sum(u*40, v*40, 2)
		// The flange slopes outward and is in the head's shadow on one side.
		low := zinc.scale(grain * (0.74 + 0.16*lit + 0.2*lit*ramp(0.03, 0, flange-d)))
		su, sv := p.at(x+0.02*lightX, y+0.02*lightY)
		low = low.scale(1 - 0.4*ramp(-0.02, 0.02, hexagon(su, sv)))
		top := zinc.scale(grain * (1.08 + 0.05*turned.at(d*110, 2) + 0.06*lit))
		corner := zinc.scale(grain * (0.86 + 0.3*lit))
		head := corner.mix(top, edge(chamfer-0.03-d, 0.01))
		// Three raised lines mark the bolt's grade.
		for i := range 3 {
			sin, cos := math.Sincos(2 * math.Pi * float64(i) / 3)
			along, side := u*cos+v*sin, v*cos-u*sin
			line := ramp(0.016, 0.008, math.Abs(side)) * ramp(0.1, 0.11, along) * ramp(0.2, 0.19, along)
			head = head.scale(1 - 0.3*line)
		}
		h := hexagon(u, v)
		head = head.scale(1 - 0.3*ramp(0.01, 0, h))
		return low.mix(head, edge(h, px))
	})
}
