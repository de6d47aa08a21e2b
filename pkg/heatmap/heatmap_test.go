package heatmap

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"slices"
	"strings"
	"testing"

	"acdclip/pkg/anomalymap"
)

// TestPaletteLightness checks that lightness rises evenly, measured in another color space, CIELAB.
func TestPaletteLightness(t *testing.T) {
	scale := Palette()
	if len(scale) != colors {
		t.Fatalf("%d colors", len(scale))
	}
	previous := lightness(scale[0])
	first, last := previous, lightness(scale[colors-1])
	mean := (last - first) / (colors - 1)
	for i, c := range scale[1:] {
		step := lightness(c) - previous
		if step <= 0 {
			t.Errorf("lightness falls by %v at %d", -step, i+1)
		}
		if step > 3*mean {
			t.Errorf("lightness jumps by %v at %d, on average by %v", step, i+1, mean)
		}
		previous += step
	}
	if first > 15 || last < 90 {
		t.Errorf("the scale runs from lightness %.1f to %.1f", first, last)
	}
}

// TestPaletteIsSmooth checks that no channel has jumps.
func TestPaletteIsSmooth(t *testing.T) {
	scale := Palette()
	for i := range scale[1:] {
		a, b := scale[i].(color.RGBA), scale[i+1].(color.RGBA)
		for _, pair := range [][2]uint8{{a.R, b.R}, {a.G, b.G}, {a.B, b.B}} {
			if d := int(pair[0]) - int(pair[1]); d > 6 || d < -6 {
				t.Errorf("from %v to %v at %d", a, b, i)
			}
		}
	}
}

func TestSizes(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {1, 700}, {20_000, 50}, {50, 2_000}, {37, 91}, {98, 98}} {
		width, height := size[0], size[1]
		t.Run(fmt.Sprintf("%dx%d", width, height), func(t *testing.T) {
			m := ramp(98)
			over, err := Overlay(m, plain, make([]uint8, 3*width*height), width, height)
			if err != nil {
				t.Fatal(err)
			}
			mask, err := Mask(m, 0.5, width, height)
			if err != nil {
				t.Fatal(err)
			}
			for name, drawn := range map[string]image.Image{"overlay": over, "mask": mask} {
				var file bytes.Buffer
				if err := EncodePNG(&file, drawn); err != nil {
					t.Fatal(err)
				}
				read, err := png.Decode(&file)
				if err != nil {
					t.Fatal(err)
				}
				if got := read.Bounds(); got != image.Rect(0, 0, width, height) {
					t.Errorf("%s: %v", name, got)
				}
			}
		})
	}
}

// TestBilinear checks positions and values against hand-computed ones.
func TestBilinear(t *testing.T) {
	m := square(2, []float32{0, 1, 0.5, 0.25})
	want := [][]float32{
		{0, 0.25, 0.75, 1},
		{0.125, 0.296875, 0.640625, 0.8125},
		{0.375, 0.390625, 0.421875, 0.4375},
		{0.5, 0.4375, 0.3125, 0.25},
	}
	for y, row := range rows(m, 4, 4) {
		for x, value := range row {
			if value != want[y][x] {
				t.Errorf("at %d, %d: %v, want %v", x, y, value, want[y][x])
			}
		}
	}
	flat := &anomalymap.Map{Width: 2, Height: 1, Scores: []float32{0, 1}}
	for y, row := range rows(flat, 4, 2) {
		if want := []float32{0, 0.25, 0.75, 1}; !slices.Equal(row, want) {
			t.Errorf("row %d of a map of one row: %v, want %v", y, row, want)
		}
	}
	same := ramp(5)
	for y, row := range rows(same, 5, 5) {
		for x, value := range row {
			if value != same.Scores[5*y+x] {
				t.Errorf("own size changes %d, %d", x, y)
			}
		}
	}
}

// TestFixedRange: equal values have equal colors in all pictures.
func TestFixedRange(t *testing.T) {
	scale := Palette()
	cases := []struct {
		value float32
		want  int
	}{{-1, 0}, {0, 0}, {0.25, 64}, {0.5, 128}, {1, 255}, {2, 255}}
	for _, c := range cases {
		if drawn := scale[unit.colorIndex(c.value)]; drawn != scale[c.want] {
			t.Errorf("%v is drawn as %v, want %v", c.value, drawn, scale[c.want])
		}
	}
}

