package synth

import (
	"math"
	"math/rand/v2"
)

// plain is a surface of one material: cast, moulded, painted.
func plain(class *rand.Rand) func(*rand.Rand, float64) pattern {
	base, fine := material(class), newFinish(class)
	return func(r *rand.Rand, px float64) pattern {
		base, tone := base.jitter(r, 0.05), fine.on(r)
		return func(u, v float64) color { return base.scale(tone(u, v)) }
	}
}

// lined is a surface with fine lines of irregular strength: rolled, ground, brushed.
func lined(class *rand.Rand) func(*rand.Rand, float64) pattern {
	base := material(class)
	lines, depth, run := between(class, 40, 160), between(class, 0.06, 0.2), between(class, 1, 9)
	return func(r *rand.Rand, px float64) pattern {
		base, fine, broad := base.jitter(r, 0.05), newField(r), newField(r)
		return func(u, v float64) color {
			return base.scale(1 + depth*(0.6*fine.at(u*run, v*lines)+0.5*fine.at(u*run*0.6+40, v*lines*0.37)) + 0.05*broad.at(u*3, v*3))
		}
	}
}

// timber is a board: rings, fibers, now and then a knot.
func timber(class *rand.Rand) func(*rand.Rand, float64) pattern {
	early := hsv(between(class, 0.05, 0.12), between(class, 0.2, 0.6), between(class, 0.4, 0.9))
	late := early.scale(between(class, 0.5, 0.8))
	rings, bent, fine, knots := between(class, 5, 16), between(class, 0.03, 0.14), between(class, 0.03, 0.1), class.Float64()*0.7
	return func(r *rand.Rand, px float64) pattern {
		early, late, warp, fiber := early.jitter(r, 0.05), late.jitter(r, 0.05), newField(r), newField(r)
		type knot struct{ x, y, size float64 }
		var all []knot
		for range 3 {
			if r.Float64() < knots {
				all = append(all, knot{between(r, -0.6, 0.6), between(r, -0.6, 0.6), between(r, 0.015, 0.05)})
			}
		}
		return func(u, v float64) color {
			t, dark := u+bent*warp.sum(u*1.3, v*0.6, 2), 0.0
			for _, k := range all {
				x, y := (u-k.x)/k.size, (v-k.y)/k.size/1.7
				near := math.Exp(-(x*x + y*y) / 4)
				t += near * k.size * x * 0.8
				dark = max(dark, ramp(1.2, 0.7, math.Sqrt(x*x+y*y)))
			}
			f := wrap(rings*t) + 0.5
			c := early.mix(late, ramp(0.1, 0.9, f)*ramp(1, 0.93, f))
			c = c.mix(late.scale(0.7), 0.8*dark)
			return c.scale(1 + fine*fiber.at(u*160, v*7) + fine*fiber.at(u*60+20, v*3))
		}
	}
}

// terrazzo is a ground with chips of several colors and sizes.
func terrazzo(class *rand.Rand) func(*rand.Rand, float64) pattern {
	base, density := material(class), between(class, 7, 34)
	var chips []color
	for range 2 + class.IntN(4) {
		chips = append(chips, partner(class, base))
	}
	second := class.Float64() < 0.5
	return func(r *rand.Rand, px float64) pattern {
		base, coarse, fine, grain := base.jitter(r, 0.04), newField(r), newField(r), newField(r)
		return func(u, v float64) color {
			c := base.scale(1 + 0.04*grain.at(u*110, v*110))
			if second {
				c = chip(c, chips, fine, u*density*2.3, v*density*2.3, density*2.3*px)
			}
			return chip(c, chips, coarse, u*density, v*density, density*px)
		}
	}
}

// veined is polished stone with veins.
func veined(class *rand.Rand) func(*rand.Rand, float64) pattern {
	base, size, thin := material(class), between(class, 1.5, 5), between(class, 0.08, 0.3)
	vein, strong, cloudy := partner(class, base), between(class, 0.4, 0.9), between(class, 0.03, 0.15)
	return func(r *rand.Rand, px float64) pattern {
		base, bend, line, cloud := base.jitter(r, 0.04), newField(r), newField(r), newField(r)
		return func(u, v float64) color {
			x, y := u*size+0.5*bend.at(u*size*1.3, v*size*1.3), v*size+0.5*bend.at(u*size*1.3+60, v*size*1.3)
			t := math.Abs(line.sum(x, y, 2))
			return base.scale(1+cloudy*cloud.sum(u*4, v*4, 2)).mix(vein, strong*ramp(thin, 0, t))
		}
	}
}

