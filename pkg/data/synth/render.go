package synth

import (
	"fmt"
	"image"
)

const (
	// drawn is the minimum coverage at which a defect is drawn. Pixels with less stay
	// unchanged, so the mask, which is all changed pixels, has no faint fringe.
	drawn = 0.25
	// A defect must cover at least this fraction of the picture and change the covered
	// pixels by at least this much on average (1 is black to white); otherwise it is
	// drawn again.
	visibleArea   = 0.0008
	visibleChange = 0.09
	faintChange   = 0.05 // in place of visibleChange for rough classes
	attempts      = 60
	// The least strength of a rough class's defect: in datasets, and in pairs to learn from.
	plainly, faintly = 0.65, 0.35
)

// render draws a picture with the class's aspect ratio. If defect is not "", the mask,
// [height, width], is 255 at the pixels of the defect; all other pixels equal those of
// the same picture without the defect, in a rough class before the camera.
//
// A scene is a square; a taller picture continues it above and below.
func render(p picture, c class, defect string, size int) (*image.NRGBA, []uint8, error) {
	width, height := c.shape(size)
	square := view{side: 1, size: width}
	px := square.px()
	s := c.scene(p.stream("scene"), px)
	top := p.stream("top").IntN(height - width + 1) // the first row of the square
	pixels := make([]color, width*height)
	for i := range pixels {
		x, y := middleOf(i, width)
		pixels[i] = s.color(x, y-float64(top)*px)
	}
	var mask []uint8
	if defect != "" {
		damaged, err := damage(p, c, ground{s, square}, defect, plainly, pixels[top*width:(top+width)*width])
		if err != nil {
			return nil, nil, err
		}
		mask = make([]uint8, len(pixels))
		copy(mask[top*width:], damaged)
	}
	if c.rough {
		return newCamera(p.stream("camera"), c.gray).shoot(pixels, width), mask, nil
	}
	return develop(p, pixels, width), mask, nil
}

// middleOf returns the centre of pixel i, in units of the picture's width.
func middleOf(i, width int) (x, y float64) {
	return (float64(i%width) + 0.5) / float64(width), (float64(i/width) + 0.5) / float64(width)
}

// damage draws a defect on the pixels and retries until it is visible. In a rough class its
// strength is faintest to 1.
func damage(p picture, c class, g ground, defect string, faintest float64, pixels []color) ([]uint8, error) {
	r := p.stream("defect")
	draw := defects()[defect]
	clean := append([]color(nil), pixels...)
	for try := range attempts {
		enough := visibleChange
		copy(pixels, clean)
		mask := make([]uint8, len(pixels))
		for _, coat := range draw(r, g) {
			coat.on(pixels, mask, g)
		}
		if c.rough {
			// What is hard to see on this material is drawn less faintly.
			late := float64(try) / attempts
			enough = faintChange * (1 - 0.6*late)
			strength := between(r, min(1, faintest+late), 1)
			for i := range mask {
				if mask[i] != 0 {
					pixels[i] = clean[i].mix(pixels[i], strength)
				}
			}
		}
		if visible(clean, pixels, mask, enough) {
			return mask, nil
		}
	}
	return nil, fmt.Errorf("no visible %s after %d attempts", defect, attempts)
}

// on paints the layer on pixels and marks the painted pixels in mask.
func (l layer) on(pixels []color, mask []uint8, g ground) {
	px := g.view.px()
	for i, coverage := range l.coverage {
		if coverage < drawn {
			continue
		}
		x, y := g.view.at(i)
		cover := g.scene.cover(x, y, px)
		if l.through && cover > 0 {
			cover = 1
		}
		if coverage *= cover; coverage < drawn {
			continue
		}
		pixels[i] = pixels[i].mix(l.paint(x, y, pixels[i]), coverage*l.opacity)
		mask[i] = 255
	}
}

func visible(clean, damaged []color, mask []uint8, enough float64) bool {
	area, change := 0, 0.0
	for i := range mask {
		if mask[i] != 0 {
			area++
			change += distance(clean[i], damaged[i])
		}
	}
	return float64(area) >= visibleArea*float64(len(mask)) && area >= 4 && change >= enough*float64(area)
}

// distance returns the largest difference of two colors' components.
func distance(a, b color) float64 {
	return max(abs(a.r-b.r), abs(a.g-b.g), abs(a.b-b.b))
}

func abs(v float64) float64 { return max(v, -v) }

// develop simulates a camera: uneven light, a darker border, noise, 8 bits.
func develop(p picture, pixels []color, width int) *image.NRGBA {
	r := p.stream("camera")
	level, right, down := between(r, 0.94, 1.06), between(r, -0.14, 0.14), between(r, -0.14, 0.14)
	noise := between(r, 0.006, 0.014)
	height := len(pixels) / width
	tall := float64(height) / float64(width)
	out := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i, c := range pixels {
		x, y := middleOf(i, width)
		x, y = x-0.5, y/tall-0.5
		light := (level + right*x + down*y) * (1 - 0.18*(x*x+y*y))
		bits := speckle(r.Uint64())
		for k, v := range [3]float64{c.r, c.g, c.b} {
			out.Pix[4*i+k] = uint8(255*clamp(v*light+noise*(1.5*bits.common()+bits.own(k))) + 0.5)
		}
		out.Pix[4*i+3] = 255
	}
	return out
}

// speckle is a pixel's noise, from random bits.
type speckle uint64

// common is the noise of brightness, in [-2, 2]: the sum of four bytes, which is nearly normal.
func (s speckle) common() float64 { return float64(s&255+s>>8&255+s>>16&255+s>>24&255)/255 - 2 }

// own is the noise of color k alone, uniform in [-0.5, 0.5].
func (s speckle) own(k int) float64 { return float64(s>>(32+8*k)&255)/255 - 0.5 }
