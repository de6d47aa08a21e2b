package torch

// #include "native.h"
import "C"

import "unsafe"

// Affine is the weight and the bias of a LayerNorm, both [C].
type Affine struct{ Weight, Bias Tensor }

// FrozenBlock is a pre-norm transformer block whose tensors take no gradient
// (openai/CLIP, ResidualAttentionBlock). What joins the residual stream has the
// stream's type, whatever the format of the matrices.
type FrozenBlock struct {
	Norm1          Affine
	QKV, Out       Matrix // attention: QKV gives q, k and v, [3C, C]
	Norm2          Affine
	Expand, Reduce Matrix // the MLP

	Heads     int64
	Causal    bool // a position sees none after it
	QuickGELU bool // t * sigmoid(1.702 t), OpenAI's approximation, instead of GELU
	Epsilon   float64
	Recompute bool // for the gradient keep the input alone, and compute the rest again when it is wanted
}

// Part is a set of results inside a block, joined by |.
type Part int32

// The bits are in the order of cgo/native/frozen.cc.
const (
	Normed         Part = 1 << iota // Norm1 of the input, of which q, k and v are made
	Attention                       // what attention adds to the input: Out of softmax(q k^T / sqrt(C/heads)) v
	Attended                        // the input with it, to which the MLP adds
	ValueAttention                  // value-value attention: Out of softmax(v v^T / sqrt(C/heads)) v, which nothing is made of in the block

	partCount = iota
)

// Parts are results inside a block, each [B, L, C] in the type of the block's input.
// Those that were not asked for are zero Tensors.
type Parts struct{ Normed, Attention, Attended, ValueAttention Tensor }

// Apply maps t [B, L, C] to [B, L, C], by the fastest products that the device has.
// Of the weights of attention, and of the matrices' inputs, none is kept for the
// gradient. Recompute changes no value and no gradient.
func (b FrozenBlock) Apply(t Tensor) Tensor {
	y, _ := b.ApplyParts(t, 0)
	return y
}

// ApplyParts is Apply that also gives the wanted results inside the block. Gradients
// flow through them as well. What is not wanted is neither computed nor kept.
func (b FrozenBlock) ApplyParts(t Tensor, wanted Part) (Tensor, Parts) {
	const op = "FrozenBlock"
	input := C.acd_tensor(t.mustBeOpen(op).pointer)
	weights, rounded := b.pointers(op)
	var out [1 + partCount]C.acd_tensor
	must(op, C.acd_frozen_block(input, &weights[0], C.int64_t(b.Heads), flag(b.Causal), flag(b.QuickGELU),
		C.double(b.Epsilon), flag(b.Recompute), rounded, C.int32_t(wanted), &out[0]), t, b.QKV.Weight)
	var results [1 + partCount]Tensor
	for i, pointer := range out {
		if pointer != nil {
			results[i] = t.h.scope.rt.adopt(unsafe.Pointer(pointer))
		}
	}
	return results[0], Parts{results[1], results[2], results[3], results[4]}
}

// pointers gives the tensors, and a bit for each matrix that rounds what it
// multiplies, in the order of cgo/native/frozen.cc.
func (b FrozenBlock) pointers(op string) (list []C.acd_tensor, rounded C.int32_t) {
	list = pointers(op, []Tensor{b.Norm1.Weight, b.Norm1.Bias, b.Norm2.Weight, b.Norm2.Bias})
	for i, m := range []Matrix{b.QKV, b.Out, b.Expand, b.Reduce} {
		list = append(list, m.pointers(op)...)
		rounded |= flag(m.RoundInputs) << i
	}
	return list, rounded
}

// KeepIn moves those that are there to s, so that they live as long as s, and returns them.
func (p Parts) KeepIn(s *Scope) Parts {
	keepDefined(s, p.Normed, p.Attention, p.Attended, p.ValueAttention)
	return p
}
