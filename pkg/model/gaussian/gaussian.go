// Package gaussian smooths anomaly maps like scipy.ndimage.gaussian_filter with its
// defaults: the kernel is cut at four sigma, and edges are mirrored with the edge pixel
// repeated (d c b a | a b c d | d c b a).
package gaussian

import (
	"math"

	"acdclip/cgo/torch"
)

// Filter smooths maps of one size.
type Filter struct{ matrix torch.Tensor } // [S, S]; undefined: no smoothing

// New returns a filter for maps of size x size pixels; sigma is in pixels, and 0 means no
// smoothing. Its tensor belongs to s. It must be called inside Do.
func New(s *torch.Scope, size int, sigma float64) Filter {
	if sigma == 0 {
		return Filter{}
	}
	return Filter{s.FromFloat32(matrix(size, sigma), int64(size), int64(size))}
}

// Apply smooths maps [B, S, S].
func (f Filter) Apply(maps torch.Tensor) torch.Tensor {
	if !f.matrix.Defined() {
		return maps
	}
	return f.matrix.MatMul(maps).MatMul(f.matrix.Transpose(0, 1))
}

// matrix returns the smoothing along one axis as a matrix [size, size], row-major: row i
// has the weights of the pixels that make up pixel i.
func matrix(size int, sigma float64) []float32 {
	radius := int(4*sigma + 0.5)
	weights, sum := make([]float64, 2*radius+1), 0.0
	for j := range weights {
		x := float64(j - radius)
		weights[j] = math.Exp(-x * x / (2 * sigma * sigma))
		sum += weights[j]
	}
	values, row := make([]float32, 0, size*size), make([]float64, size)
	for i := range size {
		clear(row)
		for j, weight := range weights {
			row[fold(i+j-radius, size)] += weight / sum
		}
		for _, value := range row {
			values = append(values, float32(value))
		}
	}
	return values
}

// fold returns the pixel that lies at position i of a line of size pixels which is
// continued on both sides by its mirror image, again and again.
func fold(i, size int) int {
	i = ((i % (2 * size)) + 2*size) % (2 * size)
	return min(i, 2*size-1-i)
}
