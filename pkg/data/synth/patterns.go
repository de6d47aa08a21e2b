package synth

import (
	"math"
	"math/rand/v2"
)

// cloth is a weave; step is how the crossings move from thread to thread.
func cloth(class *rand.Rand) func(*rand.Rand, float64) pattern {
	warp := material(class)
	weft := warp
	if class.Float64() < 0.6 {
		weft = partner(class, warp)
	}
	threads, repeat, fluff := between(class, 12, 38), 2+class.IntN(3), between(class, 0.03, 0.14)
	return func(r *rand.Rand, px float64) pattern {
		warp, weft, wave, fuzz, batch := warp.jitter(r, 0.04), weft.jitter(r, 0.04), newField(r), newField(r), newField(r)
		visible := fades(threads, px)
		return func(u, v float64) color {
			a, b := threads*u+0.2*wave.at(u*4, v*4), threads*v+0.2*wave.at(u*4+50, v*4)
			i, j := int(math.Floor(a)), int(math.Floor(b))
			across, along, c, number := wrap(a), wrap(b), warp, i
			if ((i+j)%repeat+repeat)%repeat != 0 {
				across, along, c, number = along, across, weft, j+10000
			}
			shade := (1 - 1.6*across*across) * (1 - 1.2*along*along)
			return c.scale(lerp(0.8, shade, visible) * (0.93 + 0.14*batch.cell(number, 3)) * (1 + fluff*fuzz.at(a*4, b*4)))
		}
	}
}

// knit is rows of loops.
func knit(class *rand.Rand) func(*rand.Rand, float64) pattern {
	yarn, rows, slope, fluff := material(class), between(class, 10, 24), between(class, 0.5, 1), between(class, 0.04, 0.12)
	return func(r *rand.Rand, px float64) pattern {
		yarn, fuzz, wave := yarn.jitter(r, 0.05), newField(r), newField(r)
		visible := fades(rows, px)
		return func(u, v float64) color {
			column := wrap(u*rows + 0.1*wave.at(u*4, v*4))
			row := wrap(v*rows*0.9 + slope*math.Abs(column)*2 + 0.1*wave.at(u*4+30, v*4))
			shade := (1 - 2.2*row*row) * (0.7 + 0.3*ramp(0.02, 0.12, math.Abs(column))) * (0.8 + 0.2*ramp(0.5, 0.38, math.Abs(column)))
			return yarn.scale(lerp(0.75, shade, visible) * (1 + fluff*fuzz.at(u*90, v*90)))
		}
	}
}

// bricks are rows of rectangles with joints, shifted from row to row.
func bricks(class *rand.Rand) func(*rand.Rand, float64) pattern {
	stone, long, rows, joint := material(class), between(class, 1, 3), between(class, 4, 12), between(class, 0.02, 0.08)
	mortar, shift, vary, fine := partner(class, stone), class.Float64()*0.5, between(class, 0.02, 0.2), newFinish(class)
	return func(r *rand.Rand, px float64) pattern {
		stone, mortar, tone, batch := stone.jitter(r, 0.05), mortar.jitter(r, 0.04), fine.on(r), newField(r)
		return func(u, v float64) color {
			b := v * rows
			row := math.Floor(b)
			a := u*rows/long + shift*row
			x, y := math.Abs(wrap(a)), math.Abs(wrap(b))
			d := min((0.5-x)*long, 0.5-y) - joint
			c := stone.scale(1 + vary*(batch.cell(int(math.Floor(a)), int(row))-0.5))
			return mortar.mix(c, soft(d, rows, px)).scale(tone(u, v))
		}
	}
}

// hexagonCell returns the distance to the border of a hexagonal tiling of cells one unit
// wide, positive inside, and the cell.
func hexagonCell(u, v float64) (d float64, i, j int) {
	const tall = 1.7320508075688772
	ax, ay := u-math.Floor(u)-0.5, v/tall-math.Floor(v/tall)-0.5
	bx, by := u+0.5-math.Floor(u+0.5)-0.5, v/tall+0.5-math.Floor(v/tall+0.5)-0.5
	i, j = int(math.Floor(u)), 2*int(math.Floor(v/tall))
	if ax*ax+ay*ay*3 > bx*bx+by*by*3 {
		ax, ay, i, j = bx, by, int(math.Floor(u+0.5))+5000, 2*int(math.Floor(v/tall+0.5))+1
	}
	x, y := math.Abs(ax), math.Abs(ay*tall)
	return 0.5 - max(x, 0.5*x+0.8660254037844386*y), i, j
}

