package synth

import (
	"bytes"
	"image"
	"image/jpeg"
	"math"
	"math/rand/v2"
)

// camera is how one picture is taken: light, shadow, glare, focus, noise, compression.
type camera struct {
	level, right, down, dark float64 // light: brightness, slopes, how much darker the corners are
	contrast, gamma          float64
	gray                     bool
	shadow, shadowTurn       float64 // strength and direction of a shadow's soft edge
	shadowAt, shadowSoft     float64
	glare, glareSize         float64 // of a bright reflection
	glareX, glareY           float64
	blur                     float64 // in pixels
	noise                    float64
	quality                  int // of JPEG; 0: not compressed
	grain                    uint64
}

// newCamera draws a camera of any quality; gray says whether it has no colors.
func newCamera(r *rand.Rand, gray bool) camera {
	c := camera{
		level: between(r, 0.75, 1.15), right: between(r, -0.25, 0.25), down: between(r, -0.25, 0.25), dark: between(r, 0, 0.5),
		contrast: between(r, 0.7, 1.2), gamma: between(r, 0.8, 1.25), gray: gray, noise: between(r, 0.002, 0.025), grain: r.Uint64(),
	}
	if r.Float64() < 0.15 {
		c.shadow, c.shadowTurn, c.shadowAt, c.shadowSoft = between(r, 0.15, 0.5), between(r, 0, 2*math.Pi), between(r, -0.2, 0.4), between(r, 0.01, 0.2)
	}
	if r.Float64() < 0.2 {
		c.glare, c.glareSize, c.glareX, c.glareY = between(r, 0.1, 0.5), between(r, 0.15, 0.5), r.Float64(), r.Float64()
	}
	if r.Float64() < 0.4 {
		c.blur = between(r, 0.3, 1.1)
	}
	if r.Float64() < 0.35 {
		c.quality = 30 + r.IntN(60)
	}
	return c
}

// shoot returns the picture of a square of pixels, size on a side. The same camera gives
// equal pixels the same noise.
func (c camera) shoot(pixels []color, size int) *image.NRGBA {
	if c.blur > 0 {
		pixels = blurred(pixels, size, c.blur)
	}
	out := image.NewNRGBA(image.Rect(0, 0, size, size))
	sin, cos := math.Sincos(c.shadowTurn)
	r := rand.New(rand.NewPCG(c.grain, 1))
	for i, p := range pixels {
		x, y := (float64(i%size)+0.5)/float64(size)-0.5, (float64(i/size)+0.5)/float64(size)-0.5
		light := (c.level + c.right*x + c.down*y) * (1 - c.dark*(x*x+y*y))
		if c.shadow > 0 {
			light *= 1 - c.shadow*ramp(c.shadowAt, c.shadowAt+c.shadowSoft, x*cos+y*sin)
		}
		bright := 0.0
		if c.glare > 0 {
			dx, dy := (x+0.5-c.glareX)/c.glareSize, (y+0.5-c.glareY)/c.glareSize
			bright = c.glare / (1 + 4*(dx*dx+dy*dy)*(dx*dx+dy*dy))
		}
		if c.gray {
			p = grey(p.luminance())
		}
		bits := speckle(r.Uint64())
		common := c.noise * 1.5 * bits.common()
		for k, v := range [3]float64{p.r, p.g, p.b} {
			v = 0.5 + c.contrast*(v*light-0.5) + bright
			if !c.gray {
				v += c.noise * bits.own(k)
			}
			out.Pix[4*i+k] = uint8(255*bend(clamp(v+common), c.gamma) + 0.5)
		}
		out.Pix[4*i+3] = 255
	}
	if c.quality > 0 {
		return compressed(out, c.quality)
	}
	return out
}

// bend approximates v to the power of gamma, for gamma near 1, by a parabola with the same ends.
func bend(v, gamma float64) float64 { return v + 1.4*(1-gamma)*v*(1-v) }

// blurred returns the pixels after a separable blur of three taps with the given standard
// deviation.
func blurred(pixels []color, size int, sigma float64) []color {
	side := math.Exp(-0.5 / (sigma * sigma))
	middle := 1 / (1 + 2*side)
	side *= middle
	pass := func(from []color, step, limit int, at func(i int) int) []color {
		to := make([]color, len(from))
		for i, p := range from {
			before, after := i, i
			if at(i) > 0 {
				before -= step
			}
			if at(i) < limit {
				after += step
			}
			a, b := from[before], from[after]
			to[i] = color{middle*p.r + side*(a.r+b.r), middle*p.g + side*(a.g+b.g), middle*p.b + side*(a.b+b.b)}
		}
		return to
	}
	across := pass(pixels, 1, size-1, func(i int) int { return i % size })
	return pass(across, size, len(pixels)/size-1, func(i int) int { return i / size })
}

// compressed returns a picture as it is after JPEG of the given quality.
func compressed(p *image.NRGBA, quality int) *image.NRGBA {
	// Without transparency the bytes of both types are the same, and this one is encoded faster.
	opaque := &image.RGBA{Pix: p.Pix, Stride: p.Stride, Rect: p.Rect}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, opaque, &jpeg.Options{Quality: quality}); err != nil {
		return p // a Buffer does not fail
	}
	decoded, err := jpeg.Decode(&file)
	if err != nil {
		return p // it was encoded just now
	}
	yuv, ok := decoded.(*image.YCbCr)
	if !ok {
		return p // the encoder writes colors
	}
	out := image.NewNRGBA(p.Rect)
	for i := range len(p.Pix) / 4 {
		x, y := i%p.Rect.Dx(), i/p.Rect.Dx()
		c := yuv.YCbCrAt(x, y)
		red, green, blue, _ := c.RGBA()
		copy(out.Pix[4*i:], []uint8{uint8(red >> 8), uint8(green >> 8), uint8(blue >> 8), 255})
	}
	return out
}
