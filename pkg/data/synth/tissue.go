package synth

import (
	"math"
	"math/rand/v2"
)

// lesionKinds are the kinds of defect of tissue.
var lesionKinds = []string{"stain", "dent", "hole"}

// tissue is a cloudy surface of one tone with vessels.
func tissue(tone color) class {
	return class{defects: lesionKinds, scene: func(r *rand.Rand, _ float64) scene {
		p := newPose(r, 0.5, math.Pi, 0.2)
		flesh := tone.jitter(r, 0.1)
		cloud, vessel, grain := newField(r), newField(r), newField(r)
		return scene{color: func(x, y float64) color {
			u, v := p.at(x, y)
			u, v = u+0.08*cloud.at(u*4, v*4), v+0.08*cloud.at(u*4+30, v*4)
			line := ramp(0.07, 0, math.Abs(vessel.sum(u*3, v*3, 2))) // a line along the zeros of the field
			return flesh.scale(1 + 0.2*cloud.sum(u*5, v*5, 3) + 0.05*grain.at(u*60, v*60) - 0.25*line)
		}}
	}}
}

// section is a slice through a body: an oval of tissue on black.
func section(tone color) class {
	return class{defects: lesionKinds, scene: func(r *rand.Rand, px float64) scene {
		inner := tissue(tone).scene(r, px)
		p := newPose(r, 0.02, 0.2, 0.06)
		inside := func(x, y float64) float64 {
			u, v := p.at(x, y)
			return 0.36 - math.Sqrt(u*u+v*v/1.4)
		}
		return scene{
			color:  func(x, y float64) color { return inner.color(x, y).scale(edge(inside(x, y), px)) },
			inside: inside,
			behind: func(float64, float64) color { return color{} },
		}
	}}
}
