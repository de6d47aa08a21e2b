package png

import "encoding/binary"

// The filters of a row: each byte was stored as its difference from a prediction.
const (
	filterNone    = iota
	filterSub     // from the pixel on the left
	filterUp      // from the pixel above
	filterAverage // from the mean of both
	filterPaeth   // from the left, upper or upper left pixel
)

// unfilter replaces the rows in pix, each behind a byte with its filter, by their pixels
// without that byte. stride is the length of a row, and size that of a pixel. It returns false
// if there is no such filter.
func unfilter(pix []uint8, stride, size int) bool {
	above := make([]uint8, stride) // the first row has zeros above
	for at := 0; at < len(pix)/(1+stride); at++ {
		from := pix[at*(1+stride):][:1+stride]
		// Row at begins at+1 bytes before its source, so writing never overtakes reading.
		row, in := pix[at*stride:][:stride], from[1:]
		switch from[0] {
		case filterNone:
			copy(row, in)
		case filterSub:
			sub(row, in, size)
		case filterUp:
			up(row, in, above)
		case filterAverage:
			average(row, in, above, size)
		case filterPaeth:
			paeth(row, in, above, size)
		default:
			return false
		}
		above = row
	}
	return true
}

func sub(row, in []uint8, size int) {
	if size == 3 {
		var r, g, b uint8
		for ; len(row) >= 3 && len(in) >= 3; row, in = row[3:], in[3:] {
			r, g, b = r+in[0], g+in[1], b+in[2]
			row[0], row[1], row[2] = r, g, b
		}
		return
	}
	copy(row[:size], in)
	in = in[:len(row)]
	for i := size; i < len(row); i++ {
		row[i] = in[i] + row[i-size]
	}
}

// up adds the bytes of a word at once: the highest bit of each byte is added apart, so that no
// sum reaches the next byte.
func up(row, in, above []uint8) {
	const word, highest = 8, 0x8080808080808080
	for ; len(row) >= word && len(in) >= word && len(above) >= word; row, in, above = row[word:], in[word:], above[word:] {
		a, b := binary.LittleEndian.Uint64(in), binary.LittleEndian.Uint64(above)
		binary.LittleEndian.PutUint64(row, (a&^highest+b&^highest)^(a^b)&highest)
	}
	in, above = in[:len(row)], above[:len(row)]
	for i, v := range in {
		row[i] = v + above[i]
	}
}

func average(row, in, above []uint8, size int) {
	if size == 3 {
		var r, g, b uint8
		for ; len(row) >= 3 && len(in) >= 3 && len(above) >= 3; row, in, above = row[3:], in[3:], above[3:] {
			r = in[0] + mean(r, above[0])
			g = in[1] + mean(g, above[1])
			b = in[2] + mean(b, above[2])
			row[0], row[1], row[2] = r, g, b
		}
		return
	}
	in, above = in[:len(row)], above[:len(row)]
	for i := range min(size, len(row)) {
		row[i] = in[i] + above[i]/2
	}
	for i := size; i < len(row); i++ {
		row[i] = in[i] + mean(row[i-size], above[i])
	}
}

func mean(a, b uint8) uint8 { return uint8((uint32(a) + uint32(b)) / 2) }

func paeth(row, in, above []uint8, size int) {
	switch size {
	case 3:
		var r, g, b, cornerR, cornerG, cornerB uint8
		for ; len(row) >= 3 && len(in) >= 3 && len(above) >= 3; row, in, above = row[3:], in[3:], above[3:] {
			upR, upG, upB := above[0], above[1], above[2]
			r = in[0] + predicted(r, upR, cornerR)
			g = in[1] + predicted(g, upG, cornerG)
			b = in[2] + predicted(b, upB, cornerB)
			cornerR, cornerG, cornerB = upR, upG, upB
			row[0], row[1], row[2] = r, g, b
		}
	case 4:
		var r, g, b, a, cornerR, cornerG, cornerB, cornerA uint8
		for ; len(row) >= 4 && len(in) >= 4 && len(above) >= 4; row, in, above = row[4:], in[4:], above[4:] {
			upR, upG, upB, upA := above[0], above[1], above[2], above[3]
			r = in[0] + predicted(r, upR, cornerR)
			g = in[1] + predicted(g, upG, cornerG)
			b = in[2] + predicted(b, upB, cornerB)
			a = in[3] + predicted(a, upA, cornerA)
			cornerR, cornerG, cornerB, cornerA = upR, upG, upB, upA
			row[0], row[1], row[2], row[3] = r, g, b, a
		}
	default:
		var v, corner uint8
		in, above = in[:len(row)], above[:len(row)]
		for i := range row {
			v = in[i] + predicted(v, above[i], corner)
			corner = above[i]
			row[i] = v
		}
	}
}

// predicted returns the one of the left, upper and upper left value that is nearest to
// left+up-corner. It is written without branches, which would be hard to predict: corner if it
// lies between the others, else the one that is farther from it.
// (stb_image, stbi__paeth.)
func predicted(left, up, corner uint8) uint8 {
	a, b, c := int(left), int(up), int(corner)
	bound, low, high := 3*c-(a+b), min(a, b), max(a, b)
	if high <= bound {
		c = low
	}
	if bound <= low {
		c = high
	}
	return uint8(c)
}
