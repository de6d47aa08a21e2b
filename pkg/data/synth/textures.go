package synth

import (
	"math"
	"math/rand/v2"
)

// woven is a plain weave: warp and weft threads alternate on top.
func woven(r *rand.Rand, px float64) scene {
	p := newPose(r, 0.5, 0.06, 0.08)
	threads := between(r, 22, 26)
	strands := 0.12 * ramp(0.45, 0.25, 2.2*threads*px) // none if pixels are too coarse to show them
	warp, weft := rgb(206, 188, 152).jitter(r, 0.05), rgb(160, 146, 124).jitter(r, 0.05)
	wave, fiber, batch := newField(r), newField(r), newField(r)
	return scene{color: func(x, y float64) color {
		u, v := p.at(x, y)
		a := threads*u + 0.18*wave.at(u*5, v*5)
		b := threads*v + 0.18*wave.at(u*5+40, v*5)
		i, j := math.Floor(a), math.Floor(b)
		across, along, c, number := a-i-0.5, b-j-0.5, warp, int(i)
		if (int(i)+int(j))&1 != 0 { // the weft is on top
			across, along, c, number = along, across, weft, int(j)+10000
		}
		round := 1 - 1.9*across*across                                     // a thread is round ...
		bend := 1 - 1.6*along*along                                        // ... and dives under its neighbours
		gap := lerp(0.6, 1, ramp(0.5, 0.4, math.Abs(across)))              // between two threads it is dark
		twist := 1 + strands*math.Sin(2*math.Pi*(1.6*across+2.2*along))    // each is spun of strands,
		tone := 0.9 + 0.2*batch.cell(number, 7)                            // no two are alike,
		fuzz := 1 + 0.07*fiber.at(a*5, b*5) + 0.04*wave.sum(u*2+9, v*2, 2) // and cloth is never even
		return c.scale(round * bend * gap * twist * tone * fuzz)
	}}
}

// wood is a planed board: rings along y, fibers and pores.
func wood(r *rand.Rand, px float64) scene {
	p := newPose(r, 0.5, 0.05, 0.1)
	rings := between(r, 8, 12)
	early, late := rgb(205, 160, 108).jitter(r, 0.06), rgb(142, 92, 52).jitter(r, 0.06)
	warp, fiber, ring := newField(r), newField(r), newField(r)
	return scene{color: func(x, y float64) color {
		u, v := p.at(x, y)
		t := rings * (u + 0.09*warp.sum(u*1.4, v*0.7, 3))
		n := math.Floor(t)
		f := t - n
		dark := ramp(0.15, 0.9, f) * ramp(1, 0.93, f) * (0.45 + 0.5*ring.cell(int(n), 1))
		c := early.mix(late, dark)
		c = c.scale(1 + 0.05*fiber.at(u*170, v*7) + 0.04*fiber.at(u*70+30, v*2.5))
		pore := ramp(0.55, 0.95, fiber.at(u*230+60, v*13))
		return c.scale(1 - 0.35*pore)
	}}
}

// brushed is sheet metal with fine lines along x and a broad sheen.
func brushed(r *rand.Rand, px float64) scene {
	p := newPose(r, 0.5, 0.04, 0.1)
	base := rgb(158, 160, 164).jitter(r, 0.06)
	lines, sheen := newField(r), between(r, -0.3, 0.3)
	return scene{color: func(x, y float64) color {
		u, v := p.at(x, y)
		fine := 0.5*lines.at(u*3, v*210) + 0.35*lines.at(u*7+50, v*110) + 0.3*lines.at(u*1.5+90, v*45)
		s := v + 0.35*u - sheen
		return base.scale(1 + 0.14*fine + 0.16/(1+18*s*s))
	}}
}

// speckled is polished stone: chips of several colors in a lighter ground.
func speckled(r *rand.Rand, px float64) scene {
	p := newPose(r, 0.5, math.Pi, 0.1)
	ground := rgb(196, 191, 182).jitter(r, 0.04)
	chips := []color{rgb(92, 88, 86), rgb(150, 118, 92), rgb(228, 224, 216), rgb(122, 128, 132), rgb(168, 150, 128)}
	cloud, coarse, fine := newField(r), newField(r), newField(r)
	return scene{color: func(x, y float64) color {
		u, v := p.at(x, y)
		c := ground.scale(1 + 0.03*cloud.sum(u*4, v*4, 3) + 0.03*cloud.at(u*150, v*150))
		c = chip(c, chips, fine, u*34, v*34, 34*px)
		return chip(c, chips, coarse, u*12, v*12, 12*px)
	}}
}

// chip paints the nearest stone chip of a jittered lattice over the ground color. px
// is a pixel's size in lattice units.
func chip(ground color, chips []color, f field, u, v, px float64) color {
	i, j := int(math.Floor(u)), int(math.Floor(v))
	best, bestColor := -1.0, ground
	for m := i - 1; m <= i+1; m++ {
		for n := j - 1; n <= j+1; n++ {
			if f.cell(m, n) < 0.35 {
				continue // not every lattice cell has a chip
			}
			dx := u - float64(m) - 0.2 - 0.6*f.cell(m+1000, n)
			dy := v - float64(n) - 0.2 - 0.6*f.cell(m, n+1000)
			radius := 0.16 + 0.3*f.cell(m+2000, n)*f.cell(m, n+2000)
			squash := 0.6 + 0.4*f.cell(m+3000, n)
			ragged := 0.28 * radius * f.at(4*u+float64(m), 4*v)
			d := radius + ragged - math.Sqrt(dx*dx*squash+dy*dy/squash)
			if d > best {
				tone := 0.9 + 0.2*f.cell(m, n+3000)
				best, bestColor = d, chips[int(f.cell(m+4000, n)*float64(len(chips)))].scale(tone)
			}
		}
	}
	return ground.mix(bestColor, edge(best, px))
}

// tiles is a floor of square glazed tiles with grout between them.
func tiles(r *rand.Rand, px float64) scene {
	p := newPose(r, 0.5, 0.05, 0.08)
	across := between(r, 3.4, 4.2)
	glaze, grout := rgb(118, 140, 146).jitter(r, 0.08), rgb(186, 182, 172).jitter(r, 0.04)
	batch, vein := newField(r), newField(r)
	return scene{color: func(x, y float64) color {
		u, v := p.at(x, y)
		a, b := u*across, v*across
		i, j := math.Floor(a), math.Floor(b)
		fa, fb := a-i-0.5, b-j-0.5
		d := 0.47 - max(math.Abs(fa), math.Abs(fb)) // distance to the tile's border
		tone := 0.93 + 0.14*batch.cell(int(i), int(j))
		shift := 40 * batch.cell(int(i)+500, int(j)) // each tile has its own pattern
		cloud := vein.sum(u*7+shift, v*7, 4)
		c := glaze.scale(tone*(1+0.09*cloud)).mix(rgb(206, 214, 214), 0.3*ramp(0.12, 0, math.Abs(cloud-0.15)))
		bevel := ramp(0.05, 0, d)
		if math.Abs(fa) > math.Abs(fb) {
			c = c.scale(1 + 0.16*bevel*math.Copysign(lightX, lightX*fa))
		} else {
			c = c.scale(1 + 0.16*bevel*math.Copysign(lightY, lightY*fb))
		}
		joint := grout.scale(0.9 + 0.12*vein.at(u*90, v*90) + 0.08*vein.at(u*9, v*9))
		return joint.mix(c, edge(d, across*px))
	}}
}
