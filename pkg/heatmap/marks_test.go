package heatmap

import (
	"bytes"
	"image"
	"image/color"
	"slices"
	"testing"
)

// TestOutline: only the border of a region is drawn, inside it, and at the picture's border too.
func TestOutline(t *testing.T) {
	mask := image.NewGray(image.Rect(0, 0, 8, 8))
	for y := 2; y < 7; y++ {
		for x := 4; x < 8; x++ {
			mask.SetGray(x, y, color.Gray{Y: 255})
		}
	}
	overlay := image.NewRGBA(mask.Bounds())
	Outline(overlay, mask, Flame.RegionColor())
	var got []string
	for y := range 8 {
		row := ""
		for x := range 8 {
			if overlay.RGBAAt(x, y) == Flame.RegionColor() {
				row += "#"
			} else {
				row += "."
			}
		}
		got = append(got, row)
	}
	want := []string{"........", "........", "....####", "....#..#", "....#..#", "....#..#", "....####", "........"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// TestOutlineOfLargePictures: the line is wider, and stays in the picture.
func TestOutlineOfLargePictures(t *testing.T) {
	mask := image.NewGray(image.Rect(0, 0, 1000, 900))
	mask.SetGray(999, 899, color.Gray{Y: 255})
	overlay := image.NewRGBA(mask.Bounds())
	Outline(overlay, mask, Flame.RegionColor())
	count := 0
	for i := 0; i < len(overlay.Pix); i += 4 {
		if overlay.Pix[i+1] == 255 {
			count++
		}
	}
	if count != 9 { // reach 2 in two directions: 3 x 3
		t.Errorf("%d pixels are drawn, want 9", count)
	}
}

func TestCaption(t *testing.T) {
	small := image.NewRGBA(image.Rect(0, 0, 30, 30))
	Caption(small, "score 0.43")
	if !bytes.Equal(small.Pix, make([]byte, len(small.Pix))) {
		t.Error("a small picture has changed")
	}
	for _, side := range []int{100, 1000} {
		picture := image.NewRGBA(image.Rect(0, 0, side, side))
		Caption(picture, "score 0.43")
		enlarged := max(1, side/400)
		white := 0
		for y := range side {
			for x := range side {
				switch picture.RGBAAt(x, y) {
				case color.RGBA{255, 255, 255, 255}:
					white++
				case color.RGBA{}:
					if y >= side-19*enlarged && x < 76*enlarged {
						t.Fatalf("%d: the box has a hole at %d, %d", side, x, y)
					}
				}
			}
		}
		if white < 100*enlarged*enlarged {
			t.Errorf("%d: %d white pixels are too few for a text", side, white)
		}
	}
}

func TestAround(t *testing.T) {
	if got := (Scale{0, 1}).Around(0.3); got.Low != 0 || got.High < 0.4999 || got.High > 0.5001 {
		t.Errorf("%v", got)
	}
	if got := (Scale{0.5, 1}).Around(0.4); got != (Scale{0.5, 1}) {
		t.Errorf("a threshold below the scale: %v", got)
	}
}
