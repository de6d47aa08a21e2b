package anomalymap

import (
	"encoding/binary"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
)

// WritePNG16 writes m as a PNG of 16-bit grey: the scores clamped to [0, 1], times 65535,
// rounded. A NaN is an error.
func WritePNG16(w io.Writer, m *Map) error {
	if err := m.check(); err != nil {
		return err
	}
	grey := image.NewGray16(image.Rect(0, 0, m.Width, m.Height))
	for i, score := range m.Scores {
		if score != score {
			return fmt.Errorf("the score at row %d, column %d is NaN, which a PNG cannot store; save the map with WriteNPY", i/m.Width, i%m.Width)
		}
		v := math.Round(float64(min(max(score, 0), 1)) * math.MaxUint16)
		binary.BigEndian.PutUint16(grey.Pix[2*i:], uint16(v))
	}
	return png.Encode(w, grey)
}
