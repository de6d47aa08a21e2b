package synth

import "image"

// bone returns the picture as matplotlib's imsave writes it with the color map bone:
// bluish, opaque RGBA. Black with camera noise becomes exact black.
func bone(d drawing) image.Image {
	const noise = 16
	grays := gray(d)
	for i, v := range grays.Pix {
		grays.Pix[i] = uint8((max(int(v), noise) - noise) * 255 / (255 - noise))
	}
	return inBone(grays)
}

// tumor returns the mask as imsave writes the labels 1, 2 and 4: scaled, and in the
// color map bone. The resulting grays are about 58, 122 and 255.
func tumor(d drawing) image.Image { return inBone(inParts(d.mask, 64, 128, 255)) }

// opaque is a picture that is written with an alpha channel although all alpha is 255.
type opaque struct{ *image.NRGBA }

// Opaque returns false so that image/png writes the alpha channel.
func (opaque) Opaque() bool { return false }

func inBone(m *image.Gray) image.Image {
	out := image.NewNRGBA(m.Rect)
	for i, v := range m.Pix {
		x := float64(v) / 255
		for k, curve := range boneCurves {
			out.Pix[4*i+k] = uint8(255 * curve.at(x))
		}
		out.Pix[4*i+3] = 255
	}
	return opaque{out}
}

// curve is a piecewise linear function through points.
type curve []point

// boneCurves are matplotlib's color map bone: red, green and blue over brightness.
var boneCurves = [3]curve{
	{{0, 0}, {0.746032, 0.652778}, {1, 1}},
	{{0, 0}, {0.365079, 0.319444}, {0.746032, 0.777778}, {1, 1}},
	{{0, 0}, {0.365079, 0.444444}, {1, 1}},
}

func (c curve) at(x float64) float64 {
	i := 1
	for i < len(c)-1 && x > c[i].x {
		i++
	}
	return lerp(c[i-1].y, c[i].y, (x-c[i-1].x)/(c[i].x-c[i-1].x))
}
