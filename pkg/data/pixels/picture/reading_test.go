package picture

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"acdclip/pkg/data/pixels/picture/orientation"
)

// TestBits compares all values of all depths with rounding in float64, as numpy does.
func TestBits(t *testing.T) {
	for bits := 8; bits <= 16; bits++ {
		most := float64(int(1)<<bits - 1)
		scale := ofBits(bits)
		for v := range 1 << 16 {
			want := uint8(math.Floor(math.Min(float64(v), most)/most*255 + 0.5))
			if got := scale.grey(uint16(v)); got != want || scale.color(uint16(v)) != want {
				t.Fatalf("%d of %d bits: %d, want %d", v, bits, got, want)
			}
		}
	}
	for v := range 1 << 16 {
		if got, want := ofBits(16).grey(uint16(v)), rounded(uint16(v)); got != want {
			t.Fatalf("%d of 16 bits: %d, want %d as without a depth", v, got, want)
		}
	}
}

// deepPNG returns a grey or RGB picture of four pixels with these values, and 16-bit alpha
// where it is wanted.
func deepPNG(t *testing.T, colored, alpha bool, values [4]uint16) string {
	t.Helper()
	bounds := image.Rect(0, 0, 4, 1)
	grey, rgb := image.NewGray16(bounds), image.NewNRGBA64(bounds)
	for x, v := range values {
		grey.SetGray16(x, 0, color.Gray16{Y: v})
		c := color.NRGBA64{R: v / 2, G: v, B: 0, A: math.MaxUint16}
		if alpha && x == 0 {
			c.A = 40000
		}
		rgb.SetNRGBA64(x, 0, c)
	}
	if colored {
		return write(t, "deep.png", encodePNG(t, rgb))
	}
	return write(t, "deep.png", encodePNG(t, grey))
}

// TestDepth: Bits scales channels of 16 bits, in the file or not, and Reading has the largest.
func TestDepth(t *testing.T) {
	values := [4]uint16{0, 2048, 4095, 5000}
	for _, test := range []struct {
		colored, alpha bool
		bits           int
		want           string // of the second channel
	}{
		{false, false, 0, "[0 8 16 19]"},
		{true, false, 0, "[0 8 15 19]"}, // the high byte
		{false, false, 12, "[0 128 255 255]"},
		{true, false, 12, "[0 128 255 255]"},
		{true, true, 12, "[0 128 255 255]"},
		{true, true, 16, "[0 8 16 19]"},
	} {
		path := deepPNG(t, test.colored, test.alpha, values)
		im, reading, err := Read(path, DecodeOptions{Bits: test.bits})
		if err != nil {
			t.Fatal(err)
		}
		var got []uint8
		for i := range 4 {
			got = append(got, im.Pix[3*i+1])
		}
		if fmt.Sprint(got) != test.want || reading != (Reading{Turn: Upright, Largest: 5000}) {
			t.Errorf("%+v: %v, %+v", test, got, reading)
		}
		checkAgrees(t, path)
	}
}

// TestDepthElsewhere: Bits has no effect on masks and pictures of other depths.
func TestDepthElsewhere(t *testing.T) {
	for _, path := range []string{"pictures/rgb8.png", "pictures/grey8.png", "pictures/palette4.png", "pictures/grey.jpg", "tiff/grey12.tif", "tiff/signed16_little.tif", "float/grey_big.tif"} {
		path = filepath.Join("testdata", path)
		want, _, err := Read(path, DecodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		im, reading, err := Read(path, DecodeOptions{Bits: 10})
		if err != nil || string(im.Pix) != string(want.Pix) || reading.Largest != 0 {
			t.Errorf("%s: %+v, error %v, same pixels %v", path, reading, err, string(im.Pix) == string(want.Pix))
		}
	}
	path := deepPNG(t, false, false, [4]uint16{0, 1, 4095, 65535})
	want, _, _ := DecodeMask(path, 128, DecodeOptions{}, Upright)
	if mask, _, err := DecodeMask(path, 128, DecodeOptions{Bits: 10}, Upright); err != nil || string(mask.Pix) != string(want.Pix) {
		t.Errorf("a mask: %v, %v; want %v", mask, err, want)
	}
}

// TestDepthThatIsLost: with Bits, 16-bit colors that are converted from 8 bits are refused.
func TestDepthThatIsLost(t *testing.T) {
	for _, name := range []string{"cmyk16.tif", "rgb16_4_1.tif"} {
		path := filepath.Join("testdata/tiff", name)
		if _, err := Decode(path, DecodeOptions{}); err != nil {
			t.Fatal(err)
		}
		if _, err := Decode(path, DecodeOptions{Bits: 12}); !errors.Is(err, ErrNotSupported) || !strings.Contains(err.Error(), "data.depth") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestDim(t *testing.T) {
	for largest, want := range map[uint16]bool{0: false, 1: true, 1023: true, 4095: true, 1<<14 - 1: true, 1 << 14: false, 65535: false} {
		if got := (Reading{Largest: largest}).Dim(); got != want {
			t.Errorf("%d: %v", largest, got)
		}
	}
}

// TestReadingTurns: the orientation is that of EXIF if it is applied.
func TestReadingTurns(t *testing.T) {
	for o, want := range map[DecodeOptions]Orientation{{}: Upright, {EXIF: true}: orientation.RotateRight} {
		if _, reading, err := Read("testdata/pictures/exif6.jpg", o); err != nil || reading.Turn != want {
			t.Errorf("%+v: %+v, %v", o, reading, err)
		}
	}
}
