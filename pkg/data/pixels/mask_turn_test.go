package pixels

import (
	"errors"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels/picture"
)

// TestMaskTurnsWithItsPicture: a mask is rotated by its picture's orientation.
func TestMaskTurnsWithItsPicture(t *testing.T) {
	m := image.NewGray(image.Rect(0, 0, 16, 11))
	for x := range 16 {
		m.SetGray(x, 0, color.Gray{Y: 255}) // the stored top row, which orientation 6 rotates to the right column
	}
	path := filepath.Join(t.TempDir(), "mask.png")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(png.Encode(file, m), file.Close()); err != nil {
		t.Fatal(err)
	}
	item := data.Item{Path: "picture/testdata/pictures/exif6.jpg", Anomalous: true, Mask: path}
	for _, exif := range []bool{false, true} {
		p := loadItem([]data.Item{item}, 0, LoadOptions{Size: 11, Masks: true, Decode: picture.DecodeOptions{EXIF: exif}})
		if p.Err != nil {
			t.Fatal(p.Err)
		}
		topRight, bottomRight, topLeft := p.Mask[10], p.Mask[10*11+10], p.Mask[0]
		want := [3]uint8{1, 0, 1}
		if exif {
			want = [3]uint8{1, 1, 0}
		}
		if got := [3]uint8{topRight, bottomRight, topLeft}; got != want {
			t.Errorf("EXIF %v: corners %v, want %v", exif, got, want)
		}
		if exif != (p.Height > p.Width) {
			t.Errorf("EXIF %v: %d x %d pixels", exif, p.Width, p.Height)
		}
	}
}
