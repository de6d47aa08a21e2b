package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"path/filepath"
	"slices"
	"testing"

	"acdclip/pkg/data/pixels/picture/orientation"
)

// TestCheckAgreesWithDecode covers whole and truncated pictures.
func TestCheckAgreesWithDecode(t *testing.T) {
	for _, path := range append(fixtures(t), inFolder(t, "testdata/refused", 20)...) {
		content := read(t, path)
		for _, length := range []int{len(content), len(content) - 1, len(content) - 20, len(content) / 2, 40, 0} {
			checkAgrees(t, write(t, filepath.Base(path), content[:max(0, length)]))
		}
	}
}

// TestCheckPaletteIndex: for an index beyond the palette, Check fails exactly if Decode does.
func TestCheckPaletteIndex(t *testing.T) {
	m := image.NewPaletted(image.Rect(0, 0, 4, 1), color.Palette{color.Black, color.White})
	file := storedPicture{format: formats[0], pixels: m}
	if !file.converts() {
		t.Error("a sound palette is not known to convert")
	}
	m.Pix[3] = 2
	if _, err := file.image(pictureDepth); err == nil || file.converts() {
		t.Error("an index beyond the palette is taken as sound")
	}
	if _, _, err := file.grey(maskDepth, Upright); err == nil {
		t.Error("an index beyond the palette has a grey value")
	}
}

// checkAgrees checks that Check, Decode and DecodeMask give the same result.
func checkAgrees(t *testing.T, path string) {
	t.Helper()
	for _, o := range []DecodeOptions{{}, {EXIF: true}, {MaxPixels: 100}, {Bits: 12}} {
		info, reading, err := Check(path, o)
		im, want, wantErr := Read(path, o)
		if fmt.Sprint(err) != fmt.Sprint(wantErr) || reading != want {
			t.Errorf("%s: error %v, %+v; reading it gives %v, %+v", path, err, reading, wantErr, want)
		}
		mask, maskInfo, maskErr := DecodeMask(path, NonZero, o, Upright)
		if maskErr == nil && errors.Is(err, ErrNotSupported) {
			continue // for example floats of any range, which a mask may have
		}
		if fmt.Sprint(maskErr) != fmt.Sprint(err) || maskInfo != info {
			t.Errorf("%s: error %v, %v; as a mask %v, %v", path, err, info, maskErr, maskInfo)
		}
		if err != nil {
			continue
		}
		if mask.Width != info.Width || mask.Height != info.Height || len(mask.Pix) != info.Width*info.Height {
			t.Errorf("%s: a mask of %d x %d pixels in %d bytes; the picture has %d x %d", path, mask.Width, mask.Height, len(mask.Pix), info.Width, info.Height)
		}
		if reading.Turn.Swaps() {
			info.Width, info.Height = info.Height, info.Width
		}
		if info.Width != im.Width || info.Height != im.Height {
			t.Errorf("%s: %d x %d pixels; decoding it gives %d x %d", path, info.Width, info.Height, im.Width, im.Height)
		}
	}
}

// TestMaskColor: for any storage and orientation, a picture's grey is that of its RGB,
// and it is colored if channels differ.
func TestMaskColor(t *testing.T) {
	for _, path := range fixtures(t) {
		im, err := Decode(path, DecodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, turn := range []Orientation{Upright, orientation.Mirrored, orientation.RotateRight} {
			want, wantColored := turned(im, turn).toGrey()
			got, info, colors, err := DecodeMaskColor(path, 2, DecodeOptions{}, turn)
			if err != nil {
				t.Fatal(err)
			}
			if got.Width != want.Width || got.Height != want.Height || !bytes.Equal(got.Pix, want.Pix) || colors.Colored != wantColored {
				t.Errorf("%s turned by %d, %s %s: other values, or colored %v and not %v", path, turn, info.Format, info.Mode, colors.Colored, wantColored)
			}
			if !colors.Palette && colors.First != (color.NRGBA{}) {
				t.Errorf("%s has no palette, and its first color is %v", path, colors.First)
			}
		}
	}
}

// TestDeepMasks: 16-bit values are scaled to bytes, but non-zero values stay non-zero.
func TestDeepMasks(t *testing.T) {
	m := image.NewGray16(image.Rect(0, 0, 5, 1))
	for x, v := range []uint16{0, 1, 257, 0x8000, 0xffff} {
		m.SetGray16(x, 0, color.Gray16{Y: v})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	path := write(t, "deep.png", b.Bytes())
	for threshold, want := range map[uint8][]uint8{NonZero: {0, 1, 1, 128, 255}, 128: {0, 0, 1, 128, 255}} {
		g, _, err := DecodeMask(path, threshold, DecodeOptions{}, Upright)
		if err != nil || !bytes.Equal(g.Pix, want) {
			t.Errorf("threshold %d: %v, %v; want %v", threshold, g, err, want)
		}
	}
}

// TestMaxNearest compares MaxNearest with the result of ResizeNearest.
func TestMaxNearest(t *testing.T) {
	for _, size := range []image.Point{{1, 1}, {7, 5}, {16, 11}, {40, 3}} {
		for at := range size.X * size.Y {
			g := &Grey{size.X, size.Y, make([]uint8, size.X*size.Y)}
			g.Pix[at] = 9
			for _, side := range []int{1, 4, 8, 50} {
				want := slices.Max(g.ResizeNearest(side, side).Pix)
				if got := g.MaxNearest(side, side, 255); got != want {
					t.Errorf("%v to %d, 9 at %d: %d, want %d", size, side, at, got, want)
				}
				if got := g.MaxNearest(side, side, 1); (got >= 1) != (want >= 1) {
					t.Errorf("%v to %d, 9 at %d: %d, want %d", size, side, at, got, want)
				}
			}
		}
	}
}

// FuzzCheck: for any content, Check gives the same result as Decode.
func FuzzCheck(f *testing.F) {
	for _, path := range slices.Concat(fixtures(f), inFolder(f, "testdata/refused", 20), inFolder(f, "testdata/float", 29)) {
		f.Add(read(f, path))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 1<<16 {
			checkAgrees(t, write(t, "picture", b))
		}
	})
}
