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

func ycbcrToRGB(dst []uint8, components [][]uint8) {
	luma := components[0]
	blue, red := components[1][:len(luma)], components[2][:len(luma)]
	for i, l := range luma {
		y, cb, cr := int32(l), int32(blue[i])-128, int32(red[i])-128
		p := dst[3*i : 3*i+3 : 3*i+3]
		p[0] = clampByte(y + (crToRed*cr+fixedHalf)>>16)
		p[1] = clampByte(y + (fixedHalf-cbToGreen*cb-crToGreen*cr)>>16)
		p[2] = clampByte(y + (cbToBlue*cb+fixedHalf)>>16)
	}
}

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
