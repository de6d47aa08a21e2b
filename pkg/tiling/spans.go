package tiling

import "math"

// MostValues limits the values of a blended map: 64 MiB, one value for 24 pixels of a picture
// of 20,000 x 20,000.
const MostValues = 16 << 20

// mapSize returns the size of the blended map of maps [size, size].
func mapSize(p Plan, size int) (width, height int) {
	perPixel := min(1, float64(size)/float64(max(p.Tile.X, p.Tile.Y)), math.Sqrt(MostValues/float64(p.Width)/float64(p.Height)))
	width, height = max(1, int(perPixel*float64(p.Width))), max(1, int(perPixel*float64(p.Height)))
	width = min(width, MostValues/height)
	return width, min(height, MostValues/width)
}

// span is what a tile gives to the blended map along one side: samples[i] to value begin+i.
type span struct {
	begin   int
	samples []sample
}

// sample is a value between two neighbours in a tile's map, first + share * (second - first),
// and its weight in the blended map.
type sample struct {
	first, second int
	share, weight float32
}

// spans returns the spans of the tiles that begin at edges, along a side of length pixels that
// the blended map shows with so many values, and each tile's map with size values. At each
// value of the blended map the weights sum to 1.
func spans(length, tile int, edges []int, values, size int) []span {
	pixelsPerValue := float64(length) / float64(values)
	list := make([]span, len(edges))
	sums := make([]float64, values)
	each := func(do func(tile *span, value int, within, weight float64)) {
		for i, edge := range edges {
			begin := int(math.Ceil(float64(edge)/pixelsPerValue - 0.5))
			list[i].begin = max(begin, 0)
			for value := list[i].begin; value < values; value++ {
				within := (float64(value)+0.5)*pixelsPerValue - float64(edge) // the tile's edge to the value's center, in pixels
				if within > float64(tile) {
					break
				}
				do(&list[i], value, within, weight(within, float64(tile)))
			}
		}
	}
	each(func(_ *span, value int, _, weight float64) { sums[value] += weight })
	each(func(s *span, value int, within, weight float64) {
		// Centers of values are half a value from the edges (align_corners=False).
		position := min(max(within*float64(size)/float64(tile)-0.5, 0), float64(size-1))
		first := int(position)
		s.samples = append(s.samples, sample{
			first: first, second: min(first+1, size-1), share: float32(position - float64(first)), weight: float32(weight / sums[value]),
		})
	})
	return list
}

// weight is the distance to the nearer edge of a tile, but never zero: at the common edge of
// two tiles that do not overlap there is no other tile.
func weight(within, tile float64) float64 {
	const least = 1e-6 // pixels
	return max(min(within, tile-within), least)
}
