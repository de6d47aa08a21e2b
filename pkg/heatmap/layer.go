package heatmap

import (
	"fmt"
	"image"
	"image/color"

	"acdclip/pkg/anomalymap"
)

// Layer draws an anomaly map to lay over a picture, in the map's own proportions, with sides
// of at most limit pixels (at least 1): transparent at the low end of the color scale, so
// that the picture stays visible where it is normal, and opaque from the middle on. In a
// smaller drawing each pixel shows the largest value of those that it covers, so that no peak
// is lost. Errors are those of Overlay.
func Layer(m *anomalymap.Map, s Style, limit int) (*image.Paletted, error) {
	if err := check(m, m.Width, m.Height); err != nil {
		return nil, fmt.Errorf("drawing an anomaly map: %w", err)
	}
	width, height := Within(m.Width, m.Height, limit)
	palette := s.Map.Colors()
	for i, c := range palette {
		opaque := color.NRGBAModel.Convert(c).(color.NRGBA)
		opaque.A = uint8(min(255, 2*i*255/(colors-1)))
		palette[i] = opaque
	}
	drawn := image.NewPaletted(image.Rect(0, 0, width, height), palette)
	for y := range height {
		for x := range width {
			drawn.Pix[y*drawn.Stride+x] = s.Scale.colorIndex(largest(m, x*m.Width/width, (x+1)*m.Width/width, y*m.Height/height, (y+1)*m.Height/height))
		}
	}
	return drawn, nil
}

// largest returns the largest value of a map's columns left to right-1 and rows top to bottom-1.
func largest(m *anomalymap.Map, left, right, top, bottom int) float32 {
	value := m.Scores[top*m.Width+left]
	for y := top; y < bottom; y++ {
		for _, other := range m.Scores[y*m.Width+left : y*m.Width+right] {
			value = max(value, other)
		}
	}
	return value
}

// Heat draws an anomaly map alone, scaled to width x height pixels. Errors are those of Overlay.
func Heat(m *anomalymap.Map, s Style, width, height int) (*image.RGBA, error) {
	if err := check(m, width, height); err != nil {
		return nil, fmt.Errorf("drawing an anomaly map: %w", err)
	}
	drawn := image.NewRGBA(image.Rect(0, 0, width, height))
	palette := s.Map.Colors()
	for y, row := range rows(m, width, height) {
		for x, value := range row {
			drawn.Set(x, y, palette[s.Scale.colorIndex(value)])
		}
	}
	return drawn, nil
}

// FromRGB returns a picture [height, width, 3] as an image.
func FromRGB(picture []uint8, width, height int) *image.RGBA {
	drawn := image.NewRGBA(image.Rect(0, 0, width, height))
	for from, to := 0, 0; from < len(picture); from, to = from+3, to+4 {
		copy(drawn.Pix[to:to+3], picture[from:from+3])
		drawn.Pix[to+3] = 255
	}
	return drawn
}
