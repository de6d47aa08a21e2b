package anomalymap

import (
	"bytes"
	"errors"
	"image/color"
	"image/png"
	"math"
	"path/filepath"
	"slices"
	"testing"
)

// TestWritesWhatNumPyWrites compares with the fixtures, which np.save wrote.
func TestWritesWhatNumPyWrites(t *testing.T) {
	for _, name := range []string{"f4", "one", "row", "column"} {
		path := filepath.Join("testdata/maps", name+".npy")
		_, written := rewritten(t, path)
		if want := content(t, path); !bytes.Equal(written, want) {
			t.Errorf("%s: %q, want %q", name, written, want)
		}
	}
}

// rewritten reads a map and writes it as .npy.
func rewritten(t *testing.T, path string) (*Map, []byte) {
	t.Helper()
	m, err := Read(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := WriteNPY(&b, m); err != nil {
		t.Fatal(err)
	}
	return m, b.Bytes()
}

func TestNPYHeaderIsAligned(t *testing.T) {
	for side := 1; side < math.MaxInt/10; side *= 10 {
		for _, header := range []string{npyFileHeader(side, 1), npyFileHeader(1, side), npyFileHeader(side, side)} {
			if len(header)%64 != 0 || len(header) != 10+int(header[8])+int(header[9])<<8 {
				t.Errorf("%q has %d bytes", header, len(header))
			}
		}
	}
}

func TestRoundTrips(t *testing.T) {
	for _, path := range fixtures(t, "maps/*") {
		m, written := rewritten(t, path)
		if back, err := decode(written); err != nil || !same(back, m) {
			t.Errorf("%s: another map comes back (%v)", path, err)
		}
	}
}

// TestTIFFRoundTrips: what WriteTIFF writes is read again to the bit.
func TestTIFFRoundTrips(t *testing.T) {
	for _, path := range fixtures(t, "maps/*") {
		m, err := Read(path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		var written bytes.Buffer
		if err := WriteTIFF(&written, m); err != nil {
			t.Fatal(err)
		}
		if back, err := decode(written.Bytes()); err != nil || !same(back, m) {
			t.Errorf("%s: another map comes back (%v)", path, err)
		}
	}
}

// TestPNGKeepsGrey: each of the 65536 values stays equal when written and read again.
func TestPNGKeepsGrey(t *testing.T) {
	m := newMap(256, 256)
	for i := range m.Scores {
		m.Scores[i] = float32(i) / 65535
	}
	var b bytes.Buffer
	if err := WritePNG16(&b, m); err != nil {
		t.Fatal(err)
	}
	if back, err := decode(b.Bytes()); err != nil || !same(back, m) {
		t.Errorf("another map comes back (%v)", err)
	}
}

func TestPNGRoundsAndClamps(t *testing.T) {
	inf := float32(math.Inf(1))
	scores := []float32{-inf, -1, float32(math.Copysign(0, -1)), 0.4 / 65535, 0.6 / 65535, 0.5, 1, 1.5, inf}
	var b bytes.Buffer
	if err := WritePNG16(&b, &Map{3, 3, scores}); err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(&b)
	if err != nil || picture.ColorModel() != color.Gray16Model {
		t.Fatal(err)
	}
	got := []uint32{}
	for i := range scores {
		v, _, _, _ := picture.At(i%3, i/3).RGBA()
		got = append(got, v)
	}
	if want := []uint32{0, 0, 0, 0, 1, 32768, 65535, 65535, 65535}; !slices.Equal(got, want) {
		t.Errorf("%d, want %d", got, want)
	}
	if err := WritePNG16(&b, &Map{1, 2, []float32{0, float32(math.NaN())}}); err == nil {
		t.Error("a NaN is written")
	}
}

func TestWritersRefuseWrongSizes(t *testing.T) {
	for _, m := range []*Map{{}, {0, 1, nil}, {1, 1, nil}, {2, 2, make([]float32, 3)}, {2, 1, make([]float32, 4)}, {-1, -1, make([]float32, 1)}, {math.MaxInt, math.MaxInt, make([]float32, 1)}} {
		var b bytes.Buffer
		if WriteNPY(&b, m) == nil || WritePNG16(&b, m) == nil || WriteTIFF(&b, m) == nil || b.Len() > 0 {
			t.Errorf("a map of %d x %d pixels with %d scores is written", m.Width, m.Height, len(m.Scores))
		}
	}
}

// full is a writer that fails like a full disk.
type full struct{}

var errFull = errors.New("no room")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWritersReportErrors(t *testing.T) {
	m := newMap(100, 100)
	if err := WriteNPY(full{}, m); !errors.Is(err, errFull) {
		t.Error(err)
	}
	if err := WriteTIFF(full{}, m); !errors.Is(err, errFull) {
		t.Error(err)
	}
	if err := WritePNG16(full{}, m); !errors.Is(err, errFull) {
		t.Error(err)
	}
}
