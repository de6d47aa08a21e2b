package picture

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"acdclip/pkg/data/pixels/picture/orientation"
)

// TestRefused: the error for an unsupported feature names it; the error for a damaged file says so.
func TestRefused(t *testing.T) {
	unsupported := map[string]string{
		"arithmetic.jpg":    "arithmetic coding",
		"lossless.jpg":      "lossless JPEG",
		"hierarchical.jpg":  "hierarchical JPEG",
		"jpeg_ls.jpg":       "JPEG-LS",
		"height_behind.jpg": "declares its height after the pixels (DNL)",
		"12_bits.jpg":       "JPEG with 12 bits per sample",
		"fractions.jpg":     "sampling factors 2 x 1 that do not divide the largest, 3 x 1",
		"compression.png":   "compression method",
	}
	for _, path := range inFolder(t, "testdata/refused", 20) {
		_, err := Decode(path, DecodeOptions{})
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want one with the path", path, err)
			continue
		}
		feature, isUnsupported := unsupported[filepath.Base(path)]
		if errors.Is(err, ErrNotSupported) != isUnsupported || !strings.Contains(err.Error(), feature) {
			t.Errorf("%v; want that %q is not supported", err, feature)
		}
		if isUnsupported && strings.Contains(err.Error(), "damaged") {
			t.Errorf("%v: the file is sound", err)
		}
	}
}

// FuzzOrientation: no metadata may cause a panic or an invalid orientation.
func FuzzOrientation(f *testing.F) {
	f.Add([]byte("II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00"), []byte(nil))
	f.Add([]byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x05\x00\x00\x00\x01\x00\x00\x00\x08"), []byte(`tiff:Orientation="8"`))
	f.Fuzz(func(t *testing.T, exif, xmp []byte) {
		if o := (metadata{exif, xmp}).orientation(); o < Upright || o > orientation.RotateLeft {
			t.Errorf("orientation %d", o)
		}
	})
}
