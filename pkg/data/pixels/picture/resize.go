package picture

import "math"

const (
	// weightBits is the precision of the integer weights (Pillow's PRECISION_BITS for bytes).
	weightBits = 22
	weightHalf = 1 << (weightBits - 1)
	// maxTableWeights limits the number of weights that the horizontal pass keeps in memory.
	maxTableWeights = 1 << 16
	// maxBetween limits the bytes of the intermediate picture between the passes. Pillow 11
	// would widen a 1 x 200,000,000 picture at full height, which takes hundreds of GB.
	maxBetween = 1 << 30
)

// ResizeBicubic returns im scaled to width x height, bit-identical to Pillow's
// resize(BICUBIC) of an RGB picture: antialiased when shrinking, in two passes with
// bytes in between, columns first (rows first if columns first would need more than
// maxBetween). The result shares no memory with im. im must have at least one pixel;
// width and height must be positive.
// (Pillow, src/libImaging/Resample.c.)
func (im *Image) ResizeBicubic(width, height int) *Image { return im.resize(cubic, width, height) }

// ResizeBilinear is ResizeBicubic with the kernel of Pillow's resize(BILINEAR), for a
// picture of one channel.
func (g *Grey) ResizeBilinear(width, height int) *Grey {
	im := NewImage(g.Width, g.Height)
	for i, v := range g.Pix {
		im.Pix[3*i], im.Pix[3*i+1], im.Pix[3*i+2] = v, v, v
	}
	return im.resize(linear, width, height).firstChannel()
}

// firstChannel returns the picture's first channel.
func (im *Image) firstChannel() *Grey {
	g := &Grey{im.Width, im.Height, make([]uint8, im.Width*im.Height)}
	for i := range g.Pix {
		g.Pix[i] = im.Pix[3*i]
	}
	return g
}

// resize scales im with the kernel; see ResizeBicubic.
func (im *Image) resize(k kernel, width, height int) *Image {
	columns, rows := newScaling(k, im.Width, width), newScaling(k, im.Height, height)
	switch {
	case height == im.Height:
		return im.resizeColumns(columns, 0, im.Height)
	case width == im.Width:
		return im.resizeRows(rows, 0)
	case rowsFirst(im.Height, width, height):
		return im.resizeRows(rows, 0).resizeColumns(columns, 0, height)
	}
	// The horizontal pass only processes the rows that the vertical pass reads.
	first, _ := rows.span(0)
	_, end := rows.span(height - 1)
	return im.resizeColumns(columns, first, end).resizeRows(rows, first)
}

// rowsFirst reports whether a picture of that height is scaled along the rows first, because the
// intermediate picture would be too large otherwise.
func rowsFirst(from, width, height int) bool {
	return int64(from)*int64(width)*3 > maxBetween && height < from
}

// kernel is a function that input pixels are weighted with, by their distance from the
// output pixel.
type kernel struct {
	radius float64 // beyond which it is 0, in input pixels at scale 1
	at     func(x float64) float64
}

var (
	cubic  = kernel{2, cubicAt}
	linear = kernel{1, func(x float64) float64 { return max(0, 1-math.Abs(x)) }}
)

// scaling maps out output pixels to in input pixels along one axis.
type scaling struct {
	kernel         kernel
	in, out        int
	scale, support float64
	inverse        float64 // 1 / stretch of the kernel
}

func newScaling(k kernel, in, out int) scaling {
	scale := float64(in) / float64(out)
	stretch := max(scale, 1)
	return scaling{kernel: k, in: in, out: out, scale: scale, support: k.radius * stretch, inverse: 1 / stretch}
}

// centre returns the input position of output pixel i. The conversion prevents a fused multiply-add.
func (s scaling) centre(i int) float64 { return float64((float64(i) + 0.5) * s.scale) }

// span returns the range of input pixels, end exclusive, that output pixel i reads.
func (s scaling) span(i int) (first, end int) {
	centre := s.centre(i)
	return max(0, int(centre-s.support+0.5)), min(s.in, int(centre+s.support+0.5))
}

// maxTaps returns the maximum number of input pixels that an output pixel reads.
func (s scaling) maxTaps() int { return 2*int(math.Ceil(s.support)) + 1 }

// weights appends to dst the integer weights of output pixel i over its span.
func (s scaling) weights(dst []int32, scratch []float64, i int) []int32 {
	first, end := s.span(i)
	centre, sum := s.centre(i), 0.0
	scratch = scratch[:0]
	for j := first; j < end; j++ {
		w := s.kernel.at((float64(j) - centre + 0.5) * s.inverse)
		scratch = append(scratch, w)
		sum += w
	}
	for _, w := range scratch {
		if sum != 0 {
			w /= sum
		}
		dst = append(dst, int32(math.Copysign(0.5, w)+float64(w*(1<<weightBits))))
	}
	return dst
}

// cubicAt is the cubic kernel with a = -0.5. The conversions prevent a fused multiply-add, which Pillow's build does not use.
func cubicAt(x float64) float64 {
	const a = -0.5
	x = math.Abs(x)
	switch {
	case x < 1:
		return float64(float64(float64(float64((a+2)*x)-(a+3))*x)*x) + 1
	case x < 2:
		return (float64((float64((x-5)*x)+8)*x) - 4) * a
	}
	return 0
}
