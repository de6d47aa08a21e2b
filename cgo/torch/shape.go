package torch

// #include "native.h"
import "C"

import "github.com/wangkuiyi/gotorch"

// Reshape changes the shape without changing the number of values. One length may be -1.
func (t Tensor) Reshape(shape ...int64) Tensor {
	return own("Reshape", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		values, rank := list(shape)
		return C.acd_reshape(in[0], values, rank, out)
	}, t)
}

// Expand repeats dimensions of length 1, without copying; -1 keeps a length.
func (t Tensor) Expand(shape ...int64) Tensor {
	return own("Expand", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		values, rank := list(shape)
		return C.acd_expand(in[0], values, rank, out)
	}, t)
}

// Permute reorders the dimensions.
func (t Tensor) Permute(dims ...int64) Tensor {
	if len(dims) == 0 {
		fail("Permute", "no dimensions were given", t)
	}
	return borrow("Permute", func(in []gotorch.Tensor) gotorch.Tensor { return in[0].Permute(dims) }, t)
}

// Transpose swaps two dimensions.
func (t Tensor) Transpose(a, b int64) Tensor {
	return borrow("Transpose", func(in []gotorch.Tensor) gotorch.Tensor { return in[0].Transpose(a, b) }, t)
}

// Clone returns a copy of t in memory of its own.
func (t Tensor) Clone() Tensor {
	return own("Clone", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error { return C.acd_clone(in[0], out) }, t)
}

// Contiguous returns t in row-major memory. It does not copy if t already is.
func (t Tensor) Contiguous() Tensor {
	return own("Contiguous", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error { return C.acd_contiguous(in[0], out) }, t)
}

// Narrow selects length positions of dim, starting at start, without copying.
func (t Tensor) Narrow(dim, start, length int64) Tensor {
	return own("Narrow", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		return C.acd_narrow(in[0], C.int64_t(dim), C.int64_t(start), C.int64_t(length), out)
	}, t)
}

// IndexSelect selects the positions of dim that index, an int64 tensor, lists.
func (t Tensor) IndexSelect(dim int64, index Tensor) Tensor {
	return borrow("IndexSelect", func(in []gotorch.Tensor) gotorch.Tensor { return in[0].IndexSelect(dim, in[1]) }, t, index)
}

// Cat concatenates tensors along dim.
func Cat(dim int64, tensors ...Tensor) Tensor {
	if len(tensors) == 0 {
		fail("Cat", "no tensors were given")
	}
	return own("Cat", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		return C.acd_cat(&in[0], C.int64_t(len(in)), C.int64_t(dim), out)
	}, tensors...)
}

// Stack concatenates tensors of the same shape along a new dimension dim.
func Stack(dim int64, tensors ...Tensor) Tensor {
	if len(tensors) == 0 {
		fail("Stack", "no tensors were given")
	}
	return borrow("Stack", func(in []gotorch.Tensor) gotorch.Tensor { return gotorch.Stack(in, dim) }, tensors...)
}

// ReflectPad pads t [B, C, H, W] with margin rows and columns by reflection. margin must be
// less than H and W.
func (t Tensor) ReflectPad(margin int64) Tensor {
	return own("ReflectPad", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		return C.acd_reflect_pad(in[0], C.int64_t(margin), out)
	}, t)
}
