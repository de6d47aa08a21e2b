package anomalymap

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// scripts/fixtures/maps.py writes the files in testdata with NumPy, tifffile and Pillow.

func fixtures(t testing.TB, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no fixtures %s (%v)", pattern, err)
	}
	return paths
}

func content(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decode(b []byte) (*Map, error) {
	return Decode(bytes.NewReader(b), int64(len(b)), Options{})
}

// bitsOf returns the scores' bits, so that NaN and -0 can be compared.
func bitsOf(scores []float32) []uint32 {
	b := make([]uint32, len(scores))
	for i, score := range scores {
		b[i] = math.Float32bits(score)
	}
	return b
}

func same(a, b *Map) bool {
	return a.Width == b.Width && a.Height == b.Height && slices.Equal(bitsOf(a.Scores), bitsOf(b.Scores))
}

// expected returns the map from which the fixture at path was written.
func expected(t *testing.T, path string) *Map {
	t.Helper()
	var e struct {
		Height, Width int
		Bits          string
	}
	if err := json.Unmarshal(content(t, filepath.Join("testdata/expected", filepath.Base(path)+".json")), &e); err != nil {
		t.Fatal(err)
	}
	b, err := hex.DecodeString(e.Bits)
	if err != nil {
		t.Fatal(err)
	}
	m := &Map{Width: e.Width, Height: e.Height}
	for ; len(b) >= 4; b = b[4:] {
		m.Scores = append(m.Scores, math.Float32frombits(binary.BigEndian.Uint32(b)))
	}
	return m
}

func TestReadsWhatOthersSaved(t *testing.T) {
	for _, path := range fixtures(t, "maps/*") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			want := expected(t, path)
			got, err := Read(path, Options{MaxPixels: int64(len(want.Scores))})
			if err != nil {
				t.Fatal(err)
			}
			if !same(got, want) {
				t.Errorf("%d x %d, %x; want %d x %d, %x", got.Height, got.Width, bitsOf(got.Scores), want.Height, want.Width, bitsOf(want.Scores))
			}
			if len(want.Scores) == 1 {
				return // no smaller MaxPixels exists, because 0 means the default
			}
			if _, err = Read(path, Options{MaxPixels: int64(len(want.Scores)) - 1}); !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), path) {
				t.Errorf("with one pixel too many: %v", err)
			}
		})
	}
}

// TestCutShort: no truncated file is read as another map.
func TestCutShort(t *testing.T) {
	for _, path := range fixtures(t, "maps/*") {
		whole := content(t, path)
		want, err := decode(whole)
		if err != nil {
			t.Fatal(err)
		}
		for n := range whole {
			got, err := decode(whole[:n])
			if err == nil && (strings.HasSuffix(path, ".npy") || !same(got, want)) {
				t.Fatalf("%s: %d of %d bytes are read as a map", path, n, len(whole))
			}
		}
	}
}

func TestRefusedFixtures(t *testing.T) {
	cases := map[string]string{
		"batch.npy":       "shape is (2, 5, 7), expected (H, W)",
		"channels.npy":    "shape is (5, 7, 3), expected (H, W)",
		"vector.npy":      "shape is (7,), expected (H, W)",
		"scalar.npy":      "shape is (), expected (H, W)",
		"structured.npy":  "dtype [('score', '<f4'), ('weight', '<f8')] is structured",
		"unicode.npy":     "dtype [('日', '<f4')] is structured",
		"object.npy":      `dtype "|O"`,
		"bool.npy":        `dtype "|b1"`,
		"u4.npy":          `dtype "<u4"`,
		"complex.npy":     `dtype "<c8"`,
		"text.npy":        `dtype "<U4"`,
		"date.npy":        `dtype "<M8[s]"`,
		"inexact_i4.npy":  "integer 16777217 is not exact",
		"inexact_i8.npy":  "integer -4611686018427387903 is not exact",
		"empty.npy":       "height 0 and width 7",
		"deflate.tiff":    "compressed (scheme 8); save the map as uncompressed",
		"lzw.tiff":        "compressed (scheme 5); save the map as uncompressed",
		"big.tiff":        "BigTIFF is not supported; save the map as a classic TIFF",
		"f8.tiff":         "64-bit samples of format 3",
		"f2.tiff":         "16-bit samples of format 3",
		"i2.tiff":         "16-bit samples of format 2",
		"u4.tiff":         "32-bit samples of format 1",
		"bilevel.tiff":    "photometric interpretation 0",
		"rgb.tiff":        "3 samples per pixel",
		"planes.tiff":     "2 samples per pixel",
		"pages.tiff":      "several pages",
		"palette.tiff":    "photometric interpretation 3",
		"white.tiff":      "photometric interpretation 0",
		"turned.tiff":     "orientation 6",
		"1.png":           "1-bit grey;",
		"LA.png":          "8-bit grey with alpha;",
		"P.png":           "8-bit palette;",
		"RGB.png":         "8-bit color;",
		"RGBA.png":        "8-bit color with alpha;",
		"transparent.png": "8-bit grey with a transparent value",
		"archive.npz":     "a ZIP archive",
		"pickle.pkl":      "a Python pickle",
		"grey.jpg":        "a JPEG picture",
	}
	foreign := []string{".npz", ".pkl", ".jpg"}
	paths := fixtures(t, "refused/*")
	if len(paths) != len(cases) {
		t.Errorf("%d fixtures for %d cases", len(paths), len(cases))
	}
	for _, path := range paths {
		name := filepath.Base(path)
		_, err := Read(path, Options{})
		if err == nil {
			t.Errorf("%s is read", name)
			continue
		}
		for _, part := range []string{path, cases[name], "save"} {
			if part == "" || !strings.Contains(err.Error(), part) {
				t.Errorf("%q does not say %q", err, part)
			}
		}
		if isForeign := slices.Contains(foreign, filepath.Ext(name)); errors.Is(err, ErrNotMap) != isForeign {
			t.Errorf("%s: ErrNotMap is %v: %v", name, !isForeign, err)
		}
	}
}
