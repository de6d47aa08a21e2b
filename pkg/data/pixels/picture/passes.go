package picture

import "encoding/binary"

// Both passes multiply two bytes with a weight at a time: a word has them 32 bits apart, and
// two sums of 32 bits in the same way. A lower sum that is negative has borrowed one from the
// upper sum, which highSum gives back.

// twoHalves is weightHalf in both halves of a word.
const twoHalves = weightHalf<<32 | weightHalf

func lowSum(sums uint64) uint8 { return narrowSum(int32(uint32(sums))) }

func highSum(sums uint64) uint8 {
	return narrowSum(int32((sums - uint64(int64(int32(uint32(sums))))) >> 32))
}

// narrowSum rounds a weighted sum to a byte.
func narrowSum(sum int32) uint8 { return clampByte(sum >> weightBits) }

// resizeColumns scales rows [first, end) of im along the columns.
func (im *Image) resizeColumns(s scaling, first, end int) *Image {
	width := s.out
	out := NewImage(width, end-first)
	if width == im.Width {
		copy(out.Pix, im.Pix[3*im.Width*first:3*im.Width*end])
		return out
	}
	// The weights of a block of columns are used for all rows; blocks limit their memory.
	block := max(1, maxTableWeights/s.maxTaps())
	table := make([]int32, 0, min(block, width)*s.maxTaps())
	scratch := make([]float64, 0, s.maxTaps())
	columns := make([]column, 0, min(block, width))
	var two rowPair
	for x := 0; x < width; x += block {
		table, columns = table[:0], columns[:0]
		last := min(x+block, width) - 1
		left, _ := s.span(x)
		_, right := s.span(last)
		for i := x; i <= last; i++ {
			start := len(table)
			table = s.weights(table, scratch, i)
			from, _ := s.span(i)
			columns = append(columns, column{from: from - left, weights: table[start:]})
		}
		for y := 0; y < out.Height; y += 2 {
			next := min(y+1, out.Height-1) // the last row may be its own pair
			two.set(im.row(first + y)[3*left:3*right], im.row(first + next)[3*left:3*right])
			two.scale(out.row(y)[3*x:], out.row(next)[3*x:], columns)
		}
	}
	return out
}

// column is one output column: the start of its input in a rowPair, and its weights.
type column struct {
	from    int
	weights []int32
}

// rowPair is the channels of two rows; each word has a byte of both. If all pixels are grey,
// only red is set.
type rowPair struct {
	red, green, blue []uint64
	grey             bool
}

// set sets the pixels of both rows, which are equally long.
func (p *rowPair) set(upper, lower []uint8) {
	width := len(upper) / 3
	if cap(p.red) < width {
		p.red, p.green, p.blue = make([]uint64, width), make([]uint64, width), make([]uint64, width)
	}
	p.red, p.green, p.blue = p.red[:width], p.green[:width], p.blue[:width]
	if p.grey = isGrey(upper) && isGrey(lower); p.grey {
		for i := range p.red {
			p.red[i] = uint64(upper[3*i]) | uint64(lower[3*i])<<32
		}
		return
	}
	red, green, blue := p.red, p.green[:width], p.blue[:width]
	for i := range red {
		a, b := upper[3*i:3*i+3:3*i+3], lower[3*i:3*i+3:3*i+3]
		red[i] = uint64(a[0]) | uint64(b[0])<<32
		green[i] = uint64(a[1]) | uint64(b[1])<<32
		blue[i] = uint64(a[2]) | uint64(b[2])<<32
	}
}

// isGrey reports whether all pixels of a row are grey.
func isGrey(row []uint8) bool {
	for ; len(row) >= 3; row = row[3:] {
		if row[0] != row[1] || row[0] != row[2] {
			return false
		}
	}
	return true
}

// scale writes the columns of both rows.
func (p *rowPair) scale(upper, lower []uint8, columns []column) {
	for i, c := range columns {
		var r, g, b uint64
		if p.grey {
			r = p.greySum(c)
			g, b = r, r
		} else {
			r, g, b = p.sums(c)
		}
		up, low := upper[3*i:3*i+3:3*i+3], lower[3*i:3*i+3:3*i+3]
		up[0], up[1], up[2] = lowSum(r), lowSum(g), lowSum(b)
		low[0], low[1], low[2] = highSum(r), highSum(g), highSum(b)
	}
}

// sums returns the weighted sums of each channel for one column.
func (p *rowPair) sums(c column) (r, g, b uint64) {
	red, green, blue := p.red[c.from:][:len(c.weights)], p.green[c.from:][:len(c.weights)], p.blue[c.from:][:len(c.weights)]
	r, g, b = twoHalves, twoHalves, twoHalves
	for i, weight := range c.weights {
		w := uint64(weight) // a negative one modulo 2^64
		r += w * red[i]
		g += w * green[i]
		b += w * blue[i]
	}
	return r, g, b
}

// greySum is each of sums if all pixels are grey.
func (p *rowPair) greySum(c column) uint64 {
	red, sum := p.red[c.from:][:len(c.weights)], uint64(twoHalves)
	for i, weight := range c.weights {
		sum += uint64(weight) * red[i]
	}
	return sum
}

// resizeRows scales along the rows of im; row 0 of im is row first of the input of s.
func (im *Image) resizeRows(s scaling, first int) *Image {
	out := NewImage(im.Width, s.out)
	weights := make([]int32, 0, s.maxTaps())
	scratch := make([]float64, 0, s.maxTaps())
	for y := range out.Height {
		weights = s.weights(weights[:0], scratch, y)
		from, _ := s.span(y)
		addRows(out.row(y), im.Pix[3*im.Width*(from-first):], weights)
	}
	return out
}

// addRows writes the weighted sum of rows, which have the length of dst.
func addRows(dst, rows []uint8, weights []int32) {
	const size, lanes = 8, 0x000000ff_000000ff
	stride, x := len(dst), 0
	for ; x+size <= stride; x += size {
		var a, b, c, d uint64 = twoHalves, twoHalves, twoHalves, twoHalves
		at := x
		for _, weight := range weights {
			w, v := uint64(weight), binary.LittleEndian.Uint64(rows[at:])
			a += w * (v & lanes)
			b += w * (v >> 8 & lanes)
			c += w * (v >> 16 & lanes)
			d += w * (v >> 24 & lanes)
			at += stride
		}
		p := dst[x : x+size : x+size]
		p[0], p[1], p[2], p[3] = lowSum(a), lowSum(b), lowSum(c), lowSum(d)
		p[4], p[5], p[6], p[7] = highSum(a), highSum(b), highSum(c), highSum(d)
	}
	for ; x < stride; x++ {
		sum := int32(weightHalf)
		for j, w := range weights {
			sum += w * int32(rows[j*stride+x])
		}
		dst[x] = narrowSum(sum)
	}
}

func clampByte(v int32) uint8 {
	if uint32(v) <= 255 {
		return uint8(v)
	}
	if v < 0 {
		return 0
	}
	return 255
}
