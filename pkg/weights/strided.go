package weights

import (
	"cmp"
	"slices"
)

// axis is one dimension of a strided read.
type axis struct {
	size   int64
	stride int64 // stride in the storage, in elements
	step   int64 // stride in the row-major result, in elements
	inner  int64 // number of storage elements that the following axes span
}

// readStrided reads a tensor of any layout: transposed, with gaps, overlapping or
// repeated. It streams the spanned part of the storage once, from front to back, and
// copies each chunk's elements to their destinations, so memory stays small and
// compressed entries work too.
func (t *Tensor) readStrided(dst []float32) error {
	axes, extent := t.axes()
	size := t.DType.Size()
	from := t.offset * size
	length := extent * size
	values := make([]float32, min(chunkSize/size, extent))
	return t.store.stream(from, from+length, make([]byte, min(chunkSize, length)), func(at int64, raw []byte) {
		chunk := values[:int64(len(raw))/size]
		t.DType.decodeFloat32(chunk, raw)
		scatter(dst, chunk, (at-from)/size, axes, 0, 0)
	})
}

// axes returns the tensor's dimensions, largest stride first, so that a chunk of the
// storage overlaps few indices of the outer ones, and the number of storage elements
// spanned.
func (t *Tensor) axes() (axes []axis, extent int64) {
	for i, step := range rowMajor(t.Shape) {
		axes = append(axes, axis{size: t.Shape[i], stride: t.strides[i], step: step})
	}
	slices.SortStableFunc(axes, func(a, b axis) int { return cmp.Compare(b.stride, a.stride) })
	extent = 1
	for i := len(axes) - 1; i >= 0; i-- {
		axes[i].inner = extent
		extent += (axes[i].size - 1) * axes[i].stride
	}
	return axes, extent
}

// scatter copies the elements of chunk, which starts at storage element first, to dst,
// for the part of the tensor at storage element base and index at of dst.
func scatter(dst, chunk []float32, first int64, axes []axis, base, at int64) {
	if len(axes) == 0 {
		dst[at] = chunk[base-first]
		return
	}
	a := axes[0]
	low, high := a.meeting(base, first, first+int64(len(chunk)))
	for i := low; i < high; i++ {
		scatter(dst, chunk, first, axes[1:], base+i*a.stride, at+i*a.step)
	}
}

// meeting returns the indices [low, high) along a for which the elements
// [base + i*stride, base + i*stride + inner) overlap [first, end).
func (a axis) meeting(base, first, end int64) (low, high int64) {
	if a.stride == 0 {
		if base < end && base+a.inner > first {
			return 0, a.size
		}
		return 0, 0
	}
	// The smallest i with base + i*stride + inner > first.
	if gap := first - base - a.inner + 1; gap > 0 {
		low = (gap + a.stride - 1) / a.stride
	}
	// The smallest i with base + i*stride >= end.
	if gap := end - base; gap > 0 {
		high = (gap-1)/a.stride + 1
	}
	return low, min(high, a.size)
}
