// Package tiling cuts large pictures into overlapping tiles and blends the anomaly maps of
// the tiles into one map of the picture.
package tiling

import (
	"image"
	"math"

	"acdclip/pkg/anomalymap"
)

const (
	// LeastSize is the smallest Options.Size. Tiles of pictures with a shorter side are also
	// at least this long.
	LeastSize = 32
	// MostOverlap is the largest Options.Overlap.
	MostOverlap = 0.75
)

// Options say how pictures are cut. The zero value cuts none.
type Options struct {
	Size    int     // side of the tiles in pixels of the picture, at least LeastSize; 0: pictures are not cut
	Overlap float64 // share of a tile that it has in common with the next one, from 0 to MostOverlap
}

// Cut reports whether a picture of that size is cut: it has a side that is longer than a tile.
func (o Options) Cut(width, height int) bool {
	return o.Size > 0 && (width > o.Size || height > o.Size)
}

// Plan is a grid of tiles of one size that cover a picture. Tile i is in row i / len(Columns).
type Plan struct {
	Width, Height int         // the picture's size in pixels
	Tile          image.Point // the tiles' size in pixels
	Columns, Rows []int       // left edges of the tiles in a row, and upper edges of the rows, ascending
}

// Plan returns the tiles of a picture; one that is not cut is one tile. Tiles are squares of
// Size pixels, and in a picture with a shorter side squares of that side, because the model
// scales every tile to a square. Only pictures narrower than LeastSize have longer tiles, so
// that their number stays small. The last tiles of a row and of a column are moved inward.
func (o Options) Plan(width, height int) Plan {
	p := Plan{Width: width, Height: height, Tile: image.Pt(width, height)}
	if o.Cut(width, height) {
		side := min(o.Size, max(LeastSize, min(width, height)))
		p.Tile = image.Pt(min(side, width), min(side, height))
	}
	p.Columns, p.Rows = edges(width, p.Tile.X, o.Overlap), edges(height, p.Tile.Y, o.Overlap)
	return p
}

// edges returns where the tiles along one side begin.
func edges(length, tile int, overlap float64) []int {
	step := max(1, int(float64(tile)*(1-overlap)))
	var list []int
	for at := 0; at < length-tile; at += step {
		list = append(list, at)
	}
	return append(list, length-tile)
}

// Count is the number of tiles.
func (p Plan) Count() int { return len(p.Columns) * len(p.Rows) }

// At returns the place of tile i in the picture.
func (p Plan) At(i int) image.Rectangle {
	corner := image.Pt(p.Columns[i%len(p.Columns)], p.Rows[i/len(p.Columns)])
	return image.Rectangle{Min: corner, Max: corner.Add(p.Tile)}
}

// Blend is the map of a picture in the making. The maps of overlapping tiles are averaged
// with weights that fall linearly to the edges of each tile, so there are no seams.
type Blend struct {
	columns         int // tiles in a row
	across, down    []span
	blended         *anomalymap.Map
	lowest, highest float32 // of the tiles' maps
}

// NewBlend begins a map from the tiles' maps, [size, size] each. It has about as many values
// per pixel as they have, at most one per pixel, and at most MostValues.
func NewBlend(p Plan, size int) *Blend {
	width, height := mapSize(p, size)
	return &Blend{
		columns: len(p.Columns),
		across:  spans(p.Width, p.Tile.X, p.Columns, width, size),
		down:    spans(p.Height, p.Tile.Y, p.Rows, height, size),
		blended: &anomalymap.Map{Width: width, Height: height, Scores: make([]float32, width*height)},
		lowest:  float32(math.Inf(1)), highest: float32(math.Inf(-1)),
	}
}

// Add adds the map of tile i, [size, size]. Each tile is added once.
func (b *Blend) Add(i int, m *anomalymap.Map) {
	for _, value := range m.Scores {
		b.lowest, b.highest = min(b.lowest, value), max(b.highest, value)
	}
	across, down := b.across[i%b.columns], b.down[i/b.columns]
	mixed := make([]float32, m.Width)
	for y, s := range down.samples {
		upper, lower := m.Scores[s.first*m.Width:][:m.Width], m.Scores[s.second*m.Width:][:m.Width]
		for x := range mixed {
			mixed[x] = upper[x] + s.share*(lower[x]-upper[x])
		}
		row := b.blended.Scores[(down.begin+y)*b.blended.Width+across.begin:][:len(across.samples)]
		for x, t := range across.samples {
			row[x] += s.weight * t.weight * (mixed[t.first] + t.share*(mixed[t.second]-mixed[t.first]))
		}
	}
}

// Map returns the map of the picture, [H, W], after all tiles were added. Its values lie
// between the smallest and the largest one of the tiles' maps.
func (b *Blend) Map() *anomalymap.Map {
	for i, value := range b.blended.Scores {
		b.blended.Scores[i] = min(max(value, b.lowest), b.highest) // the weights sum to 1 only within rounding
	}
	return b.blended
}
