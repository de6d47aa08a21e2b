package scoring

import (
	"acdclip/pkg/anomalymap"
	"acdclip/pkg/report"
)

// Regions describes where a map reaches a threshold, in the pixels of a picture of width x
// height.
func Regions(m *anomalymap.Map, threshold float32, width, height int) *report.Regions {
	found := &report.Regions{}
	pixels := 0
	for _, r := range m.Regions(threshold) {
		box := m.BoxIn(r, width, height)
		pixels += r.Pixels
		found.List = append(found.List, report.Region{
			Box: [4]int{box.Min.X, box.Min.Y, box.Dx(), box.Dy()}, Area: float64(r.Pixels) / float64(len(m.Scores)), Max: r.Max,
		})
	}
	found.Area = float64(pixels) / float64(len(m.Scores))
	return found
}
