package synth

import (
	"errors"
	"image"
	"math/rand/v2"
)

// pair is one picture without and with a defect, taken by the same camera: they differ only
// at the mask's pixels and, if blurred or compressed, near them.
type pair struct {
	class, defect     string
	kind              string // kindTexture or kindObject
	normal, anomalous *image.NRGBA
	mask              []uint8 // 255 at the defect, else 0
}

// The kinds of class in PairInfo.
const (
	kindTexture = "texture"
	kindObject  = "object"
)

// errUnseen is the error of a pair whose defect stayed invisible.
var errUnseen = errors.New("the defect is not visible")

// drawPair draws pair number index of the classes, half of them objects if there are both.
// The view is the whole picture or a part of it about the defect.
func drawPair(seed uint64, index int, textures, objects []class, size int) (pair, error) {
	for attempt := range attempts {
		p := picture{seed: seed, class: "pair", index: index*attempts + attempt}
		r := p.stream("pair")
		list, kind := textures, kindTexture
		if len(textures) == 0 || len(objects) > 0 && r.IntN(2) == 0 {
			list, kind = objects, kindObject
		}
		c := list[r.IntN(len(list))]
		drawn, err := c.pair(p, c.defects[r.IntN(len(c.defects))], size)
		if err == nil {
			drawn.kind = kind
			return drawn, nil
		}
	}
	return pair{}, errUnseen
}

func (c class) pair(p picture, defect string, size int) (pair, error) {
	r := p.stream("view")
	v := view{side: 1, size: size}
	if r.Float64() < 0.55 {
		v.side = between(r, 0.3, 1)
	} else if r.Float64() < 0.25 {
		v.side = between(r, 1, 1.4)
	}
	scene, gray := c.scene, c.gray
	if c.fresh != nil && r.IntN(2) == 0 { // more classes than there are names: variety is what a model lacks most
		scene, gray = c.fresh(p.stream("class")), r.Float64() < 0.3
	}
	s := scene(p.stream("scene"), v.px())
	v.aim(r, s)
	pixels := make([]color, size*size)
	for i := range pixels {
		pixels[i] = s.color(v.at(i))
	}
	damaged := append([]color(nil), pixels...)
	mask, err := damage(p, c, ground{s, v}, defect, faintly, damaged)
	if err != nil {
		return pair{}, err
	}
	camera := newCamera(p.stream("camera"), gray || r.Float64() < 0.1)
	return pair{class: c.name, defect: defect, normal: camera.shoot(pixels, size), anomalous: camera.shoot(damaged, size), mask: mask}, nil
}

// aim moves the view to a part of the scene with some of its object.
func (v *view) aim(r *rand.Rand, s scene) {
	for range 20 {
		x, y := r.Float64(), r.Float64()
		if s.inside != nil && s.inside(x, y) < 0.02 {
			continue
		}
		v.x, v.y = x-v.side*between(r, 0.25, 0.75), y-v.side*between(r, 0.25, 0.75)
		break
	}
	if v.side >= 1 {
		v.x, v.y = between(r, 1-v.side, 0), between(r, 1-v.side, 0)
		return
	}
	v.x, v.y = min(max(v.x, 0), 1-v.side), min(max(v.y, 0), 1-v.side)
}
