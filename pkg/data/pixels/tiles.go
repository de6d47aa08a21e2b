package pixels

import (
	"fmt"
	"image"
	"iter"

	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels/picture"
	"acdclip/pkg/tiling"
)

// Tiles are the tiles of one picture, which is in memory as its file stores it.
type Tiles struct {
	Plan    tiling.Plan
	Reading picture.Reading // how the picture was read
	size    int
	stored  *picture.Stored
}

// OpenTiles decodes the picture of an item, whatever its size, and plans its tiles by o.Tiles.
// The error names the path.
func OpenTiles(item data.Item, o LoadOptions) (*Tiles, error) {
	if o.Size <= 0 {
		return nil, fmt.Errorf("%s: %w: %d", item.Path, errSize, o.Size)
	}
	stored, err := picture.Open(item.Path, o.Decode)
	if err != nil {
		return nil, err
	}
	return &Tiles{Plan: o.Tiles.Plan(stored.Width, stored.Height), Reading: stored.Reading, size: o.Size, stored: stored}, nil
}

// All yields the tiles in the plan's order, each scaled to [S, S, 3] with S = LoadOptions.Size.
// One row of tiles at a time is converted to RGB. An error ends it.
func (t *Tiles) All() iter.Seq2[[]uint8, error] {
	return func(yield func([]uint8, error) bool) {
		for _, y := range t.Plan.Rows {
			band, err := t.stored.Rows(y, y+t.Plan.Tile.Y)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, x := range t.Plan.Columns {
				tile := band.Crop(image.Rect(x, 0, x+t.Plan.Tile.X, band.Height))
				if !yield(tile.ResizeBicubic(t.size, t.size).Pix, nil) {
					return
				}
			}
		}
	}
}

// tiled reports whether a picture is to be cut into tiles, by its header. A picture whose
// header cannot be read is not: decoding it gives the error.
func (o LoadOptions) tiled(path string) bool {
	if o.Tiles.Size == 0 {
		return false
	}
	info, err := picture.Inspect(path, o.Decode)
	return err == nil && o.Tiles.Cut(info.Width, info.Height) // either way round
}
