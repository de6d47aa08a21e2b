package heatmap

import (
	"image"
	"image/color"
	"image/draw"
	"strings"
	"testing"

	"golang.org/x/image/font"
)

func TestFigure(t *testing.T) {
	red := image.NewRGBA(image.Rect(0, 0, 200, 100))
	draw.Draw(red, red.Bounds(), image.NewUniform(color.RGBA{255, 0, 0, 255}), image.Point{}, draw.Src)
	white := image.NewGray(image.Rect(0, 0, 200, 100))
	drawn, err := Figure([]Panel{{"picture", red}, {"mask", white}}, []string{"a.png", strings.Repeat("long ", 200)})
	if err != nil {
		t.Fatal(err)
	}
	counts := map[color.Color]int{}
	for y := range drawn.Bounds().Dy() {
		for x := range drawn.Bounds().Dx() {
			counts[drawn.At(x, y)]++
		}
	}
	if got := counts[color.RGBA{255, 0, 0, 255}]; got != 200*100 {
		t.Errorf("%d red pixels", got)
	}
	if got := counts[color.RGBA{0, 0, 0, 255}]; got < 200*100+20 {
		t.Errorf("%d black pixels, want those of the mask and of letters", got)
	}
	if size := drawn.Bounds().Size(); size.X != 2*200+3*12 {
		t.Errorf("the figure has %v pixels", size)
	}
}

// TestShortened: what is too long keeps its end, in letters and not in bytes.
func TestShortened(t *testing.T) {
	face, err := newFace(13)
	if err != nil {
		t.Fatal(err)
	}
	defer face.Close()
	const text = "photos/größe/ü螺丝/äöü.png"
	if got := shortened(face, text, 10_000); got != text {
		t.Errorf("with room: %q", got)
	}
	for room := range 150 {
		got := shortened(face, text, room)
		if rest, cut := strings.CutPrefix(got, "…"); got != "" && (!cut || !strings.HasSuffix(text, rest)) || font.MeasureString(face, got).Ceil() > room {
			t.Errorf("%d pixels: %q", room, got)
		}
	}
}