// hexagons is a floor of hexagonal tiles.
func hexagons(class *rand.Rand) func(*rand.Rand, float64) pattern {
	tile, across, joint, vary := material(class), between(class, 4, 11), between(class, 0.02, 0.07), between(class, 0.02, 0.25)
	grout, fine := partner(class, tile), newFinish(class)
	return func(r *rand.Rand, px float64) pattern {
		tile, grout, tone, batch := tile.jitter(r, 0.05), grout.jitter(r, 0.04), fine.on(r), newField(r)
		return func(u, v float64) color {
			d, i, j := hexagonCell(u*across, v*across)
			return grout.mix(tile.scale(1+vary*(batch.cell(i, j)-0.5)), soft(d-joint, across, px)).scale(tone(u, v))
		}
	}
}

// honeycomb is a lattice of thin walls around dark cells.
func honeycomb(class *rand.Rand) func(*rand.Rand, float64) pattern {
	wall, across, thick := material(class), between(class, 7, 15), between(class, 0.06, 0.13)
	deep, fine := wall.scale(between(class, 0.2, 0.5)), newFinish(class)
	return func(r *rand.Rand, px float64) pattern {
		wall, tone, wave := wall.jitter(r, 0.05), fine.on(r), newField(r)
		return func(u, v float64) color {
			d, _, _ := hexagonCell(u*across+0.15*wave.at(u*3, v*3), v*across+0.15*wave.at(u*3+20, v*3))
			return wall.mix(deep, soft(d-thick, across, px)).scale(tone(u, v))
		}
	}
}

// pierced is a plate with a lattice of round or square openings.
func pierced(class *rand.Rand) func(*rand.Rand, float64) pattern {
	plate, across, open := material(class), between(class, 5, 18), between(class, 0.18, 0.36)
	behind, fine, square, offset := plate.scale(between(class, 0.1, 0.4)), newFinish(class), class.Float64() < 0.3, 0.5*float64(class.IntN(2))
	return func(r *rand.Rand, px float64) pattern {
		plate, tone := plate.jitter(r, 0.05), fine.on(r)
		return func(u, v float64) color {
			b := v * across
			x, y := wrap(u*across+offset*math.Floor(b)), wrap(b)
			d := open - math.Sqrt(x*x+y*y)
			if square {
				d = open - max(math.Abs(x), math.Abs(y))
			}
			lit := 1 + 0.25*ramp(0.08, 0, math.Abs(d))*(x*lightX+y*lightY)/(open+0.01)
			return plate.scale(lit).mix(behind, soft(d, across, px)).scale(tone(u, v))
		}
	}
}

// grille is bars or wires that cross over a dark or bright ground.
func grille(class *rand.Rand) func(*rand.Rand, float64) pattern {
	bar, across, thick := material(class), between(class, 5, 16), between(class, 0.1, 0.25)
	ground, ratio, fine := partner(class, bar), between(class, 0.6, 1.7), newFinish(class)
	return func(r *rand.Rand, px float64) pattern {
		bar, ground, tone := bar.jitter(r, 0.05), ground.jitter(r, 0.05), fine.on(r)
		return func(u, v float64) color {
			x, y := math.Abs(wrap(u*across)), math.Abs(wrap(v*across*ratio))
			c := ground.mix(bar.scale(1-1.2*y*y/(thick*thick)*0.3), soft(thick-y, across, px))
			return c.mix(bar.scale(1-0.3*x*x/(thick*thick)), soft(thick-x, across, px)).scale(tone(u, v))
		}
	}
}

