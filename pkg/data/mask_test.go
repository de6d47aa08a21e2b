package data

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"os"
	"testing"
)

func encodePNG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestMaskCountsWhatIsNotZero: also values that a conversion to bytes would lose, but not what alpha hides.
func TestMaskCountsWhatIsNotZero(t *testing.T) {
	const side = 2
	bounds := image.Rect(0, 0, side, side)
	grey, grey16 := image.NewGray(bounds), image.NewGray16(bounds)
	rgba, rgba64 := image.NewNRGBA(bounds), image.NewNRGBA64(bounds)
	palette := image.NewPaletted(bounds, color.Palette{color.Black, color.NRGBA{R: 9, A: 128}})
	grey.SetGray(1, 0, color.Gray{Y: 1})
	grey16.SetGray16(1, 0, color.Gray16{Y: 1})
	rgba.SetNRGBA(1, 0, color.NRGBA{R: 200, A: 0})
	rgba.SetNRGBA(0, 0, color.NRGBA{A: 255})
	rgba64.SetNRGBA64(1, 0, color.NRGBA64{B: 1, A: 0})
	palette.SetColorIndex(1, 0, 1)
	for name, m := range map[string]image.Image{"grey": grey, "grey16": grey16, "rgba": rgba, "rgba64": rgba64, "palette": palette} {
		t.Run(name, func(t *testing.T) {
			mask, err := DecodeMask(write(t, "mask.png", encodePNG(t, m)), side, DecodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if mask.Width != side || mask.Height != side || !bytes.Equal(mask.Pix, []uint8{0, 1, 0, 0}) {
				t.Errorf("mask %v", mask)
			}
		})
	}
}

func TestMaskErrors(t *testing.T) {
	if _, err := DecodeMask("testdata/missing.png", 8, DecodeOptions{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing: error %v", err)
	}
	if _, err := DecodeMask("testdata/pictures/rgb8.png", 8, DecodeOptions{MaxPixels: 10}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too large: error %v", err)
	}
}

// TestMaskTurnsWithItsPicture: a mask has no orientation of its own.
func TestMaskTurnsWithItsPicture(t *testing.T) {
	m := image.NewGray(image.Rect(0, 0, 16, 11))
	for x := range 16 {
		m.SetGray(x, 0, color.Gray{Y: 255}) // the stored top row, upright on the right for orientation 6
	}
	path := write(t, "mask.png", encodePNG(t, m))
	item := Item{Path: "testdata/pictures/exif6.jpg", Anomalous: true, Mask: path}
	for _, exif := range []bool{false, true} {
		p := loadItem(item, 0, LoadOptions{Size: 11, Masks: true, Decode: DecodeOptions{EXIF: exif}})
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
