package augment

import "math"

// turn is a rotation of an S x S picture about its centre, as torchvision's
// F.rotate of a tensor samples it. Every sum and product is rounded to float32
// as there; the last bit decides at times which input pixel a pixel takes.
// (torchvision, transforms/_functional_tensor.py, _gen_affine_grid;
// libtorch, native/cpu/GridSamplerKernel.cpp.)
//
// The grid's matrix product, (column, row, 1) times [3, 2], is MKL's, which fuses
// multiply and add on Intel's processors and not on others. Here it is not
// fused, and every pixel equals libtorch's on the others. On Intel's about 3
// pixels in a million, on the border of two input pixels, take the other one.
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

// place is the index of the input pixel that the pixel at (column, row) takes, or fill.
func (t *turn) place(column, row int) int32 {
	x := t.pixel(t.cos[column] - t.sin[row])
	y := t.pixel(t.sin[column] + t.cos[row])
	if x < 0 || x >= t.size || y < 0 || y >= t.size {
		return fill
	}
	return int32(y*t.size + x)
}

// pixel is the pixel nearest to a grid coordinate, of two the even one: -1 is the
// first pixel's near edge, 1 the last one's far edge. Libtorch's vector kernels
// fuse the product and the difference; float64 holds both without rounding.
func (t *turn) pixel(at float32) int {
	near := float64(at+1)*t.half - 0.5
	return int(math.RoundToEven(float64(float32(near))))
}
