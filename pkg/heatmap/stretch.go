package heatmap

import (
	"iter"

	"acdclip/pkg/anomalymap"
)

// tap is the two input neighbours of one output position, and the weight of the second.
type tap struct {
	first, second int
	share         float32
}

// taps returns the taps for bilinear interpolation from in to out positions, with pixel
// centers half a pixel from the edges (align_corners=False). Beyond the outermost centers
// the edge value is repeated.
func taps(in, out int) []tap {
	placed := make([]tap, out)
	for i := range placed {
		position := (float64(i)+0.5)*float64(in)/float64(out) - 0.5
		position = min(max(position, 0), float64(in-1))
		first := int(position)
		placed[i] = tap{first, min(first+1, in-1), float32(position - float64(first))}
	}
	return placed
}

// rows yields the rows of a map scaled to width x height, from the top. Each row reuses
// the memory of the previous one.
func rows(m *anomalymap.Map, width, height int) iter.Seq2[int, []float32] {
	return func(yield func(int, []float32) bool) {
		across := taps(m.Width, width)
		mixed := make([]float32, m.Width)
		row := make([]float32, width)
		for y, down := range taps(m.Height, height) {
			upper := m.Scores[down.first*m.Width:][:m.Width]
			lower := m.Scores[down.second*m.Width:][:m.Width]
			for i := range mixed {
				mixed[i] = upper[i] + down.share*(lower[i]-upper[i])
			}
			for x, t := range across {
				row[x] = mixed[t.first] + t.share*(mixed[t.second]-mixed[t.first])
			}
			if !yield(y, row) {
				return
			}
		}
	}
}
