package synth

import (
	"math"
	"math/rand/v2"
)

// outline is a kind of shape with free parameters, which the generator chooses for a class.
// It returns the distance of a point from the border, positive inside; the origin is the
// middle of the shape, which is about 0.7 wide.
type outline func(class *rand.Rand) func(u, v float64) float64

// box returns the distance to a rectangle's border, with rounded corners.
func box(u, v, width, height, round float64) float64 {
	x, y := math.Abs(u)-width+round, math.Abs(v)-height+round
	return round - math.Hypot(max(x, 0), max(y, 0)) - min(max(x, y), 0)
}

func disc(class *rand.Rand) func(u, v float64) float64 {
	radius, tall := between(class, 0.28, 0.4), between(class, 0.8, 1)
	return func(u, v float64) float64 { return radius - math.Hypot(u, v/tall) }
}

func ring(class *rand.Rand) func(u, v float64) float64 {
	outer := between(class, 0.3, 0.4)
	inner := outer * between(class, 0.3, 0.75)
	return func(u, v float64) float64 {
		d := math.Hypot(u, v)
		return min(outer-d, d-inner)
	}
}

func slab(class *rand.Rand) func(u, v float64) float64 {
	width, height := between(class, 0.25, 0.42), between(class, 0.16, 0.36)
	round := between(class, 0.01, 0.12)
	return func(u, v float64) float64 { return box(u, v, width, height, round) }
}

func rod(class *rand.Rand) func(u, v float64) float64 {
	half, thick, round := between(class, 0.3, 0.43), between(class, 0.05, 0.14), class.Float64()
	return func(u, v float64) float64 { return box(u, v, half, thick, thick*round) }
}

func polygon(class *rand.Rand) func(u, v float64) float64 {
	n, size := float64(3+class.IntN(6)), between(class, 0.26, 0.34)
	return func(u, v float64) float64 {
		turn := math.Atan2(v, u) * n / (2 * math.Pi)
		return size - math.Hypot(u, v)*math.Cos((turn-math.Round(turn))*2*math.Pi/n)
	}
}

// toothed is a wheel, a star or a flower.
func toothed(class *rand.Rand) func(u, v float64) float64 {
	n, root, height, sharp := float64(5+class.IntN(20)), between(class, 0.24, 0.32), between(class, 0.03, 0.08), between(class, 0.05, 0.5)
	return func(u, v float64) float64 {
		turn := math.Atan2(v, u) * n / (2 * math.Pi)
		flank := math.Abs(2 * wrap(turn))
		return 0.8 * (root + height*ramp(0.5+sharp, 0.5-sharp, flank) - math.Hypot(u, v))
	}
}

// leaf is a lens, an almond, a seed.
func leaf(class *rand.Rand) func(u, v float64) float64 {
	bow := between(class, 0.1, 0.5)
	radius := (0.36*0.36 + bow*bow) / (2 * bow) * between(class, 0.8, 1.1)
	return func(u, v float64) float64 {
		return min(radius-math.Hypot(u, v-(radius-bow*0.6)), radius-math.Hypot(u, v+(radius-bow*0.6)))
	}
}

func egg(class *rand.Rand) func(u, v float64) float64 {
	size, skew, slim := between(class, 0.26, 0.36), between(class, -0.4, 0.4), between(class, 0.6, 0.95)
	return func(u, v float64) float64 {
		return (size - math.Hypot(u, v/(slim*(1+skew*u/size)))) * slim
	}
}

// headed is a screw, a nail, a bulb, a bottle: a head on a shaft.
func headed(class *rand.Rand) func(u, v float64) float64 {
	head, tall, thick, round := between(class, 0.1, 0.2), between(class, 0.05, 0.2), between(class, 0.04, 0.09), class.Float64()
	thread, pitch := between(class, 0, 0.02)*float64(class.IntN(2)), between(class, 14, 30)
	return func(u, v float64) float64 {
		shaft := box(u-0.06, v, 0.33, thick+thread*math.Sin(2*math.Pi*pitch*u), 0.02)
		return max(shaft, box(u+0.36-tall, v, tall, head, tall*round))
	}
}

// angled is an L, a T or a cross of bars.
func angled(class *rand.Rand) func(u, v float64) float64 {
	thick, at, second := between(class, 0.06, 0.13), between(class, -0.28, 0.28), between(class, 0.04, 0.12)
	return func(u, v float64) float64 {
		return max(box(u, v-0.24*at/0.28, 0.36, thick, 0.02), box(u-at, v, second, 0.34, 0.02))
	}
}

// combed is a chip with pins, a comb, a plug: a body with teeth on one or two sides.
func combed(class *rand.Rand) func(u, v float64) float64 {
	n, half, long, both := between(class, 8, 20), between(class, 0.1, 0.22), between(class, 0.06, 0.14), class.IntN(2) == 0
	return func(u, v float64) float64 {
		body := box(u, v, 0.36, half, 0.015)
		w := v
		if both {
			w = math.Abs(v)
		}
		tooth := min((0.26-math.Abs(wrap(u*n)))/n, box(u, w-half, 0.34, long, 0.005))
		return max(body, tooth)
	}
}

// horseshoe is an open ring: a clip, a hook, a bent tube.
func horseshoe(class *rand.Rand) func(u, v float64) float64 {
	middle, thick, leg := between(class, 0.2, 0.27), between(class, 0.05, 0.1), between(class, 0.05, 0.3)
	return func(u, v float64) float64 {
		v += 0.08
		if v > 0 {
			return min(thick-math.Abs(math.Abs(u)-middle), leg-v)
		}
		return thick - math.Abs(math.Hypot(u, v)-middle)
	}
}

// dumbbell is a spanner, a link, a bone: two heads on a bar.
func dumbbell(class *rand.Rand) func(u, v float64) float64 {
	head, thick, open := between(class, 0.1, 0.16), between(class, 0.03, 0.08), between(class, 0.03, 0.1)*float64(class.IntN(2))
	return func(u, v float64) float64 {
		d := math.Hypot(math.Abs(u)-0.25, v)
		return min(max(head-d, box(u, v, 0.26, thick, 0.01)), d-open)
	}
}

// scattered is several small pieces of one shape, in rows or loose.
func scattered(of outline) outline {
	return func(class *rand.Rand) func(u, v float64) float64 {
		piece, n, loose := of(class), between(class, 2, 4), between(class, 0, 0.1)
		turns, place := newField(class), newField(class)
		mixed := class.Float64() < 0.5
		return func(u, v float64) float64 {
			a, b := u*n+0.5, v*n+0.5
			i, j := int(math.Floor(a)), int(math.Floor(b))
			x, y := wrap(a)+loose*(place.cell(i, j)-0.5), wrap(b)+loose*(place.cell(i+99, j)-0.5)
			if mixed {
				sin, cos := math.Sincos(6.28 * turns.cell(i, j))
				x, y = x*cos+y*sin, y*cos-x*sin
			}
			return piece(x*0.95, y*0.95) / n
		}
	}
}
