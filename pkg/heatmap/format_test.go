package heatmap

import (
	"bytes"
	"image"
	"testing"
)

func TestFormats(t *testing.T) {
	picture := image.NewRGBA(image.Rect(0, 0, 20, 10))
	for format, want := range map[Format]string{PNG: "png", JPEG: "jpeg"} {
		var content bytes.Buffer
		if err := format.Encode(&content, picture); err != nil {
			t.Fatal(err)
		}
		config, name, err := image.DecodeConfig(&content)
		if err != nil || name != want || config.Width != 20 || config.Height != 10 {
			t.Errorf("%s: %v %s, %v", format, config, name, err)
		}
	}
	if PNG.Extension() != ".png" || JPEG.Extension() != ".jpg" {
		t.Errorf("%s, %s", PNG.Extension(), JPEG.Extension())
	}
}

func TestWithin(t *testing.T) {
	for _, c := range [][5]int{{4000, 3000, 1000, 1000, 750}, {3000, 4000, 1000, 750, 1000}, {10, 20, 100, 10, 20}, {10, 20, 0, 10, 20}, {20000, 2, 100, 100, 1}} {
		if width, height := Within(c[0], c[1], c[2]); width != c[3] || height != c[4] {
			t.Errorf("%v: %d x %d", c, width, height)
		}
	}
}
