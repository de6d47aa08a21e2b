package picture

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestStoredIsDecode: for all fixtures and orientations, the rows of a Stored are those of
// Decode, in whatever bands, and so are its scaled copies.
func TestStoredIsDecode(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	turns := map[Orientation]bool{}
	for _, path := range fixtures(t) {
		for _, o := range []DecodeOptions{{}, {EXIF: true}, {Bits: 12}} {
			want, reading, err := Read(path, o)
			if o.Bits > 0 && errors.Is(err, ErrNotSupported) {
				if _, again := Open(path, o); again == nil || again.Error() != err.Error() {
					t.Errorf("%s: %v, want %v", path, again, err)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			turns[reading.Turn] = true
			s, err := Open(path, o)
			if err != nil {
				t.Fatal(err)
			}
			if s.Reading != reading {
				t.Errorf("%s, %+v: %+v, want %+v", path, o, s.Reading, reading)
			}
			var pix []uint8
			for first := 0; first < want.Height; {
				end := first + 1 + random.IntN(want.Height-first)
				band, err := s.Rows(first, end)
				if err != nil {
					t.Fatal(err)
				}
				pix, first = append(pix, band.Pix...), end
			}
			if s.Width != want.Width || s.Height != want.Height || !bytes.Equal(pix, want.Pix) {
				t.Errorf("%s, %+v: other pixels than Decode's", path, o)
			}
			for _, size := range [][2]int{{7, 5}, {90, 200}, {want.Width, 9}, {9, want.Height}, {want.Width, want.Height}} {
				scaled, err := s.ResizeBicubic(size[0], size[1])
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(scaled.Pix, want.ResizeBicubic(size[0], size[1]).Pix) {
					t.Errorf("%s, %+v, scaled to %d x %d: other pixels than Decode's", path, o, size[0], size[1])
				}
			}
		}
	}
	for o := Upright; o <= 8; o++ {
		if !turns[o] {
			t.Errorf("no picture has orientation %d", o)
		}
	}
}

// TestStoredTurns covers all orientations with more rows than are converted at a time.
func TestStoredTurns(t *testing.T) {
	const width, height = 90, 2*bandRows + 30
	path := write(t, "photo.png", encodePNG(t, photo(height).SubImage(image.Rect(0, 0, width, height))))
	im, err := Decode(path, DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for turn := Upright; turn <= 8; turn++ {
		s, err := Open(path, DecodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		want := turned(im, turn)
		s.Reading.Turn = turn
		if turn.Swaps() {
			s.Width, s.Height = s.Height, s.Width
			if s.upright, err = s.onItsSide(); err != nil {
				t.Fatal(err)
			}
		}
		upper, errUpper := s.Rows(0, 50)
		lower, errLower := s.Rows(50, s.Height)
		if errUpper != nil || errLower != nil {
			t.Fatal(errUpper, errLower)
		}
		if !bytes.Equal(slices.Concat(upper.Pix, lower.Pix), want.Pix) {
			t.Errorf("orientation %d: other rows", turn)
		}
		scaled, err := s.ResizeBicubic(40, 30)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(scaled.Pix, want.ResizeBicubic(40, 30).Pix) {
			t.Errorf("orientation %d: scaled otherwise", turn)
		}
	}
}

func TestCrop(t *testing.T) {
	im := noise(9, 7, 4)
	part := im.Crop(image.Rect(2, 3, 8, 7))
	if part.Width != 6 || part.Height != 4 {
		t.Fatalf("%d x %d", part.Width, part.Height)
	}
	for y := range part.Height {
		if !bytes.Equal(part.row(y), im.row(3 + y)[3*2:3*8]) {
			t.Errorf("row %d differs", y)
		}
	}
}

func TestOpenRefusesWhatDecodeDoes(t *testing.T) {
	for _, path := range inFolder(t, "testdata/refused", 20) {
		_, want := Decode(path, DecodeOptions{})
		s, got := Open(path, DecodeOptions{})
		if got == nil { // the pixels may fail only when they are converted
			_, got = s.Rows(0, s.Height)
		}
		if got == nil || want == nil || got.Error() != want.Error() {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
}

// TestRowsFail: an index beyond the palette is found when its row is converted.
func TestRowsFail(t *testing.T) {
	m := image.NewPaletted(image.Rect(0, 0, 4, 2), color.Palette{color.Black, color.White})
	m.Pix[7] = 2
	s := &Stored{Width: 4, Height: 2, path: "a.png", file: storedPicture{format: formats[0], pixels: m}, Reading: Reading{Turn: Upright}, depth: pictureDepth}
	if _, err := s.Rows(0, 1); err != nil {
		t.Error(err)
	}
	if _, err := s.Rows(1, 2); err == nil || !strings.HasPrefix(err.Error(), "a.png: ") {
		t.Errorf("got %v", err)
	}
	if _, err := s.ResizeBicubic(2, 1); err == nil {
		t.Error("it is scaled")
	}
}
