package torch

// #include "native.h"
import "C"

import (
	"github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/nn/functional"
)

// Operations are named and defined as in PyTorch. Dimensions may be negative.

// Add is t + other.
func (t Tensor) Add(other Tensor) Tensor {
	return borrow("Add", func(in []gotorch.Tensor) gotorch.Tensor { return gotorch.Add(in[0], in[1], 1) }, t, other)
}

// Sub is t - other.
func (t Tensor) Sub(other Tensor) Tensor {
	return borrow("Sub", func(in []gotorch.Tensor) gotorch.Tensor { return gotorch.Sub(in[0], in[1], 1) }, t, other)
}

// Mul is t * other, value by value.
func (t Tensor) Mul(other Tensor) Tensor {
	return borrow("Mul", func(in []gotorch.Tensor) gotorch.Tensor { return gotorch.Mul(in[0], in[1]) }, t, other)
}

// Div is t / other, value by value.
func (t Tensor) Div(other Tensor) Tensor {
	return borrow("Div", func(in []gotorch.Tensor) gotorch.Tensor { return gotorch.Div(in[0], in[1]) }, t, other)
}

// AddScalar is t + value.
func (t Tensor) AddScalar(value float64) Tensor {
	return own("AddScalar", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		return C.acd_add_scalar(in[0], C.double(value), out)
	}, t)
}

// MulScalar is t * value.
func (t Tensor) MulScalar(value float64) Tensor {
	return own("MulScalar", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		return C.acd_mul_scalar(in[0], C.double(value), out)
	}, t)
}

// Pow is t to the power of exponent.
func (t Tensor) Pow(exponent float64) Tensor {
	return own("Pow", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		return C.acd_pow(in[0], C.double(exponent), out)
	}, t)
}

// Log is the natural logarithm.
func (t Tensor) Log() Tensor {
	return own("Log", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error { return C.acd_log(in[0], out) }, t)
}

// Clamp limits the values to [low, high]; outside, no gradient passes.
func (t Tensor) Clamp(low, high float64) Tensor {
	return own("Clamp", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		return C.acd_clamp(in[0], C.double(low), C.double(high), out)
	}, t)
}

// GELU is the exact one, by the error function.
func (t Tensor) GELU() Tensor {
	return own("GELU", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error { return C.acd_gelu(in[0], out) }, t)
}

// LeakyReLU is t where positive, else slope * t.
func (t Tensor) LeakyReLU(slope float64) Tensor {
	return borrow("LeakyReLU", func(in []gotorch.Tensor) gotorch.Tensor { return in[0].LeakyRelu(slope) }, t)
}

// MatMul is the matrix product over the last two dimensions; others broadcast.
func (t Tensor) MatMul(other Tensor) Tensor {
	return own("MatMul", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		return C.acd_matmul(in[0], in[1], out)
	}, t, other)
}

// Linear is t weight^T + bias, with weight [out, in] and bias [out].
func (t Tensor) Linear(weight, bias Tensor) Tensor {
	return borrow("Linear", func(in []gotorch.Tensor) gotorch.Tensor {
		return functional.Linear(in[0], in[1], in[2])
	}, t, weight, bias)
}

// Conv2d convolves t [B, C, H, W] with weight [out, C/groups, k, k], without bias.
func (t Tensor) Conv2d(weight Tensor, stride, padding, groups int64) Tensor {
	return borrow("Conv2d", func(in []gotorch.Tensor) gotorch.Tensor {
		return functional.Conv2d(in[0], in[1], gotorch.Tensor{},
			[]int64{stride, stride}, []int64{padding, padding}, []int64{1, 1}, groups)
	}, t, weight)
}

// Softmax makes the values along dim positive with sum 1.
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

// Norm is the Euclidean length along dim, which stays with length 1.
func (t Tensor) Norm(dim int64) Tensor {
	return own("Norm", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		return C.acd_norm(in[0], C.int64_t(dim), out)
	}, t)
}

// Normalize divides by the Euclidean length along dim (at least 1e-12).
func (t Tensor) Normalize(dim int64) Tensor {
	return own("Normalize", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		return C.acd_normalize(in[0], C.int64_t(dim), out)
	}, t)
}

// Mean averages over dims, which go; without dims over everything.
func (t Tensor) Mean(dims ...int64) Tensor {
	return own("Mean", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		values, count := list(dims)
		return C.acd_mean(in[0], values, count, out)
	}, t)
}

// Sum adds over dims, which go; without dims over everything.
func (t Tensor) Sum(dims ...int64) Tensor {
	return own("Sum", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		values, count := list(dims)
		return C.acd_sum(in[0], values, count, out)
	}, t)
}

// AMax is the largest value over dims, which go.
func (t Tensor) AMax(dims ...int64) Tensor {
	return own("AMax", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		values, count := list(dims)
		return C.acd_amax(in[0], values, count, out)
	}, t)
}

// Interpolation is how Resize finds values between those that it is given.
type Interpolation int32

// The numbers are those of cgo/native/operations.cc. Corners are not aligned but in
// BilinearAligned.
const (
	Bilinear         Interpolation = iota // without antialiasing
	BilinearAligned                       // likewise; the centres of the corner pixels stay where they are
	Bicubic                               // without antialiasing; the kernel's a is -0.75
	BicubicAntialias                      // with antialiasing; the kernel's a is -0.5, also where it enlarges
)

// Resize brings t [B, C, h, w] to height x width, as torch.nn.functional.interpolate does.
func (t Tensor) Resize(how Interpolation, height, width int64) Tensor {
	return own("Resize", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		return C.acd_resize(in[0], C.int32_t(how), C.int64_t(height), C.int64_t(width), out)
	}, t)
}

// CrossEntropy is the mean over B of -log softmax(logits [B, K])[labels [B]].
func CrossEntropy(logits, labels Tensor) Tensor {
	return own("CrossEntropy", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		return C.acd_cross_entropy(in[0], in[1], out)
	}, logits, labels)
}
