package picture

import (
	"encoding/binary"
	"image"
	"math"
	"strings"

	"acdclip/pkg/data/pixels/picture/tiff"
	"acdclip/pkg/data/pixels/picture/unsupported"
)

// Reading is how a picture was read.
type Reading struct {
	Turn    Orientation // the orientation that was applied because of DecodeOptions.EXIF
	Largest uint16      // the largest value of its 16-bit color channels; 0 if it has none
}

// Dim reports whether the picture has 16-bit channels and uses less than a quarter of their
// range, like those of cameras with 10, 12 or 14 bits. Read as 16 bits it is almost black.
func (r Reading) Dim() bool { return r.Largest > 0 && r.Largest < 1<<14 }

// reading returns how the picture is read, or why its values cannot be.
func (s storedPicture) reading(o DecodeOptions) (Reading, error) {
	r := Reading{Turn: Upright}
	if floats, ok := s.pixels.(*tiff.Float); ok {
		if err := checkFloats(floats); err != nil {
			return r, err
		}
	}
	if s.deep() {
		var narrowed bool
		if r.Largest, narrowed = largest16(s.pixels); narrowed && o.Bits > 0 {
			return r, unsupported.Feature("data.depth with 16-bit colors of the kind %s in a %s file; save the picture as RGB", s.info.Mode, s.format.name)
		}
	}
	if o.EXIF {
		r.Turn = s.orientation()
	}
	return r, nil
}

// deep reports whether the file has 16-bit channels.
func (s storedPicture) deep() bool { return strings.HasSuffix(s.info.Mode, ";16") }

// depth returns how a picture's channels of more than 8 bits become bytes.
func (s storedPicture) depth(o DecodeOptions) narrowing {
	if o.Bits > 0 && s.deep() {
		return ofBits(o.Bits)
	}
	return pictureDepth
}

// largest16 returns the largest value of the color channels. narrowed says that the decoder
// has not kept their 16 bits, as for CMYK and premultiplied colors.
func largest16(m image.Image) (largest uint16, narrowed bool) {
	switch m := m.(type) {
	case *image.Gray16:
		return largestOf(m.Pix, 1), false
	case *image.NRGBA64:
		return largestOf(m.Pix, 4), false
	case *image.RGBA64:
		return largestOf(m.Pix, 4), false
	}
	return 0, true
}

// largestOf returns the largest of big-endian values, of which pixels have the given number.
// The last of four is alpha.
func largestOf(pix []uint8, channels int) (largest uint16) {
	for i := range len(pix) / 2 {
		if channels < 4 || i%4 < 3 {
			largest = max(largest, binary.BigEndian.Uint16(pix[2*i:]))
		}
	}
	return largest
}

// checkFloats returns an error for floats of which it is not clear how bright they are.
func checkFloats(m *tiff.Float) error {
	low, high := float32(math.Inf(1)), float32(math.Inf(-1))
	for i := range m.Len() {
		v := m.Value(i)
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return unsupported.Feature("a picture with values that are NaN or infinite; replace them, and scale the others to 0 (black) to 1 (white)")
		}
		low, high = min(low, v), max(high, v)
	}
	if low < 0 || high > 1 {
		return unsupported.Feature("a picture of 32-bit floats from %v to %v; scale them to 0 (black) to 1 (white), or save it with 8 or 16 bits", low+0, high) // -0 becomes 0
	}
	return nil
}
