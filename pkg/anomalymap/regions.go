package anomalymap

import (
	"cmp"
	"image"
	"slices"
)

// Region is a connected part of a map whose scores reach a threshold.
type Region struct {
	Box    image.Rectangle // the smallest that holds it, in pixels of the map
	Pixels int
	Max    float32 // its largest score
}

// Regions returns the 8-connected regions of scores of at least threshold: that with the
// largest score first, and of equal ones the largest, then the first in the map.
func (m *Map) Regions(threshold float32) []Region {
	var regions []Region
	seen := make([]bool, len(m.Scores))
	var stack []int
	for start, score := range m.Scores {
		if seen[start] || !(score >= threshold) {
			continue
		}
		region := Region{Max: score}
		seen[start] = true
		for stack = append(stack[:0], start); len(stack) > 0; {
			at := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			x, y := at%m.Width, at/m.Width
			region.Box = region.Box.Union(image.Rect(x, y, x+1, y+1))
			region.Pixels++
			region.Max = max(region.Max, m.Scores[at])
			for nearY := max(y-1, 0); nearY <= min(y+1, m.Height-1); nearY++ {
				for nearX := max(x-1, 0); nearX <= min(x+1, m.Width-1); nearX++ {
					if near := nearY*m.Width + nearX; !seen[near] && m.Scores[near] >= threshold {
						seen[near] = true
						stack = append(stack, near)
					}
				}
			}
		}
		regions = append(regions, region)
	}
	slices.SortStableFunc(regions, func(a, b Region) int {
		return cmp.Or(cmp.Compare(b.Max, a.Max), cmp.Compare(b.Pixels, a.Pixels))
	})
	return regions
}

// BoxIn returns the region's box in a picture of width x height pixels that the whole map m
// shows: the pixels that the box touches.
func (m *Map) BoxIn(r Region, width, height int) image.Rectangle {
	floor := func(v, to, of int) int { return v * to / of }
	ceil := func(v, to, of int) int { return (v*to + of - 1) / of }
	return image.Rect(
		floor(r.Box.Min.X, width, m.Width), floor(r.Box.Min.Y, height, m.Height),
		ceil(r.Box.Max.X, width, m.Width), ceil(r.Box.Max.Y, height, m.Height),
	)
}
