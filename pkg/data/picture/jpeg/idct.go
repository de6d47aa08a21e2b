package jpeg

import "math"

// The inverse DCT is libjpeg's accurate integer one (jidctint.c): fixed point
// with 13 fractional bits in the factors, and two more in between. Where
// libjpeg-turbo's vector code has only 16 bits, so have we: it shows in files
// whose coefficients are far too large, which are damaged.
const (
	factorBits  = 13
	betweenBits = 2
	columnShift = factorBits - betweenBits
	rowShift    = factorBits + betweenBits + 3 // the last three divide by eight

	fix0_298631336 = 2446
	fix0_390180644 = 3196
	fix0_541196100 = 4433
	fix0_765366865 = 6270
	fix0_899976223 = 7373
	fix1_175875602 = 9633
	fix1_501321110 = 12299
	fix1_847759065 = 15137
	fix1_961570560 = 16069
	fix2_053119869 = 16819
	fix2_562915447 = 20995
	fix3_072711026 = 25172
)

// center is the sample that a block of zeros stands for.
const center = 128

// inverse writes the samples of a block to dst. last is the place, in zigzag
// order, behind which all coefficients are zero.
func (b *block) inverse(quant *[blockSize]uint16, last int, dst []uint8, stride int) {
	if last == 0 {
		mean := int32(b[0] * int16(quant[0]) << betweenBits)
		fillBlock(dst, stride, clampByte((mean+1<<(betweenBits+2))>>(betweenBits+3)+center))
		return
	}
	var between [blockSize]int32
	for x := range blockSide {
		b.column(quant, x, &between)
	}
	for y := range blockSide {
		row(between[y*blockSide:][:blockSide], dst[y*stride:][:blockSide])
	}
}

func fillBlock(dst []uint8, stride int, v uint8) {
	for y := range blockSide {
		row := dst[y*stride:][:blockSide]
		for x := range row {
			row[x] = v
		}
	}
}

// column transforms column x of a block.
func (b *block) column(quant *[blockSize]uint16, x int, out *[blockSize]int32) {
	x &= blockSide - 1
	if b[8+x]|b[16+x]|b[24+x]|b[32+x]|b[40+x]|b[48+x]|b[56+x] == 0 {
		v := int32(b[x] * int16(quant[x]) << betweenBits)
		for y := range blockSide {
			out[8*y+x] = v
		}
		return
	}
	var s [blockSide]int32
	for y := range blockSide {
		s[y] = int32(b[8*y+x] * int16(quant[8*y+x]))
	}
	even, odd := halves(&s)
	const half = 1 << (columnShift - 1)
	for y := range 4 {
		out[8*y+x] = clamp16((even[y] + odd[y] + half) >> columnShift)
		out[8*(7-y)+x] = clamp16((even[y] - odd[y] + half) >> columnShift)
	}
}

// row transforms a row of what column left.
func row(in []int32, dst []uint8) {
	s := (*[blockSide]int32)(in)
	out := (*[blockSide]uint8)(dst)
	const half = center<<rowShift + 1<<(rowShift-1)
	if s[1]|s[2]|s[3]|s[4]|s[5]|s[6]|s[7] == 0 {
		v := clampByte((s[0]<<factorBits + half) >> rowShift)
		for x := range out {
			out[x] = v
		}
		return
	}
	even, odd := halves(s)
	for x := range 4 {
		out[x] = clampByte((even[x] + odd[x] + half) >> rowShift)
		out[7-x] = clampByte((even[x] - odd[x] + half) >> rowShift)
	}
}

// halves are the sums of the even and of the odd coefficients: value i is
// even[i] + odd[i], and value 7-i is even[i] - odd[i].
func halves(s *[blockSide]int32) (even, odd [4]int32) {
	a := (s[2] + s[6]) * fix0_541196100
	b, c := a-s[6]*fix1_847759065, a+s[2]*fix0_765366865
	d, e := wrap16(s[0]+s[4])<<factorBits, wrap16(s[0]-s[4])<<factorBits
	even = [4]int32{d + c, e + b, e - b, d - c}

	z1, z2, z3, z4 := s[7]+s[1], s[5]+s[3], wrap16(s[7]+s[3]), wrap16(s[5]+s[1])
	z5 := (z3 + z4) * fix1_175875602
	z1, z2 = z1*-fix0_899976223, z2*-fix2_562915447
	z3, z4 = z3*-fix1_961570560+z5, z4*-fix0_390180644+z5
	odd = [4]int32{
		s[1]*fix1_501321110 + z1 + z4,
		s[3]*fix3_072711026 + z2 + z3,
		s[5]*fix2_053119869 + z2 + z4,
		s[7]*fix0_298631336 + z1 + z3,
	}
	return even, odd
}

func wrap16(v int32) int32  { return int32(int16(v)) }
func clamp16(v int32) int32 { return min(max(v, math.MinInt16), math.MaxInt16) }
