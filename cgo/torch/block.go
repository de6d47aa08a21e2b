package torch

// #include "native.h"
import "C"

import "unsafe"

// Affine is the weight and the bias of a LayerNorm, both [C].
type Affine struct{ Weight, Bias Tensor }

// FrozenBlock is a pre-norm transformer block whose tensors need no gradient
// (openai/CLIP, ResidualAttentionBlock). The residual stream keeps its type, whatever the
// format of the matrices.
type FrozenBlock struct {
	Norm1          Affine
	QKV, Out       Matrix // attention: QKV computes q, k and v, [3C, C]
	Norm2          Affine
	Expand, Reduce Matrix // the MLP

	Heads     int64
	Causal    bool // a position does not attend to later ones
	QuickGELU bool // t * sigmoid(1.702 t), OpenAI's approximation, instead of GELU
	Epsilon   float64
	Recompute bool // keep only the input for the backward pass, and compute the rest again there
}

// Part is a set of intermediate results of a block, combined with |.
type Part int32

// The bits are in the order of cgo/native/frozen.cc.
const (
	Normed         Part = 1 << iota // Norm1 of the input, from which q, k and v are computed
	Attention                       // the output of attention: Out of softmax(q k^T / sqrt(C/heads)) v
	Attended                        // the input plus Attention, the input of the MLP's branch
	ValueAttention                  // value-value attention: Out of softmax(v v^T / sqrt(C/heads)) v, which the block itself does not use

	partCount = iota
)

// Parts are intermediate results of a block, each [B, L, C] in the type of the block's
// input. Parts that were not requested are zero Tensors.
type Parts struct{ Normed, Attention, Attended, ValueAttention Tensor }

// Apply maps t [B, L, C] to [B, L, C] with the device's fastest matrix products. Neither
// attention weights nor the matrices' inputs are kept for the backward pass. Recompute
// changes neither values nor gradients.
func (b FrozenBlock) Apply(t Tensor) Tensor {
	y, _ := b.ApplyParts(t, 0)
	return y
}

// ApplyFirst returns the first rows of Apply, [B, rows, C] with 0 < rows <= L, without
// computing the others: of them it needs only k and v, and of a causal block nothing. The
// values are Apply's but for the rounding of products of another size.
func (b FrozenBlock) ApplyFirst(t Tensor, rows int64) Tensor {
	y, _ := b.apply(t, rows, 0)
	return y
}

// ApplyParts is like Apply and also returns the wanted intermediate results, through which
// gradients flow too. Results that are not wanted are neither computed nor kept.
func (b FrozenBlock) ApplyParts(t Tensor, wanted Part) (Tensor, Parts) {
	return b.apply(t, t.Dim(1), wanted)
}

// apply computes the first rows of the output, and if these are all, the wanted parts.
func (b FrozenBlock) apply(t Tensor, rows int64, wanted Part) (Tensor, Parts) {
	const op = "FrozenBlock"
	input := C.acd_tensor(t.mustBeOpen(op).pointer)
	weights, rounded := b.pointers(op)
	var out [1 + partCount]C.acd_tensor
	must(op, C.acd_frozen_block(input, &weights[0], C.int64_t(b.Heads), flag(b.Causal), flag(b.QuickGELU),
		C.double(b.Epsilon), flag(b.Recompute), rounded, C.int32_t(wanted), C.int64_t(rows), &out[0]), t, b.QKV.Weight)
	var results [1 + partCount]Tensor
	for i, pointer := range out {
		if pointer != nil {
			results[i] = t.h.scope.rt.adopt(unsafe.Pointer(pointer))
		}
	}
	return results[0], Parts{results[1], results[2], results[3], results[4]}
}

// pointers returns the tensors, and a bit for each matrix that rounds its inputs, in the
// order of cgo/native/frozen.cc.
func (b FrozenBlock) pointers(op string) (list []C.acd_tensor, rounded C.int32_t) {
	list = pointers(op, []Tensor{b.Norm1.Weight, b.Norm1.Bias, b.Norm2.Weight, b.Norm2.Bias})
	for i, m := range []Matrix{b.QKV, b.Out, b.Expand, b.Reduce} {
		list = append(list, m.pointers(op)...)
		rounded |= flag(m.RoundInputs) << i
	}
	return list, rounded
}

// KeepIn moves the defined parts to s, so that they live as long as s, and returns them.
func (p Parts) KeepIn(s *Scope) Parts {
	keepDefined(s, p.Normed, p.Attention, p.Attended, p.ValueAttention)
	return p
}
