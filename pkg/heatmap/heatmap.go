// Package heatmap draws anomaly maps for people: as colored overlays on pictures, and as
// masks at a threshold. It also draws the color scale.
package heatmap

import (
	"fmt"
	"image"
	"image/png"
	"io"
	"math"

	"acdclip/pkg/anomalymap"
)

// heatShare is the opacity of the heat map in an overlay, in 256ths.
const heatShare = 140

// Scale is the map values at both ends of the color scale, Low < High. All pictures of a
// method have the same, so that they are comparable.
type Scale struct{ Low, High float32 }

// Overlay draws the anomaly map m, scaled to width x height pixels, over picture
// [height, width, 3], RGB. It does not modify its inputs. Scores outside the color scale
// are clamped. A score that is NaN or infinite, or a wrong size, is an error.
func Overlay(m *anomalymap.Map, s Style, picture []uint8, width, height int) (*image.RGBA, error) {
	if err := check(m, width, height); err != nil {
		return nil, fmt.Errorf("drawing an overlay: %w", err)
	}
	if len(picture) != 3*width*height {
		return nil, fmt.Errorf("drawing an overlay: %d x %d RGB pixels need %d bytes, got %d",
			width, height, 3*width*height, len(picture))
	}
	var heat [colors][3]uint32 // colors times heatShare, plus one half for rounding
	for i, c := range s.Map.Colors() {
		red, green, blue, _ := c.RGBA()
		for channel, value := range [3]uint32{red, green, blue} {
			heat[i][channel] = value>>8*heatShare + 128
		}
	}
	drawn := image.NewRGBA(image.Rect(0, 0, width, height))
	const pictureShare = 256 - heatShare
	for y, row := range rows(m, width, height) {
		from := picture[3*width*y:][:3*width]
		to := drawn.Pix[y*drawn.Stride:][:4*width]
		for x, value := range row {
			h := &heat[s.Scale.colorIndex(value)]
			to[4*x+0] = uint8((uint32(from[3*x+0])*pictureShare + h[0]) >> 8)
			to[4*x+1] = uint8((uint32(from[3*x+1])*pictureShare + h[1]) >> 8)
			to[4*x+2] = uint8((uint32(from[3*x+2])*pictureShare + h[2]) >> 8)
			to[4*x+3] = 255
		}
	}
	return drawn, nil
}

// Mask returns 255 at pixels where the map, scaled to width x height pixels, is at least
// threshold, and 0 elsewhere. Errors are those of Overlay.
func Mask(m *anomalymap.Map, threshold float32, width, height int) (*image.Gray, error) {
	if err := check(m, width, height); err != nil {
		return nil, fmt.Errorf("drawing a mask: %w", err)
	}
	drawn := image.NewGray(image.Rect(0, 0, width, height))
	for y, row := range rows(m, width, height) {
		line := drawn.Pix[y*drawn.Stride:][:width]
		for x, value := range row {
			if value >= threshold {
				line[x] = 255
			}
		}
	}
	return drawn, nil
}

// EncodePNG writes a picture as PNG, optimised for speed rather than size.
func EncodePNG(w io.Writer, picture image.Image) error {
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(w, picture); err != nil {
		return fmt.Errorf("writing a PNG: %w", err)
	}
	return nil
}

func check(m *anomalymap.Map, width, height int) error {
	if m.Width < 1 || len(m.Scores)/m.Width != m.Height || len(m.Scores)%m.Width != 0 {
		return fmt.Errorf("an anomaly map of %d x %d pixels has %d values", m.Width, m.Height, len(m.Scores))
	}
	if width < 1 || height < 1 || height > math.MaxInt/4/width {
		return fmt.Errorf("invalid picture size: %d x %d pixels", width, height)
	}
	for i, value := range m.Scores {
		if math.IsNaN(float64(value)) || math.IsInf(float64(value), 0) {
			return fmt.Errorf("the anomaly map is %v at index %d, expected a finite number", value, i)
		}
	}
	return nil
}

// colorIndex returns the index in the color scale for a value, clamped to the scale.
func (s Scale) colorIndex(value float32) uint8 {
	share := (value - s.Low) / (s.High - s.Low)
	return uint8(min(max(share, 0), 1)*(colors-1) + 0.5)
}
