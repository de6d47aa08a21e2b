package pixels

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels/picture"
	"acdclip/pkg/tiling"
)

// TestTilesAreParts: the tiles are scaled parts of the upright picture, for all formats and
// orientations, and Load leaves exactly the pictures that are cut to OpenTiles.
func TestTilesAreParts(t *testing.T) {
	var items []data.Item
	for _, path := range someFixtures(t) {
		items = append(items, data.Item{Path: path})
	}
	items = append(items, data.Item{Path: filepath.Join(t.TempDir(), "none.png")})
	for _, exif := range []bool{false, true} {
		o := LoadOptions{Size: 14, Tiles: tiling.Options{Size: 4, Overlap: 0.25}, Decode: picture.DecodeOptions{EXIF: exif}}
		whole := o
		whole.Tiles = tiling.Options{}
		plain := load(t.Context(), items, whole)
		cut := 0
		for i, p := range load(t.Context(), items, o) {
			if plain[i].Err != nil {
				if p.Tiled || p.Err == nil || p.Err.Error() != plain[i].Err.Error() {
					t.Errorf("%s: %v, want %v", p.Item.Path, p.Err, plain[i].Err)
				}
				continue
			}
			if p.Tiled != o.Tiles.Cut(plain[i].Width, plain[i].Height) {
				t.Errorf("%s: %d x %d pixels, tiled: %v", p.Item.Path, plain[i].Width, plain[i].Height, p.Tiled)
			}
			if !p.Tiled {
				if !bytes.Equal(p.Pix, plain[i].Pix) {
					t.Errorf("%s: other pixels with tiles", p.Item.Path)
				}
				continue
			}
			cut++
			tiles, err := OpenTiles(p.Item, o)
			if err != nil {
				t.Fatal(err)
			}
			im, err := picture.Decode(p.Item.Path, o.Decode)
			if err != nil {
				t.Fatal(err)
			}
			if tiles.Plan.Width != im.Width || tiles.Plan.Height != im.Height {
				t.Errorf("%s: a plan of %d x %d", p.Item.Path, tiles.Plan.Width, tiles.Plan.Height)
			}
			at := 0
			for pix, err := range tiles.All() {
				if err != nil {
					t.Fatal(err)
				}
				if want := im.Crop(tiles.Plan.At(at)).ResizeBicubic(14, 14).Pix; !slices.Equal(pix, want) {
					t.Errorf("%s, EXIF %v: tile %d differs", p.Item.Path, exif, at)
				}
				at++
			}
			if at != tiles.Plan.Count() {
				t.Errorf("%s: %d tiles of %d", p.Item.Path, at, tiles.Plan.Count())
			}
		}
		if cut < 30 {
			t.Errorf("only %d pictures are cut", cut)
		}
	}
}

func TestOpenTilesFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.png")
	for _, size := range []int{0, 14} {
		if _, err := OpenTiles(data.Item{Path: path}, LoadOptions{Size: size, Tiles: tiling.Options{Size: 64}}); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("size %d: %v", size, err)
		}
	}
}
