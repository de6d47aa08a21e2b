package jpeg

import "encoding/binary"

// Upsampling like the default ("fancy") of libjpeg-turbo's jdsample.c: for subsampling by
// 2, each pixel is 3/4 of the nearest sample plus 1/4 of the next one. The rounding
// direction alternates to avoid a bias. For other factors, and for planes at most two
// samples wide, samples are repeated.

// plane is one component, subsampled horizontally by right and vertically by down.
type plane struct {
	pix           []uint8
	stride        int
	width, height int // number of samples without padding
	right, down   int
}

// upsampler returns rows of all components at the picture's size.
type upsampler struct {
	picture    *Picture
	components [][]uint8
	buffers    [][]uint8
}

func (p *Picture) upsampler() *upsampler {
	u := &upsampler{p, make([][]uint8, len(p.planes)), make([][]uint8, len(p.planes))}
	for i, plane := range p.planes {
		u.buffers[i] = make([]uint8, plane.width*plane.right)
	}
	return u
}

// row returns the components of row y; they are valid until the next call.
func (u *upsampler) row(y int) [][]uint8 {
	for i := range u.components {
		u.components[i] = u.picture.planes[i].upsampledRow(y, u.buffers[i])[:u.picture.Width]
	}
	return u.components
}

// minFancyWidth is the minimum number of samples in a row for horizontal interpolation in libjpeg.
const minFancyWidth = 3

// upsampledRow returns the picture's row y of the plane, either in buffer or in the plane itself.
func (p *plane) upsampledRow(y int, buffer []uint8) []uint8 {
	row := p.row(y / p.down)
	fancy := p.width >= minFancyWidth
	switch {
	case p.right == 1 && p.down == 1:
		return row
	case p.right == 2 && p.down == 1 && fancy:
		upsampleAcross(buffer, row)
	case p.right == 1 && p.down == 2:
		upsampleDown(buffer, row, p.neighbour(y), y%2)
	case p.right == 2 && p.down == 2 && fancy:
		upsampleBoth(buffer, row, p.neighbour(y))
	default:
		for x := range buffer {
			buffer[x] = row[x/p.right]
		}
	}
	return buffer
}

func (p *plane) row(y int) []uint8 { return p.pix[y*p.stride:][:p.width] }

// neighbour returns the second nearest row of samples to the picture's row y for vertical
// subsampling by 2. The last row is repeated beyond the picture.
func (p *plane) neighbour(y int) []uint8 {
	far := y/2 - 1 + 2*(y%2)
	return p.row(min(max(far, 0), p.height-1))
}

// upsampleAcross is h2v1_fancy_upsample: dst is twice as long as src.
func upsampleAcross(dst, src []uint8) {
	last := len(src) - 1
	dst = dst[:2*len(src)]
	dst[0] = src[0]
	i := 0
	for ; i+wordReach <= len(src); i += wordBytes {
		even, odd := spread(src[i:])
		after, _ := spread(src[i+2:])
		low, high := zipped(mixed(even, odd, 2*lanes, 1*lanes, 2), mixed(odd, after, 2*lanes, 1*lanes, 2))
		binary.LittleEndian.PutUint64(dst[2*i+1:], low)
		binary.LittleEndian.PutUint64(dst[2*i+1+wordBytes:], high)
	}
	for ; i < last; i++ {
		a, b := int(src[i]), int(src[i+1])
		dst[2*i+1] = uint8((3*a + b + 2) >> 2)
		dst[2*i+2] = uint8((3*b + a + 1) >> 2)
	}
	dst[2*last+1] = src[last]
}

// upsampleDown is h1v2_fancy_upsample; odd is 1 for the lower of two pixel rows.
func upsampleDown(dst, near, far []uint8, odd int) {
	far = far[:len(near)]
	dst = dst[:len(near)]
	for i, v := range near {
		dst[i] = uint8((3*int(v) + int(far[i]) + 1 + odd) >> 2)
	}
}

// upsampleBoth is h2v2_fancy_upsample: dst is twice as long as near and far.
func upsampleBoth(dst, near, far []uint8) {
	last := len(near) - 1
	far = far[:len(near)]
	dst = dst[:2*len(near)]
	dst[0] = uint8((4*(3*int(near[0])+int(far[0])) + 8) >> 4)
	i := 0
	for ; i+wordReach <= len(near); i += wordBytes {
		nearEven, nearOdd := spread(near[i:])
		farEven, farOdd := spread(far[i:])
		nearAfter, _ := spread(near[i+2:])
		farAfter, _ := spread(far[i+2:])
		even, odd, after := 3*nearEven+farEven, 3*nearOdd+farOdd, 3*nearAfter+farAfter
		low, high := zipped(mixed(even, odd, 7*lanes, 8*lanes, 4), mixed(odd, after, 7*lanes, 8*lanes, 4))
		binary.LittleEndian.PutUint64(dst[2*i+1:], low)
		binary.LittleEndian.PutUint64(dst[2*i+1+wordBytes:], high)
	}
	this := 3*int(near[i]) + int(far[i])
	for ; i < last; i++ {
		next := 3*int(near[i+1]) + int(far[i+1])
		dst[2*i+1] = uint8((3*this + next + 7) >> 4)
		dst[2*i+2] = uint8((3*next + this + 8) >> 4)
		this = next
	}
	dst[2*last+1] = uint8((4*this + 7) >> 4)
}

// Horizontal interpolation computes four values at a time, in lanes of 16 bits of a word.
const (
	lanes     = 0x0001_0001_0001_0001
	wordBytes = 8
	wordReach = wordBytes + 2 // the samples that a round reads, of which the last begin the next
)

// spread returns the first eight bytes: lanes with the even ones, and with the odd ones.
func spread(b []uint8) (even, odd uint64) {
	v := binary.LittleEndian.Uint64(b)
	return v & (0xff * lanes), v >> 8 & (0xff * lanes)
}

// mixed returns two bytes for each lane: 3/4 of a plus 1/4 of b, and then the opposite.
func mixed(a, b, roundA, roundB uint64, shift int) uint64 {
	first := (3*a + b + roundA) >> shift & (0xff * lanes)
	second := (3*b + a + roundB) >> shift & (0xff * lanes)
	return first | second<<8
}

// zipped returns the lanes of both words in turn.
func zipped(even, odd uint64) (low, high uint64) {
	const half, second = 1<<32 - 1, 0x0000_ffff_0000_ffff
	apart := func(v uint64) uint64 { return (v | v<<16) & second }
	return apart(even&half) | apart(odd&half)<<16, apart(even>>32) | apart(odd>>32)<<16
}
