package picture

// Colors as libjpeg's jdcolor.c converts them, in 16-bit fixed point.
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

// interleave is for RGB that is stored as such.
func interleave(dst []uint8, components [][]uint8) {
	for c, component := range components {
		for i, v := range component {
			dst[3*i+c] = v
		}
	}
}

// cmykToRGB is Pillow's conversion. Pillow takes every JPEG's four components
// as Adobe's, which are inverted: 255 means no ink.
func cmykToRGB(dst []uint8, components [][]uint8) {
	interleave(dst, components[:3])
	for i := range dst {
		dst[i] = 255 - dst[i]
	}
	addBlack(dst, components[3])
}

// ycckToRGB undoes the YCbCr coding, which leaves the inks as they are after inverting.
func ycckToRGB(dst []uint8, components [][]uint8) {
	ycbcrToRGB(dst, components[:3])
	addBlack(dst, components[3])
}

// addBlack turns inks in dst (255 is full ink) and inverted black into RGB, as
// Pillow's cmyk2rgb does: light - ink*light/255, rounded.
func addBlack(dst, black []uint8) {
	for i, light := range black {
		for c := range 3 {
			product := int32(dst[3*i+c])*int32(light) + 128
			dst[3*i+c] = clampByte(int32(light) - (product>>8+product)>>8)
		}
	}
}
