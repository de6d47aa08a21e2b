package torch

// #include "native.h"
import "C"

import (
	"github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/nn/functional"
)

// Operations have PyTorch's names and definitions. Dimensions may be negative.

// Add returns t + other.
func (t Tensor) Add(other Tensor) Tensor {
	return borrow("Add", func(in []gotorch.Tensor) gotorch.Tensor { return gotorch.Add(in[0], in[1], 1) }, t, other)
}

// Sub returns t - other.
func (t Tensor) Sub(other Tensor) Tensor {
	return borrow("Sub", func(in []gotorch.Tensor) gotorch.Tensor { return gotorch.Sub(in[0], in[1], 1) }, t, other)
}

// Mul returns t * other, element by element.
func (t Tensor) Mul(other Tensor) Tensor {
	return borrow("Mul", func(in []gotorch.Tensor) gotorch.Tensor { return gotorch.Mul(in[0], in[1]) }, t, other)
}

// Div returns t / other, element by element.
func (t Tensor) Div(other Tensor) Tensor {
	return borrow("Div", func(in []gotorch.Tensor) gotorch.Tensor { return gotorch.Div(in[0], in[1]) }, t, other)
}

// AddScalar returns t + value.
func (t Tensor) AddScalar(value float64) Tensor {
	return own("AddScalar", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		return C.acd_add_scalar(in[0], C.double(value), out)
	}, t)
}

// MulScalar returns t * value.
func (t Tensor) MulScalar(value float64) Tensor {
	return own("MulScalar", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		return C.acd_mul_scalar(in[0], C.double(value), out)
	}, t)
}

// Pow returns t to the power of exponent.
func (t Tensor) Pow(exponent float64) Tensor {
	return own("Pow", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		return C.acd_pow(in[0], C.double(exponent), out)
	}, t)
}

// Log returns the natural logarithm.
func (t Tensor) Log() Tensor {
	return own("Log", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error { return C.acd_log(in[0], out) }, t)
}

// Clamp limits the values to [low, high]. The gradient is zero outside that range.
func (t Tensor) Clamp(low, high float64) Tensor {
	return own("Clamp", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		return C.acd_clamp(in[0], C.double(low), C.double(high), out)
	}, t)
}

// GELU returns the exact GELU, with the error function.
func (t Tensor) GELU() Tensor {
	return own("GELU", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error { return C.acd_gelu(in[0], out) }, t)
}

// LeakyReLU returns t where it is positive, else slope * t.
func (t Tensor) LeakyReLU(slope float64) Tensor {
	return borrow("LeakyReLU", func(in []gotorch.Tensor) gotorch.Tensor { return in[0].LeakyRelu(slope) }, t)
}

// MatMul returns the matrix product over the last two dimensions; the others broadcast.
func (t Tensor) MatMul(other Tensor) Tensor {
	return own("MatMul", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		return C.acd_matmul(in[0], in[1], out)
	}, t, other)
}

// Linear returns t weight^T + bias, with weight [out, in] and bias [out].
func (t Tensor) Linear(weight, bias Tensor) Tensor {
	return own("Linear", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		return C.acd_dense(in[0], in[1], in[2], out)
	}, t, weight, bias)
}

// Conv2d convolves t [B, C, H, W] with weight [out, C/groups, k, k], without bias.
func (t Tensor) Conv2d(weight Tensor, stride, padding, groups int64) Tensor {
	return borrow("Conv2d", func(in []gotorch.Tensor) gotorch.Tensor {
		return functional.Conv2d(in[0], in[1], gotorch.Tensor{},
			[]int64{stride, stride}, []int64{padding, padding}, []int64{1, 1}, groups)
	}, t, weight)
}

// Softmax returns the softmax along dim.
func (t Tensor) Softmax(dim int64) Tensor {
	return own("Softmax", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		return C.acd_softmax(in[0], C.int64_t(dim), out)
	}, t)
}

// LayerNorm normalises over the dimensions of weight, then scales and shifts.
func (t Tensor) LayerNorm(weight, bias Tensor, epsilon float64) Tensor {
	return own("LayerNorm", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		return C.acd_layer_norm(in[0], in[1], in[2], C.double(epsilon), out)
	}, t, weight, bias)
}

// Norm returns the Euclidean norm along dim. The dimension stays, with length 1.
func (t Tensor) Norm(dim int64) Tensor {
	return own("Norm", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		return C.acd_norm(in[0], C.int64_t(dim), out)
	}, t)
}

// Normalize divides by the Euclidean norm along dim, or by 1e-12 if the norm is smaller.
func (t Tensor) Normalize(dim int64) Tensor {
	return own("Normalize", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		return C.acd_normalize(in[0], C.int64_t(dim), out)
	}, t)
}

// Mean returns the mean over dims, which are removed; without dims over all values.
func (t Tensor) Mean(dims ...int64) Tensor {
	return own("Mean", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		values, count := list(dims)
		return C.acd_mean(in[0], values, count, out)
	}, t)
}

// Sum returns the sum over dims, which are removed; without dims over all values.
func (t Tensor) Sum(dims ...int64) Tensor {
	return own("Sum", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		values, count := list(dims)
		return C.acd_sum(in[0], values, count, out)
	}, t)
}

// AMax returns the largest value over dims, which are removed.
func (t Tensor) AMax(dims ...int64) Tensor {
	return own("AMax", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		values, count := list(dims)
		return C.acd_amax(in[0], values, count, out)
	}, t)
}

// Interpolation is the interpolation method of Resize.
type Interpolation int32

// The numbers match those in cgo/native/operations.cc. Corners are aligned only in
// BilinearAligned.
const (
	Bilinear         Interpolation = iota // without antialiasing
	BilinearAligned                       // without antialiasing; align_corners=True in PyTorch
	Bicubic                               // without antialiasing; the kernel's a is -0.75
	BicubicAntialias                      // with antialiasing; the kernel's a is -0.5, also when enlarging
)

// Resize resizes t [B, C, h, w] to height x width, like torch.nn.functional.interpolate.
func (t Tensor) Resize(how Interpolation, height, width int64) Tensor {
	return own("Resize", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		return C.acd_resize(in[0], C.int32_t(how), C.int64_t(height), C.int64_t(width), out)
	}, t)
}

// CrossEntropy returns the mean over B of -log softmax(logits [B, K])[labels [B]].
func CrossEntropy(logits, labels Tensor) Tensor {
	return own("CrossEntropy", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		return C.acd_cross_entropy(in[0], in[1], out)
	}, logits, labels)
}
