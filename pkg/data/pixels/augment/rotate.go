package augment

import "math"

// turn is a rotation of an S x S picture about its centre that samples like
// torchvision's F.rotate of a tensor. Every sum and product is rounded to float32 in
// the same way, because the last bit can decide which input pixel is nearest.
// (torchvision, transforms/_functional_tensor.py, _gen_affine_grid;
// libtorch, native/cpu/GridSamplerKernel.cpp.)
//
// In libtorch, MKL computes the grid's matrix product, (column, row, 1) times [3, 2],
// with fused multiply-add on Intel processors only. This code does not fuse, so every
// pixel equals libtorch's on other processors. On Intel, about 3 pixels in a million,
// on the border of two input pixels, use the other one.
type turn struct {
	size int
	half float64 // S/2
	// The products of all centred coordinates with cosine and sine, in units of S/2.
	cos, sin []float32
}

func newTurn(degrees float64, size int) turn {
	t := turn{size: size, half: float64(size) / 2, cos: make([]float32, size), sin: make([]float32, size)}
	sin, cos := math.Sincos(degrees * (math.Pi / 180))
	half := float32(t.half)
	for i := range size {
		centred := float32(float64(i) - t.half + 0.5)
		t.cos[i] = float32(centred * (float32(cos) / half))
		t.sin[i] = float32(centred * (float32(sin) / half))
	}
	return t
}

// source returns the index of the source pixel of the output pixel at (column, row), or fill.
func (t *turn) source(column, row int) int32 {
	x := t.pixel(t.cos[column] - t.sin[row])
	y := t.pixel(t.sin[column] + t.cos[row])
	if x < 0 || x >= t.size || y < 0 || y >= t.size {
		return fill
	}
	return int32(y*t.size + x)
}

// pixel returns the pixel nearest to a grid coordinate, rounding half to even: -1 is
// the outer edge of the first pixel, 1 that of the last. Libtorch's vector kernels fuse
// the product and the difference; float64 represents both without rounding.
func (t *turn) pixel(at float32) int {
	near := float64(at+1)*t.half - 0.5
	return int(math.RoundToEven(float64(float32(near))))
}
