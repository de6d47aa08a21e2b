package jpeg

// Color conversion factors of libjpeg's jdcolor.c, in 16-bit fixed point.
const (
	fixedHalf = 1 << 15
	crToRed   = 91881  // 1.40200
	crToGreen = 46802  // 0.71414
	cbToGreen = 22554  // 0.34414
	cbToBlue  = 116130 // 1.77200
)

func clampByte(v int32) uint8 {
	if uint32(v) <= 255 {
		return uint8(v)
	}
	if v < 0 {
		return 0
	}
	return 255
}

// A color is computed in one word: blue from bit 0, red from bit 10, and green with 16 more
// bits for its fraction from bit 20. Each is its value plus colorBias, because it may be
// negative. It is from -227 to 481, so the bit of colorBias is set if it is from 0 to 255.
const (
	colorBias                    = 256
	blueAt, redAt, greenFraction = 0, 10, 20
	greenAt                      = greenFraction + 16
	eachColor                    = 1<<blueAt | 1<<redAt | 1<<greenAt
)

// colorOf are the contributions of both chroma values to a color. That of luma is its multiple
// of eachColor.
var colorOf = func() (t struct{ blue, red [256]uint64 }) {
	for i := range 256 {
		v := int64(i) - 128
		t.blue[i] = uint64(((cbToBlue*v+fixedHalf)>>16+colorBias)<<blueAt + (colorBias<<16+fixedHalf-cbToGreen*v)<<greenFraction)
		t.red[i] = uint64(((crToRed*v+fixedHalf)>>16+colorBias)<<redAt - crToGreen*v<<greenFraction)
	}
	return t
}()

func ycbcrToRGB(dst []uint8, components [][]uint8) {
	luma := components[0]
	blue, red := components[1][:len(luma)], components[2][:len(luma)]
	for i, y := range luma {
		rgb := uint64(y)*eachColor + colorOf.blue[blue[i]] + colorOf.red[red[i]]
		p := dst[3*i : 3*i+3 : 3*i+3]
		if rgb&(colorBias*eachColor) == colorBias*eachColor { // none needs clamping
			p[0], p[1], p[2] = uint8(rgb>>redAt), uint8(rgb>>greenAt), uint8(rgb>>blueAt)
		} else {
			p[0], p[1], p[2] = clampColor(rgb>>redAt), clampColor(rgb>>greenAt), clampColor(rgb>>blueAt)
		}
	}
}

func clampColor(v uint64) uint8 { return clampByte(int32(v&1023) - colorBias) }

// interleave interleaves components that need no color conversion.
func interleave(dst []uint8, components [][]uint8) {
	n := len(components)
	for c, component := range components {
		for i, v := range component {
			dst[n*i+c] = v
		}
	}
}

// ycckToCMYK converts YCbCr to inverted inks (CMY) and copies black unchanged.
func ycckToCMYK(dst []uint8, components [][]uint8) {
	row := make([]uint8, 3*len(components[0]))
	ycbcrToRGB(row, components[:3])
	for i, black := range components[3] {
		dst[4*i], dst[4*i+1], dst[4*i+2], dst[4*i+3] = 255-row[3*i], 255-row[3*i+1], 255-row[3*i+2], black
	}
}
