package pixels

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"acdclip/pkg/data"
)

// plain writes a picture of one grey value and returns its path.
func plain(t *testing.T, folder, name string, width, height int, value uint8) string {
	t.Helper()
	im := image.NewGray(image.Rect(0, 0, width, height))
	for i := range im.Pix {
		im.Pix[i] = value
	}
	file, err := os.Create(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := png.Encode(file, im); err != nil {
		t.Fatal(err)
	}
	return file.Name()
}

// TestMosaic: each quarter is one picture of the class, and is marked where that picture's
// mask is.
func TestMosaic(t *testing.T) {
	folder := t.TempDir()
	var items []data.Item
	for i := range 5 { // grey values 10, 20, ...; pictures 2 and 4 are anomalous
		item := data.Item{Class: "a", Path: plain(t, folder, strconv.Itoa(i)+".png", 8, 8, uint8(10*(i+1)))}
		if i%2 == 0 && i > 0 {
			item.Anomalous, item.Mask = true, plain(t, folder, strconv.Itoa(i)+"_mask.png", 8, 8, 255)
		}
		items = append(items, item)
	}
	items = append(items, data.Item{Class: "b", Path: plain(t, folder, "b.png", 8, 8, 200)})
	for _, bilinear := range []bool{false, true} {
		o := LoadOptions{Size: 16, Masks: true, BilinearMasks: bilinear, Mosaic: &Mosaic{Seed: 1, Epoch: 1, Chance: 1}, Cache: NewCache(1 << 20)}
		loaded := load(t.Context(), items, o)
		for i, p := range loaded[:5] {
			if p.Err != nil || !p.Mosaic || p.Index != i || p.Item.Path != items[i].Path {
				t.Fatalf("picture %d: %+v", i, p)
			}
			var tiles []int
			anomalous := false
			for _, corner := range []int{0, 15, 15 * 16, 15*16 + 15} {
				tile := int(p.Pix[3*corner])/10 - 1
				tiles = append(tiles, tile)
				anomalous = anomalous || items[tile].Anomalous
				if marked := p.Mask[corner] == 1; marked != items[tile].Anomalous {
					t.Errorf("tile %d of picture %d is marked: %v", tile, i, marked)
				}
			}
			if len(slices.Compact(slices.Sorted(slices.Values(tiles)))) != 4 || p.Item.Anomalous != anomalous {
				t.Errorf("picture %d is made of %v, anomalous %v", i, tiles, p.Item.Anomalous)
			}
		}
		if b := loaded[5]; b.Mosaic || b.Pix[0] != 200 {
			t.Errorf("a class of one picture: %+v", b)
		}
	}
	none := load(t.Context(), items, LoadOptions{Size: 16, Mosaic: &Mosaic{Seed: 1, Epoch: 1}})
	if none[0].Mosaic || none[0].Pix[0] != 10 {
		t.Error("a mosaic without a chance")
	}
}

// TestMosaicOfSizes: tiles have the first one's size; others are cut, or leave black.
func TestMosaicOfSizes(t *testing.T) {
	folder := t.TempDir()
	items := []data.Item{
		{Class: "a", Path: plain(t, folder, "0.png", 4, 4, 50)}, {Class: "a", Path: plain(t, folder, "1.png", 9, 2, 100)},
		{Class: "a", Path: plain(t, folder, "2.png", 2, 9, 150)}, {Class: "a", Path: plain(t, folder, "3.png", 4, 4, 200)},
	}
	d, _, err := LoadOptions{Size: 8}.mosaic(items, []int{0, 1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	want := "55551111" + "55551111" + "5555...." + "5555...." + "22..3333" + "22..3333" + "22..3333" + "22..3333"
	got := ""
	for i := range 64 {
		got += map[uint8]string{0: ".", 50: "5", 100: "1", 150: "2", 200: "3"}[d.pix[3*i]]
	}
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if err := os.Remove(items[2].Path); err != nil {
		t.Fatal(err)
	}
	if _, _, err := (LoadOptions{Size: 8}).mosaic(items, []int{0, 1, 2, 3}); err == nil || !strings.Contains(err.Error(), "2.png") {
		t.Errorf("a tile that is missing: %v", err)
	}
}

// TestMosaicColors: the channels of a picture are kept.
func TestMosaicColors(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "c.png")
	im := image.NewRGBA(image.Rect(0, 0, 2, 2))
	for i := range 4 {
		im.Set(i%2, i/2, color.RGBA{10, 20, 30, 255})
	}
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(file, im); err != nil {
		t.Fatal(err)
	}
	file.Close()
	item := data.Item{Path: path}
	d, anomalous, err := LoadOptions{Size: 4, Masks: true}.mosaic([]data.Item{item}, []int{0, 0, 0, 0})
	if err != nil || anomalous || !slices.Equal(d.pix[45:], []uint8{10, 20, 30}) || slices.Contains(d.mask, 1) {
		t.Errorf("%v, %v, %v", d.pix, d.mask, err)
	}
}
