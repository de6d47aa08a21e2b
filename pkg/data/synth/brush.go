package synth

import (
	"math"
	"math/rand/v2"
)

// brush draws into a plane of coverage: the fraction of each pixel that shapes cover,
// in [0, 1]. Several shapes in a plane form their union.
type brush struct {
	view  view
	px    float64 // width of a pixel
	plane []float64
}

func newBrush(v view) *brush {
	return &brush{view: v, px: v.px(), plane: make([]float64, v.size*v.size)}
}

type point struct{ x, y float64 }

func (p point) plus(q point) point { return point{p.x + q.x, p.y + q.y} }

// box calls each for the pixels with centres at most reach from the bounding box of p and q.
func (b *brush) box(p, q point, reach float64, each func(i int, x, y float64)) {
	v, last := b.view, float64(b.view.size-1)
	left, right := int(max(0, (min(p.x, q.x)-reach-v.x)/b.px-1)), int(min(last, (max(p.x, q.x)+reach-v.x)/b.px+1))
	top, bottom := int(max(0, (min(p.y, q.y)-reach-v.y)/b.px-1)), int(min(last, (max(p.y, q.y)+reach-v.y)/b.px+1))
	for row := top; row <= bottom; row++ {
		for column := left; column <= right; column++ {
			each(row*v.size+column, v.x+(float64(column)+0.5)*b.px, v.y+(float64(row)+0.5)*b.px)
		}
	}
}

// stroke draws a line through the points; width returns its width at t in [0, 1] along the line.
func (b *brush) stroke(points []point, width func(t float64) float64) {
	for i := 1; i < len(points); i++ {
		p, q := points[i-1], points[i]
		w := max(width((float64(i)-0.5)/float64(len(points)-1)), 1.1*b.px) / 2
		dx, dy := q.x-p.x, q.y-p.y
		length := dx*dx + dy*dy + 1e-12
		b.box(p, q, w+b.px, func(at int, x, y float64) {
			t := clamp(((x-p.x)*dx + (y-p.y)*dy) / length)
			ex, ey := x-p.x-t*dx, y-p.y-t*dy
			b.plane[at] = max(b.plane[at], edge(w-math.Sqrt(ex*ex+ey*ey), b.px))
		})
	}
}

// blob is a closed, more or less ragged outline around a point.
type blob struct {
	middle   point
	radius   float64
	long     float64 // length divided by width
	cos, sin float64 // direction of the long axis
	ragged   float64 // deviation of the outline, as a fraction of the radius
	detail   float64 // spatial frequency of the deviation
	outline  field
}

func newBlob(r *rand.Rand, middle point, radius, ragged, detail float64) blob {
	sin, cos := math.Sincos(between(r, 0, 2*math.Pi))
	return blob{middle: middle, radius: radius, long: between(r, 1, 1.6), cos: cos, sin: sin, ragged: ragged, detail: detail, outline: newField(r)}
}

// depth returns the approximate distance of a point from the outline, positive inside.
func (s blob) depth(x, y float64) float64 {
	x, y = x-s.middle.x, y-s.middle.y
	u, v := (x*s.cos+y*s.sin)/s.long, y*s.cos-x*s.sin
	d := math.Sqrt(u*u+v*v) + 1e-9
	return s.radius*(1+s.ragged*s.outline.sum(5+s.detail*u/d, 5+s.detail*v/d, 3)) - d
}

// fill draws a blob; soft is the width of its border.
func (b *brush) fill(s blob, soft float64) {
	reach := s.radius * (1 + 2*s.ragged) * s.long
	b.box(s.middle, s.middle, reach+soft, func(at int, x, y float64) {
		b.plane[at] = max(b.plane[at], edge(s.depth(x, y), max(soft, b.px)))
	})
}

// walk returns the points of a walk in steps of equal length; bend returns the turn before each step.
func walk(from point, heading, length float64, steps int, bend func() float64) []point {
	points := []point{from}
	for range steps {
		heading += bend()
		sin, cos := math.Sincos(heading)
		from = from.plus(point{cos * length / float64(steps), sin * length / float64(steps)})
		points = append(points, from)
	}
	return points
}

// shifted returns a line moved by (x, y).
func shifted(points []point, x, y float64) []point {
	moved := make([]point, len(points))
	for i, p := range points {
		moved[i] = p.plus(point{x, y})
	}
	return moved
}
