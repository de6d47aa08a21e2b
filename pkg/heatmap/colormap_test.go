package heatmap

import (
	"image/color"
	"math"
	"testing"
)

// TestColorMaps: each map has all its colors, its own ones, between the ends that Matplotlib
// documents.
func TestColorMaps(t *testing.T) {
	ends := map[ColorMap][2]color.RGBA{
		Viridis: {{0x44, 0x01, 0x54, 255}, {0xfd, 0xe7, 0x25, 255}},
		Inferno: {{0x00, 0x00, 0x04, 255}, {0xfc, 0xff, 0xa4, 255}},
		Turbo:   {{0x30, 0x12, 0x3b, 255}, {0x7a, 0x04, 0x03, 255}},
		Jet:     {{0x00, 0x00, 0x80, 255}, {0x80, 0x00, 0x00, 255}},
	}
	seen := map[color.Color]ColorMap{}
	for _, m := range ColorMaps() {
		palette := m.Colors()
		if len(palette) != colors {
			t.Fatalf("%s has %d colors", m, len(palette))
		}
		if other, twice := seen[palette[colors/2]]; twice {
			t.Errorf("%s has the colors of %s", m, other)
		}
		seen[palette[colors/2]] = m
		if want, known := ends[m]; known && (palette[0] != want[0] || palette[colors-1] != want[1]) {
			t.Errorf("%s runs from %v to %v, want %v", m, palette[0], palette[colors-1], want)
		}
		for i, c := range palette {
			if distance(c, m.RegionColor()) < 100 {
				t.Errorf("%s: color %d is like the outline's", m, i)
			}
		}
		if list := m.CSS(); len(list) != 32 || len(list[0]) != len("#rrggbb") {
			t.Errorf("%s in CSS: %q", m, list)
		}
	}
}

// distance is between two colors, in values of 8 bits.
func distance(a, b color.Color) float64 {
	sum := 0.
	p, q := color.RGBAModel.Convert(a).(color.RGBA), color.RGBAModel.Convert(b).(color.RGBA)
	for _, pair := range [][2]uint8{{p.R, q.R}, {p.G, q.G}, {p.B, q.B}} {
		sum += math.Pow(float64(pair[0])-float64(pair[1]), 2)
	}
	return math.Sqrt(sum)
}

// TestEvenLightness: the maps that are made for it get lighter from the low to the high end, but for rounding.
func TestEvenLightness(t *testing.T) {
	for _, m := range []ColorMap{Flame, Viridis, Inferno} {
		palette := m.Colors()
		for i := range palette[1:] {
			if lightness(palette[i+1]) <= lightness(palette[i])-0.2 {
				t.Errorf("%s gets darker at %d", m, i+1)
			}
		}
	}
}
