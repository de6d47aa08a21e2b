package jpeg

import "math"

// The inverse DCT is libjpeg's accurate integer version (jidctint.c): fixed point with 13
// fractional bits in the factors, and two more for intermediate values. Values have 16
// bits where libjpeg-turbo's vector code has 16 bits. The difference is visible only in
// damaged files, with coefficients that are far too large.
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

// center is the value of the samples of an all-zero block.
const center = 128

// inverse writes the samples of a block to dst. All coefficients after index last, in
// zigzag order, are zero.
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
	e0, e1, e2, e3, o0, o1, o2, o3 := halves(
		int32(b[x]*int16(quant[x])), int32(b[8+x]*int16(quant[8+x])),
		int32(b[16+x]*int16(quant[16+x])), int32(b[24+x]*int16(quant[24+x])),
		int32(b[32+x]*int16(quant[32+x])), int32(b[40+x]*int16(quant[40+x])),
		int32(b[48+x]*int16(quant[48+x])), int32(b[56+x]*int16(quant[56+x])),
		1<<(columnShift-1),
	)
	out[x], out[56+x] = clamp16((e0+o0)>>columnShift), clamp16((e0-o0)>>columnShift)
	out[8+x], out[48+x] = clamp16((e1+o1)>>columnShift), clamp16((e1-o1)>>columnShift)
	out[16+x], out[40+x] = clamp16((e2+o2)>>columnShift), clamp16((e2-o2)>>columnShift)
	out[24+x], out[32+x] = clamp16((e3+o3)>>columnShift), clamp16((e3-o3)>>columnShift)
}

// row transforms a row of the output of column.
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
	e0, e1, e2, e3, o0, o1, o2, o3 := halves(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], half)
	out[0], out[7] = clampByte((e0+o0)>>rowShift), clampByte((e0-o0)>>rowShift)
	out[1], out[6] = clampByte((e1+o1)>>rowShift), clampByte((e1-o1)>>rowShift)
	out[2], out[5] = clampByte((e2+o2)>>rowShift), clampByte((e2-o2)>>rowShift)
	out[3], out[4] = clampByte((e3+o3)>>rowShift), clampByte((e3-o3)>>rowShift)
}

// halves returns the sums of the even coefficients, plus half, and of the odd ones: value
// i is e_i + o_i, and value 7-i is e_i - o_i. They are separate results so that the
// compiler keeps them in registers.
func halves(s0, s1, s2, s3, s4, s5, s6, s7, half int32) (e0, e1, e2, e3, o0, o1, o2, o3 int32) {
	a := (s2 + s6) * fix0_541196100
	b, c := a-s6*fix1_847759065, a+s2*fix0_765366865
	d, e := wrap16(s0+s4)<<factorBits+half, wrap16(s0-s4)<<factorBits+half

	z1, z2, z3, z4 := s7+s1, s5+s3, wrap16(s7+s3), wrap16(s5+s1)
	z5 := (z3 + z4) * fix1_175875602
	z1, z2 = z1*-fix0_899976223, z2*-fix2_562915447
	z3, z4 = z3*-fix1_961570560+z5, z4*-fix0_390180644+z5
	return d + c, e + b, e - b, d - c,
		s1*fix1_501321110 + z1 + z4, s3*fix3_072711026 + z2 + z3, s5*fix2_053119869 + z2 + z4, s7*fix0_298631336 + z1 + z3
}

func wrap16(v int32) int32  { return int32(int16(v)) }
func clamp16(v int32) int32 { return min(max(v, math.MinInt16), math.MaxInt16) }
