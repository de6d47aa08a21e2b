package heatmap

import (
	"testing"

	"acdclip/pkg/anomalymap"
)

// A map that is not square, such as that of a picture in tiles, keeps its places.
func TestWideMap(t *testing.T) {
	const width, height, times = 40, 10, 3
	m := &anomalymap.Map{Width: width, Height: height, Scores: make([]float32, width*height)}
	for y := 4; y < 7; y++ {
		for x := 30; x < 33; x++ {
			m.Scores[y*width+x] = 1
		}
	}
	mask, err := Mask(m, 0.99, times*width, times*height)
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := Overlay(m, plain, make([]uint8, 3*times*width*times*height), times*width, times*height)
	if err != nil {
		t.Fatal(err)
	}
	for y := range times * height {
		for x := range times * width {
			centre := x/times == 31 && y/times == 5 // the neighbours' values are mixed with zeros
			outside := x/times < 29 || x/times > 33 || y/times < 3 || y/times > 7
			if marked := mask.GrayAt(x, y).Y != 0; centre && !marked || outside && marked {
				t.Fatalf("(%d, %d) of the mask is %v", x, y, marked)
			}
			if same := overlay.RGBAAt(x, y) == overlay.RGBAAt(0, 0); centre && same || outside && !same {
				t.Fatalf("(%d, %d) of the overlay is %v", x, y, overlay.RGBAAt(x, y))
			}
		}
	}
}
