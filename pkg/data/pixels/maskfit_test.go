package pixels

import (
	"errors"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels/picture"
)

// The rotation of a mask for all EXIF orientations and its possible sizes.
func TestFitMask(t *testing.T) {
	const upright, mirrored, half, transposed, right = picture.Orientation(1), picture.Orientation(2), picture.Orientation(3), picture.Orientation(5), picture.Orientation(6)
	tests := []struct {
		name    string
		upright Size
		mask    Size
		turn    picture.Orientation
		want    picture.Orientation
		fit     MaskFit
	}{
		{"a plain picture", Size{160, 110}, Size{160, 110}, upright, upright, MaskFits},
		{"an orientation that is not given", Size{160, 110}, Size{160, 110}, 0, upright, MaskFits},
		{"a plain picture and a smaller mask", Size{160, 110}, Size{80, 55}, upright, upright, MaskFits},
		{"a plain picture and a mask that lies", Size{160, 110}, Size{110, 160}, upright, upright, MaskOtherAspect},
		{"drawn over the stored picture", Size{110, 160}, Size{160, 110}, right, right, MaskFits},
		{"drawn upright", Size{110, 160}, Size{110, 160}, right, upright, MaskFits},
		{"drawn upright and smaller", Size{110, 160}, Size{56, 80}, right, upright, MaskFits},
		{"drawn over the stored picture and smaller", Size{110, 160}, Size{80, 55}, transposed, transposed, MaskFits},
		{"almost square: the size tells", Size{100, 101}, Size{100, 101}, right, upright, MaskFits},
		{"almost square: the size tells of the stored one, too", Size{100, 101}, Size{101, 100}, right, right, MaskFits},
		{"almost square and smaller", Size{1000, 1001}, Size{500, 500}, right, right, MaskEitherWay},
		{"a square", Size{100, 100}, Size{100, 100}, right, right, MaskEitherWay},
		{"a half turn", Size{160, 110}, Size{160, 110}, half, half, MaskEitherWay},
		{"mirrored", Size{160, 110}, Size{80, 55}, mirrored, mirrored, MaskEitherWay},
		{"neither", Size{110, 160}, Size{100, 100}, right, right, MaskOtherAspect},
		{"2 % are one aspect ratio", Size{1000, 1000}, Size{1020, 1000}, upright, upright, MaskFits},
		{"more are not", Size{1000, 1000}, Size{1021, 1000}, upright, upright, MaskOtherAspect},
	}
	for _, test := range tests {
		turn, fit := FitMask(test.upright, test.mask, test.turn)
		if turn = max(turn, upright); turn != test.want || fit != test.fit {
			t.Errorf("%s: turned by %d, fit %d, want %d and %d", test.name, turn, fit, test.want, test.fit)
		}
	}
}

// writeGrey writes a grey PNG with the given pixels.
func writeGrey(t *testing.T, path string, width int, pix ...uint8) string {
	t.Helper()
	m := &image.Gray{Pix: pix, Stride: width, Rect: image.Rect(0, 0, width, len(pix)/width)}
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(png.Encode(file, m), file.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// A mask that was drawn over the upright picture is not rotated.
func TestMaskDrawnUprightStays(t *testing.T) {
	const width, height = 11, 16 // upright; the picture is stored as 16 x 11
	pix := make([]uint8, width*height)
	pix[0] = 200 // the top left corner
	path := writeGrey(t, filepath.Join(t.TempDir(), "mask.png"), width, pix...)
	item := data.Item{Path: "picture/testdata/pictures/exif6.jpg", Anomalous: true, Mask: path}
	for exif, want := range map[bool]MaskFit{true: MaskFits, false: MaskOtherAspect} {
		p := loadItem([]data.Item{item}, 0, LoadOptions{Size: 16, Masks: true, Decode: picture.DecodeOptions{EXIF: exif}})
		if p.Err != nil || p.MaskFit != want || p.Mask[0] != 1 || p.Mask[15] != 0 || p.Mask[15*16] != 0 {
			t.Errorf("EXIF %v: error %v, fit %d, corners %d %d %d", exif, p.Err, p.MaskFit, p.Mask[0], p.Mask[15], p.Mask[15*16])
		}
	}
}

// A mask of several files is the union of their thresholded pixels, even if sizes differ.
func TestMaskOfSeveralFiles(t *testing.T) {
	folder := t.TempDir()
	parts := []string{
		writeGrey(t, filepath.Join(folder, "0.png"), 2, 3, 0, 0, 0),
		writeGrey(t, filepath.Join(folder, "1.png"), 2, 0, 0, 0, 200),
		writeGrey(t, filepath.Join(folder, "2.png"), 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	}
	picturePath := writeGrey(t, filepath.Join(folder, "p.png"), 2, 1, 2, 3, 4)
	item := data.Item{Path: picturePath, Anomalous: true, Mask: folder, MaskParts: parts}
	for threshold, want := range map[uint8][]uint8{0: {1, 0, 0, 1}, picture.NonZero: {1, 0, 0, 1}, 128: {0, 0, 0, 1}} {
		cache := NewCache(1 << 20)
		for range 2 { // read, then cached
			p := loadItem([]data.Item{item}, 0, LoadOptions{Size: 2, Masks: true, MaskThreshold: threshold, Cache: cache})
			if p.Err != nil || !slices.Equal(p.Mask, want) || p.MaskFit != MaskFits {
				t.Errorf("from %d on: error %v, fit %d, mask %v, want %v", threshold, p.Err, p.MaskFit, p.Mask, want)
			}
		}
	}
	item.MaskParts = append(item.MaskParts, filepath.Join(folder, "none.png"))
	if p := loadItem([]data.Item{item}, 0, LoadOptions{Size: 2, Masks: true}); !errors.Is(p.Err, os.ErrNotExist) {
		t.Errorf("error %v", p.Err)
	}
}
