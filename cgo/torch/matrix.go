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
//   - the same with whole numbers on both sides: RoundInputs.
type Matrix struct {
	Weight Tensor // [out, in]
	Bias   Tensor // [out]; its type is that of the products
	Scale  Tensor // [out]; the zero Tensor: 1

	// RoundInputs, beside a Scale, makes whole numbers from -127 to 127 of what is
	// multiplied as well: multiples of InputScale, one value, or where that is the zero
	// Tensor, of a 127th of each row's largest.
	RoundInputs bool
	InputScale  Tensor
}

// Apply maps t [..., in] to [..., out] in the products' type, by the fastest product
// that the device has. Gradients flow to t, also past its rounding; of t itself
// nothing is kept for them.
func (m Matrix) Apply(t Tensor) Tensor {
	return own("Matrix", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		return C.acd_linear(in[0], &m.pointers("Matrix")[0], flag(m.RoundInputs), out)
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
	if m.RoundInputs && !m.Scale.Defined() {
		fail(op, "the matrix rounds what it multiplies and has no scale")
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
