package picture

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

// TestMaskCountsWhatIsNotZero: non-zero values stay non-zero even if a conversion to bytes would round them to 0; alpha is ignored.
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
			mask, _, err := DecodeMask(write(t, "mask.png", encodePNG(t, m)), NonZero, DecodeOptions{}, Upright)
			if err != nil {
				t.Fatal(err)
			}
			mask.Binary(NonZero)
			if mask.Width != side || mask.Height != side || !bytes.Equal(mask.Pix, []uint8{0, 1, 0, 0}) {
				t.Errorf("mask %v", mask)
			}
		})
	}
}

func TestMaskErrors(t *testing.T) {
	if _, _, err := DecodeMask("testdata/missing.png", NonZero, DecodeOptions{}, Upright); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing: error %v", err)
	}
	if _, _, err := DecodeMask("testdata/pictures/rgb8.png", NonZero, DecodeOptions{MaxPixels: 10}, Upright); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too large: error %v", err)
	}
}