// pebbled is a surface of small raised cells: leather, orange peel, hammered paint.
func pebbled(class *rand.Rand) func(*rand.Rand, float64) pattern {
	base, size, crease, lift := material(class), between(class, 12, 42), between(class, 0.2, 0.5), between(class, 0.05, 0.3)
	return func(r *rand.Rand, px float64) pattern {
		base, cell, cloud := base.jitter(r, 0.05), newField(r), newField(r)
		visible := fades(size, px)
		return func(u, v float64) color {
			first, second, i, j := cell.cells(u*size, v*size)
			shade := 1 - crease*ramp(0.25, 0, second-first) + lift*(0.35-first) + 0.1*(cell.cell(i, j+900)-0.5)
			return base.scale(lerp(0.9, shade, visible) * (1 + 0.04*cloud.sum(u*4, v*4, 2)))
		}
	}
}

// gravel is loose grains of several tones, each lit from one side.
func gravel(class *rand.Rand) func(*rand.Rand, float64) pattern {
	base, size, vary := material(class), between(class, 9, 36), between(class, 0.15, 0.6)
	second := partner(class, base)
	return func(r *rand.Rand, px float64) pattern {
		base, cell, grain := base.jitter(r, 0.05), newField(r), newField(r)
		return func(u, v float64) color {
			first, next, i, j := cell.cells(u*size, v*size)
			c := base.mix(second, 0.6*cell.cell(i+40, j)).scale(1 + vary*(cell.cell(i, j+90)-0.5))
			return c.scale((1 - 0.7*first*first) * (0.55 + 0.45*ramp(0, 0.2, next-first)) * (1 + 0.05*grain.at(u*120, v*120)))
		}
	}
}

// felt is matted fibers in many directions.
func felt(class *rand.Rand) func(*rand.Rand, float64) pattern {
	base, size, deep := material(class), between(class, 30, 80), between(class, 0.07, 0.22)
	turns := [3]float64{class.Float64() * math.Pi, class.Float64() * math.Pi, class.Float64() * math.Pi}
	return func(r *rand.Rand, px float64) pattern {
		base := base.jitter(r, 0.05)
		var fields [3]field
		var cos, sin [3]float64
		for i := range fields {
			fields[i] = newField(r)
			sin[i], cos[i] = math.Sincos(turns[i])
		}
		return func(u, v float64) color {
			t := 0.0
			for i, f := range fields {
				t += f.at((u*cos[i]+v*sin[i])*size*0.16, (v*cos[i]-u*sin[i])*size)
			}
			return base.scale(1 + deep*t)
		}
	}
}

// crumpled is foil or paper with facets.
func crumpled(class *rand.Rand) func(*rand.Rand, float64) pattern {
	base, size, deep := material(class), between(class, 4, 11), between(class, 0.15, 0.45)
	return func(r *rand.Rand, px float64) pattern {
		base, cell, bend := base.jitter(r, 0.05), newField(r), newField(r)
		return func(u, v float64) color {
			first, second, i, j := cell.cells(u*size+0.4*bend.at(u*9, v*9), v*size+0.4*bend.at(u*9+20, v*9))
			shade := deep * (cell.cell(i, j+70) - 0.5 + 0.8*(cell.cell(i+70, j)-0.5)*first)
			return base.scale(1 + shade - 0.3*deep*ramp(0.08, 0, second-first))
		}
	}
}

// patina is patches of two tones that run into each other.
func patina(class *rand.Rand) func(*rand.Rand, float64) pattern {
	first, size, wide := material(class), between(class, 3, 9), between(class, 0.2, 0.8)
	second, fine := partner(class, first), newFinish(class)
	return func(r *rand.Rand, px float64) pattern {
		tone, patch, level := fine.on(r), newField(r), between(r, -0.2, 0.2)
		return func(u, v float64) color {
			return first.mix(second, 0.8*ramp(level-wide, level+wide, patch.sum(u*size, v*size, 3))).scale(tone(u, v))
		}
	}
}

// porous is cast stone or foam with many small pores.
func porous(class *rand.Rand) func(*rand.Rand, float64) pattern {
	base, n, dark, fine := material(class), between(class, 14, 45), between(class, 0.25, 0.7), newFinish(class)
	return func(r *rand.Rand, px float64) pattern {
		base, tone, cell := base.jitter(r, 0.05), fine.on(r), newField(r)
		return func(u, v float64) color {
			first, _, i, j := cell.cells(u*n, v*n)
			radius := 0.34 * cell.cell(i, j+33) * cell.cell(i+33, j)
			return base.scale(1 - dark*soft(radius-first, n, px)).scale(tone(u, v))
		}
	}
}

// rippled is wind-blown or poured: bent waves.
func rippled(class *rand.Rand) func(*rand.Rand, float64) pattern {
	base, n, bent, deep, fine := material(class), between(class, 5, 15), between(class, 0.1, 0.4), between(class, 0.08, 0.25), newFinish(class)
	return func(r *rand.Rand, px float64) pattern {
		base, tone, bend := base.jitter(r, 0.05), fine.on(r), newField(r)
		return func(u, v float64) color {
			t := v + bent*0.3*bend.sum(u*3, v*3, 2)
			return base.scale((1 + deep*math.Sin(2*math.Pi*n*t)) * tone(u, v))
		}
	}
}
