package heatmap

import (
	"image/color"
	"math"
)

// colors is the number of colors of the scale.
const colors = 256

// Palette returns the color scale of heat maps, from 0 (dark violet) over red and orange
// to 1 (pale yellow). It is a path through the OKLab space with evenly rising lightness,
// so that equal differences of scores look equally large, also in greyscale prints and to
// color-blind people. Hue changes evenly, and chroma is limited to the sRGB gamut.
func Palette() color.Palette {
	const (
		darkest, lightest = 0.20, 0.96
		firstHue, lastHue = -70., 105. // degrees: violet, yellow
		chroma            = 0.16
	)
	scale := make(color.Palette, colors)
	for i := range scale {
		t := float64(i) / (colors - 1)
		lightness := darkest + t*(lightest-darkest)
		hue := (firstHue + t*(lastHue-firstHue)) * math.Pi / 180
		c := chroma
		r, g, b, ok := okLabToSRGB(lightness, c*math.Cos(hue), c*math.Sin(hue))
		for !ok {
			c *= 0.98
			r, g, b, ok = okLabToSRGB(lightness, c*math.Cos(hue), c*math.Sin(hue))
		}
		scale[i] = color.RGBA{r, g, b, 255}
	}
	return scale
}

// okLabToSRGB converts a color of the OKLab space (Björn Ottosson, "A perceptual
// color space for image processing", 2020) to 8-bit sRGB. ok is false if it is outside sRGB's gamut.
func okLabToSRGB(lightness, a, b float64) (red, green, blue uint8, ok bool) {
	l := cube(lightness + 0.3963377774*a + 0.2158037573*b)
	m := cube(lightness - 0.1055613458*a - 0.0638541728*b)
	s := cube(lightness - 0.0894841775*a - 1.2914855480*b)
	red, okRed := encodeSRGB(4.0767416621*l - 3.3077115913*m + 0.2309699292*s)
	green, okGreen := encodeSRGB(-1.2684380046*l + 2.6097574011*m - 0.3413193965*s)
	blue, okBlue := encodeSRGB(-0.0041960863*l - 0.7034186147*m + 1.7076147010*s)
	return red, green, blue, okRed && okGreen && okBlue
}

func cube(x float64) float64 { return x * x * x }

// encodeSRGB applies sRGB's transfer function (IEC 61966-2-1) to a linear value in [0, 1].
func encodeSRGB(linear float64) (value uint8, ok bool) {
	if linear < 0 || linear > 1 {
		return 0, false
	}
	encoded := 12.92 * linear
	if linear > 0.0031308 {
		encoded = 1.055*math.Pow(linear, 1/2.4) - 0.055
	}
	return uint8(math.Round(255 * encoded)), true
}