// striped is printed or woven stripes of two or three colors.
func striped(class *rand.Rand) func(*rand.Rand, float64) pattern {
	first, n, share, fine := material(class), between(class, 3, 14), between(class, 0.25, 0.7), newFinish(class)
	second := partner(class, first)
	third, pin := partner(class, second), class.Float64() < 0.4
	return func(r *rand.Rand, px float64) pattern {
		tone, wave := fine.on(r), newField(r)
		return func(u, v float64) color {
			t := wrap(u*n + 0.06*wave.at(u*3, v*3))
			c := first.mix(second, soft(share/2-math.Abs(t), n, px))
			if pin {
				c = c.mix(third, soft(0.04-math.Abs(math.Abs(t)-0.4), n, px))
			}
			return c.scale(tone(u, v))
		}
	}
}

// dotted is a print of dots.
func dotted(class *rand.Rand) func(*rand.Rand, float64) pattern {
	base, n, size, fine := material(class), between(class, 5, 14), between(class, 0.12, 0.32), newFinish(class)
	dot, offset := partner(class, base), 0.5*float64(class.IntN(2))
	return func(r *rand.Rand, px float64) pattern {
		tone := fine.on(r)
		return func(u, v float64) color {
			b := v * n
			x, y := wrap(u*n+offset*math.Floor(b)), wrap(b)
			return base.mix(dot, soft(size-math.Sqrt(x*x+y*y), n, px)).scale(tone(u, v))
		}
	}
}

// checked is a plaid: bands that cross and mix.
func checked(class *rand.Rand) func(*rand.Rand, float64) pattern {
	base, n, share, fine := material(class), between(class, 2.5, 9), between(class, 0.2, 0.55), newFinish(class)
	band, strong := partner(class, base), between(class, 0.4, 0.9)
	return func(r *rand.Rand, px float64) pattern {
		tone := fine.on(r)
		return func(u, v float64) color {
			x, y := soft(share/2-math.Abs(wrap(u*n)), n, px), soft(share/2-math.Abs(wrap(v*n)), n, px)
			return base.mix(band, strong*(x+y)/2).scale(tone(u, v))
		}
	}
}

// tread is a plate with raised lozenges in turn.
func tread(class *rand.Rand) func(*rand.Rand, float64) pattern {
	base, n, long, lift, fine := material(class), between(class, 5, 11), between(class, 0.3, 0.42), between(class, 0.2, 0.5), newFinish(class)
	return func(r *rand.Rand, px float64) pattern {
		base, tone := base.jitter(r, 0.05), fine.on(r)
		return func(u, v float64) color {
			i, j := int(math.Floor(u*n)), int(math.Floor(v*n))
			x, y := wrap(u*n), wrap(v*n)
			a, b := (x+y)*math.Sqrt2/2, (x-y)*math.Sqrt2/2
			if (i+j)&1 != 0 {
				a, b = b, a
			}
			d := 1 - math.Hypot(a/long, b/0.13)
			lit := ramp(0.5, 0, d) * soft(d*0.13, n, px) * (x*lightX + y*lightY) / 0.3
			return base.scale(1 + 0.12*soft(d*0.13, n, px) + lift*lit).scale(tone(u, v))
		}
	}
}

// ribbed is corrugated: sheet, cord, ridged rubber.
func ribbed(class *rand.Rand) func(*rand.Rand, float64) pattern {
	base, n, deep, fine := material(class), between(class, 5, 26), between(class, 0.1, 0.4), newFinish(class)
	sharp := between(class, 0, 1)
	return func(r *rand.Rand, px float64) pattern {
		base, tone := base.jitter(r, 0.05), fine.on(r)
		visible := deep * fades(n, px)
		return func(u, v float64) color {
			s := math.Sin(2 * math.Pi * n * u)
			s = lerp(s, math.Copysign(math.Sqrt(math.Abs(s)), s), sharp)
			return base.scale((1 + visible*s) * tone(u, v))
		}
	}
}

