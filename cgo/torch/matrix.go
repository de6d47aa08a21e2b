package torch

// #include "native.h"
import "C"

// Matrix is a linear layer whose tensors take no gradient, in a number format of
// its own: t (Weight * Scale)^T + Bias. The format is in the types of its tensors and
// in which of them are there, so whoever multiplies by a Matrix need not know it:
//
//   - floating point: Weight and Bias have one type. What is multiplied is rounded to
//     it, and products are added up in float32.
//   - whole numbers with a scale for each output: Weight is Int8, Bias and Scale have
//     the products' type, which is float32 as a rule.
//   - the same with whole numbers on both sides: what is multiplied is rounded to
//     multiples of InputScale, from -127 to 127 of them.
type Matrix struct {
	Weight     Tensor // [out, in]
	Bias       Tensor // [out]; its type is that of the products
	Scale      Tensor // [out]; the zero Tensor: 1
	InputScale Tensor // one value, beside a Scale; the zero Tensor: what is multiplied is not rounded to whole numbers
}

// Apply maps t [..., in] to [..., out] in the products' type, by the fastest product
// that the device has. Gradients flow to t, also past its rounding; of t itself
// nothing is kept for them.
func (m Matrix) Apply(t Tensor) Tensor {
	return own("Matrix", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		return C.acd_linear(in[0], &m.pointers("Matrix")[0], out)
	}, t)
}

// KeepIn moves the tensors to s, so that they live as long as s, and returns the Matrix.
func (m Matrix) KeepIn(s *Scope) Matrix {
	keepDefined(s, m.Weight, m.Bias, m.Scale, m.InputScale)
	return m
}

func keepDefined(s *Scope, tensors ...Tensor) {
	for _, t := range tensors {
		if t.Defined() {
			s.Keep(t)
		}
	}
}

// pointers gives the tensors to C in the order of cgo/native/matrix.h, nil for a
// scale that is not there.
func (m Matrix) pointers(op string) []C.acd_tensor {
	list := pointers(op, []Tensor{m.Weight, m.Bias})
	if m.InputScale.Defined() && !m.Scale.Defined() {
		fail(op, "the matrix has an input scale and no scale")
	}
	for _, scale := range []Tensor{m.Scale, m.InputScale} {
		var pointer C.acd_tensor
		if scale.Defined() {
			pointer = C.acd_tensor(scale.mustBeOpen(op).pointer)
		}
		list = append(list, pointer)
	}
	return list
}