func TestOverlayBlends(t *testing.T) {
	m := square(1, []float32{1})
	top := Palette()[colors-1].(color.RGBA)
	for _, under := range []uint8{0, 100, 255} {
		over, err := Overlay(m, plain, []uint8{under, under, under}, 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		got := over.RGBAAt(0, 0)
		const share = heatShare / 256.
		for _, pair := range [][2]uint8{{got.R, top.R}, {got.G, top.G}, {got.B, top.B}} {
			if want := share*float64(pair[1]) + (1-share)*float64(under); math.Abs(float64(pair[0])-want) > 0.6 {
				t.Errorf("over %d: %d, want %.1f", under, pair[0], want)
			}
		}
		if got.A != 255 {
			t.Errorf("alpha %d", got.A)
		}
	}
}

func TestMask(t *testing.T) {
	mask, err := Mask(square(2, []float32{0.4, 0.5, 0.6, 0}), 0.5, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	if want := []uint8{0, 255, 255, 0}; !bytes.Equal(mask.Pix, want) {
		t.Errorf("%v, want %v", mask.Pix, want)
	}
}

func TestHeatMapErrors(t *testing.T) {
	good := ramp(3)
	cases := []struct {
		name          string
		m             *anomalymap.Map
		width, height int
		picture       int
		want          string
	}{
		{"no map", &anomalymap.Map{}, 2, 2, 12, "0 x 0"},
		{"too few values", square(3, make([]float32, 8)), 2, 2, 12, "3 x 3"},
		{"too many values", square(3, make([]float32, 10)), 2, 2, 12, "3 x 3"},
		{"NaN", square(1, []float32{float32(math.NaN())}), 2, 2, 12, "NaN at index 0"},
		{"infinity", square(1, []float32{float32(math.Inf(1))}), 2, 2, 12, "Inf at index 0"},
		{"no width", good, 0, 2, 0, "0 x 2"},
		{"negative height", good, 2, -2, 12, "2 x -2"},
		{"a size that overflows", good, math.MaxInt / 2, 3, 12, "invalid picture size"},
		{"another picture", good, 2, 2, 11, "12 bytes, got 11"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Overlay(c.m, plain, make([]uint8, c.picture), c.width, c.height)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// unit is the scale of most methods.
var unit = Scale{0, 1}

// plain is unit in our own colors.
var plain = Style{unit, Flame}

// TestScale: the ends of the scale have its first and last color, and values outside too.
func TestScale(t *testing.T) {
	s := Scale{0.25, 0.75}
	for value, want := range map[float32]uint8{-1: 0, 0.25: 0, 0.5: colors / 2, 0.75: colors - 1, 2: colors - 1} {
		if got := s.colorIndex(value); got != want {
			t.Errorf("%v has color %d, want %d", value, got, want)
		}
	}
	if bytes.Equal(ColorBar(Style{Scale: s}).Pix, ColorBar(plain).Pix) {
		t.Error("the color bar shows other numbers")
	}
}

func TestColorBar(t *testing.T) {
	bar := ColorBar(plain)
	scale := Palette()
	const x = 20 // inside the bar
	top, bottom := -1, -1
	for y := range bar.Bounds().Dy() {
		if bar.At(x, y) == scale[colors-1] && top < 0 {
			top = y
		}
		if bar.At(x, y) == scale[0] {
			bottom = y
		}
	}
	if top < 0 || bottom < 0 || (bottom-top)%4 != 0 {
		t.Fatalf("the bar runs from row %d to %d", top, bottom)
	}
	for quarter := range 5 {
		y := bottom - (bottom-top)*quarter/4
		want := lightness(scale[(colors-1)*quarter/4])
		if got := lightness(bar.At(x, y)); math.Abs(got-want) > 1 {
			t.Errorf("lightness %.1f at %d quarters, want %.1f", got, quarter, want)
		}
		if bar.RGBAAt(50, y) != (color.RGBA{0, 0, 0, 255}) {
			t.Errorf("no tick at %d quarters", quarter)
		}
	}
}

func BenchmarkOverlay(b *testing.B) {
	m := ramp(518)
	picture := make([]uint8, 3*1024*1024)
	for i := range picture {
		picture[i] = uint8(i * i >> 7)
	}
	b.Run("draw", func(b *testing.B) {
		for b.Loop() {
			if _, err := Overlay(m, plain, picture, 1024, 1024); err != nil {
				b.Fatal(err)
			}
		}
	})
	over, err := Overlay(m, plain, picture, 1024, 1024)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("encode", func(b *testing.B) {
		for b.Loop() {
			var file bytes.Buffer
			if err := EncodePNG(&file, over); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(file.Len()), "file-bytes")
		}
	})
}

// ramp returns a map that rises from 0 to 1.
func ramp(size int) *anomalymap.Map {
	values := make([]float32, size*size)
	for i := range values {
		values[i] = float32(i) / float32(len(values)-1)
	}
	return square(size, values)
}

func square(side int, scores []float32) *anomalymap.Map {
	return &anomalymap.Map{Width: side, Height: side, Scores: scores}
}

// lightness returns CIELAB's L* of an opaque sRGB color.
func lightness(c color.Color) float64 {
	var luminance float64
	red, green, blue, _ := c.RGBA()
	for i, value := range []uint32{red, green, blue} {
		encoded := float64(value) / 0xffff
		linear := encoded / 12.92
		if encoded > 0.04045 {
			linear = math.Pow((encoded+0.055)/1.055, 2.4)
		}
		luminance += linear * []float64{0.2126729, 0.7151522, 0.0721750}[i]
	}
	if luminance < 0.008856 {
		return 903.3 * luminance
	}
	return 116*math.Cbrt(luminance) - 16
}
