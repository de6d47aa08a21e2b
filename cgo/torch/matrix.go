package torch

// #include "native.h"
import "C"

import "unsafe"

// Matrix is a linear layer, t (Weight * Scale)^T + Bias, whose tensors need no gradient.
// Its number format follows from the types of its tensors and from which are defined, so
// callers of Apply need not know it:
//
//   - floating point: Weight and Bias have the same type. Inputs are rounded to it, and
//     products are summed in float32. A Weight of another type than Bias is converted to
//     Bias's for each product, which saves memory.
//   - whole numbers with a scale per output: Weight is Int8; Bias and Scale have the type of
//     the products, typically float32.
//   - whole numbers for weights and inputs: the same with RoundInputs.
//
// A packed Matrix is one for products without gradients; see Packed.
type Matrix struct {
	Weight Tensor // [out, in]
	Bias   Tensor // [out]; its type is that of the products
	Scale  Tensor // [out]; the zero Tensor: 1

	// RoundInputs also rounds the inputs to whole multiples, from -127 to 127, of a step. It
	// needs a Scale. The step is InputScale, one value, or if that is the zero Tensor, the
	// largest magnitude of each row divided by 127.
	RoundInputs bool
	InputScale  Tensor
}

// Apply maps t [..., in] to [..., out] in the products' type, with the device's fastest
// matrix product. Gradients flow to t as if it were not rounded; t itself is not kept for
// the backward pass.
func (m Matrix) Apply(t Tensor) Tensor {
	return own("Matrix", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		return C.acd_linear(in[0], &m.pointers("Matrix")[0], flag(m.RoundInputs), out)
	}, t)
}

// Int8Matrix converts a weight [out, in] and a bias [out] of float32 to a matrix of whole numbers
// for weights and inputs. The largest magnitude of an output's weights becomes 127.
func Int8Matrix(weight, bias Tensor) Matrix {
	const op = "Int8Matrix"
	s := weight.mustBeOpen(op).scope
	var out [2]C.acd_tensor
	must(op, C.acd_quantise(C.acd_tensor(weight.h.pointer), &out[0]), weight)
	return Matrix{Weight: s.rt.adopt(unsafe.Pointer(out[0])), Bias: bias, Scale: s.rt.adopt(unsafe.Pointer(out[1])), RoundInputs: true}
}

// Packed returns the matrix with its weight in an order of its own, in which products are
// fastest on this machine's CPU, or m where there is none. It cannot be used where gradients
// are recorded, nor read. Of a matrix that rounds its inputs, blocks then also compute
// attention in bfloat16.
func (m Matrix) Packed() Matrix {
	const op = "Packed"
	parts := m.pointers(op)
	var out C.acd_tensor
	must(op, C.acd_pack(&parts[0], flag(m.RoundInputs), &out), m.Weight)
	if out != nil {
		m.Weight = m.Weight.h.scope.rt.adopt(unsafe.Pointer(out))
	}
	return m
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

// pointers returns the tensors for C in the order of cgo/native/matrix.h, nil for an
// undefined scale.
func (m Matrix) pointers(op string) []C.acd_tensor {
	list := pointers(op, []Tensor{m.Weight, m.Bias})
	if m.RoundInputs && !m.Scale.Defined() {
		fail(op, "a matrix that rounds its inputs needs a scale")
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
