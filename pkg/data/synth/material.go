package synth

import (
	"math"
	"math/rand/v2"
)

// pattern is the color of a surface at a point. The unit of length is a picture's width.
type pattern func(u, v float64) color

// family is a kind of surface with free parameters. The first generator chooses those of a
// class, which are the same in all its pictures; the second those of one picture, whose
// pixels are px wide.
type family func(class *rand.Rand) func(r *rand.Rand, px float64) pattern

// material draws the color of a material: often grey, sometimes of wood, skin or rust,
// sometimes any.
func material(r *rand.Rand) color {
	value := between(r, 0.22, 0.88)
	switch {
	case r.Float64() < 0.4:
		return hsv(r.Float64(), between(r, 0, 0.07), value)
	case r.Float64() < 0.5:
		return hsv(between(r, 0.04, 0.13), between(r, 0.15, 0.55), value)
	}
	return hsv(r.Float64(), between(r, 0.1, 0.7), value)
}

// partner draws a second color that can be told from the first.
func partner(r *rand.Rand, first color) color {
	away := between(r, 0.12, 0.45)
	if l := first.luminance(); l > 0.6 || l > 0.3 && r.Float64() < 0.5 {
		away = -away
	}
	second := material(r)
	shift := first.luminance() + away - second.luminance()
	return color{clamp(second.r + shift), clamp(second.g + shift), clamp(second.b + shift)}
}

// hsv returns a color from hue, saturation and value in [0, 1].
func hsv(h, s, v float64) color {
	part := func(n float64) float64 {
		k := math.Mod(n+6*h, 6)
		return v - v*s*clamp(min(k, 4-k))
	}
	return color{part(5), part(3), part(1)}
}

// finish is the fine structure of a material: clouds and grain.
type finish struct{ cloud, cloudSize, grain, grainSize float64 }

func newFinish(r *rand.Rand) finish {
	return finish{between(r, 0.01, 0.08), between(r, 2, 8), between(r, 0.01, 0.07), between(r, 50, 160)}
}

// on returns a function of the finish's brightness, about 1.
func (f finish) on(r *rand.Rand) func(u, v float64) float64 {
	cloud, grain := newField(r), newField(r)
	return func(u, v float64) float64 {
		return 1 + f.cloud*cloud.sum(u*f.cloudSize, v*f.cloudSize, 2) + f.grain*grain.at(u*f.grainSize, v*f.grainSize)
	}
}

// cells is a jittered lattice of points (Worley noise): the distances to the nearest and the
// second point, and the nearest one's cell.
func (f field) cells(u, v float64) (first, second float64, i, j int) {
	m, n := int(math.Floor(u)), int(math.Floor(v))
	first, second = 9, 9
	for a := m - 1; a <= m+1; a++ {
		for b := n - 1; b <= n+1; b++ {
			dx := u - float64(a) - 0.15 - 0.7*f.cell(a, b)
			dy := v - float64(b) - 0.15 - 0.7*f.cell(a+7000, b)
			switch d := dx*dx + dy*dy; {
			case d < first:
				first, second, i, j = d, first, a, b
			case d < second:
				second = d
			}
		}
	}
	return math.Sqrt(first), math.Sqrt(second), i, j
}

// wrap returns the position within a period of 1, in [-0.5, 0.5).
func wrap(t float64) float64 { return t - math.Floor(t) - 0.5 }

// soft returns the fraction of a pixel inside a border at distance d of a pattern with n
// periods per unit; never sharper than a hundredth of a period.
func soft(d, n, px float64) float64 { return edge(d, max(n*px, 0.01)) }

// fades returns how visible structure with n periods per unit is at pixels px wide: 1, and 0
// where it is too fine.
func fades(n, px float64) float64 { return ramp(0.6, 0.3, n*px) }