// traced is a board with conductor lines and pads.
func traced(class *rand.Rand) func(*rand.Rand, float64) pattern {
	board, n, thick, fine := material(class), between(class, 7, 15), between(class, 0.08, 0.17), newFinish(class)
	metal, pads, layout := partner(class, board), between(class, 0.15, 0.5), newField(class)
	return func(r *rand.Rand, px float64) pattern {
		board, metal, tone := board.jitter(r, 0.05), metal.jitter(r, 0.05), fine.on(r)
		return func(u, v float64) color {
			a, b := u*n, v*n
			i, j := int(math.Floor(a)), int(math.Floor(b))
			x, y := wrap(a), wrap(b)
			d := -1.0
			if layout.cell(i, j) < 0.55 {
				d = thick - math.Abs(y) // runs on along the row
			}
			if layout.cell(i+300, j) < 0.45 {
				d = max(d, thick-math.Abs(x))
			}
			if layout.cell(i, j+300) < pads {
				d = max(d, 0.3-math.Sqrt(x*x+y*y))
				d = min(d, math.Sqrt(x*x+y*y)-0.12)
			}
			return board.mix(metal, soft(d, n, px)).scale(tone(u, v))
		}
	}
}

// zigzag is a herringbone of two tones.
func zigzag(class *rand.Rand) func(*rand.Rand, float64) pattern {
	first, n, m, fine := material(class), between(class, 3, 8), between(class, 5, 16), newFinish(class)
	second, share := partner(class, first), between(class, 0.3, 0.6)
	return func(r *rand.Rand, px float64) pattern {
		tone := fine.on(r)
		return func(u, v float64) color {
			t := wrap(v*m + 1.6*math.Abs(wrap(u*n)))
			return first.mix(second, soft(share/2-math.Abs(t), m, px)).scale(tone(u, v))
		}
	}
}

// shingled is rows of overlapping rounded scales.
func shingled(class *rand.Rand) func(*rand.Rand, float64) pattern {
	base, n, vary, fine := material(class), between(class, 5, 12), between(class, 0.05, 0.35), newFinish(class)
	return func(r *rand.Rand, px float64) pattern {
		base, tone, batch := base.jitter(r, 0.05), fine.on(r), newField(r)
		return func(u, v float64) color {
			c := base
			for row := math.Floor(v*n) + 1; row >= math.Floor(v*n)-1; row-- { // the upper row lies on top
				a := u*n + 0.5*math.Mod(math.Abs(row), 2)
				x, y := wrap(a), v*n-row
				d := 0.62 - math.Hypot(x, y-0.3)
				if y < 0.3 {
					d = max(d, 0.5-math.Abs(x))
				}
				if d > 0 {
					c = base.scale((0.72 + 0.4*ramp(0, 0.25, d)) * (1 + vary*(batch.cell(int(math.Floor(a)), int(row))-0.5)))
				}
			}
			return c.scale(tone(u, v))
		}
	}
}

// quilted is padded lozenges with stitched seams.
func quilted(class *rand.Rand) func(*rand.Rand, float64) pattern {
	base, n, deep, fine := material(class), between(class, 3, 7), between(class, 0.25, 0.6), newFinish(class)
	return func(r *rand.Rand, px float64) pattern {
		base, tone := base.jitter(r, 0.05), fine.on(r)
		return func(u, v float64) color {
			x, y := wrap((u+v)*n), wrap((u-v)*n)
			seam := 0.5 - max(math.Abs(x), math.Abs(y))
			stitch := 1 - 0.25*ramp(0.05, 0.02, seam)*ramp(0, 0.3, math.Abs(wrap((u+v+u-v)*n*6)))
			return base.scale((1 - deep*ramp(0.2, 0, seam)) * (1 - 0.35*deep*(x+y)) * stitch * tone(u, v))
		}
	}
}

// basket is a weave of wide bands in blocks.
func basket(class *rand.Rand) func(*rand.Rand, float64) pattern {
	base, n, strands, fine := material(class), between(class, 4, 9), float64(2+class.IntN(4)), newFinish(class)
	return func(r *rand.Rand, px float64) pattern {
		base, tone, batch := base.jitter(r, 0.05), fine.on(r), newField(r)
		return func(u, v float64) color {
			i, j := int(math.Floor(u*n)), int(math.Floor(v*n))
			along, across := wrap(u*n), wrap(v*n)
			if (i+j)&1 != 0 {
				along, across = across, along
			}
			strand := wrap((across + 0.5) * strands)
			shade := (1 - 1.1*along*along) * (1 - 1.5*strand*strand*fades(n*strands, px))
			return base.scale(shade * (0.9 + 0.2*batch.cell(i, j)) * tone(u, v))
		}
	}
}
