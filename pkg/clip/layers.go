package clip

import (
	"acdclip/cgo/torch"
	"acdclip/pkg/config"
)

// epsilon of every LayerNorm in CLIP.
const epsilon = 1e-5

// headWidth is the width of one attention head in every CLIP.
const headWidth = 64

// Linear is a frozen matrix with its bias, both in the number format that was chosen
// when they were loaded. What lies between two matrices of bfloat16 is bfloat16, and
// becomes float32 where it joins the residual stream.
type Linear struct{ weight, bias torch.Tensor }

// Apply maps x [..., in] to [..., out], in the matrix's format.
func (l Linear) Apply(x torch.Tensor) torch.Tensor { return x.FrozenLinear(l.weight, l.bias) }

// LayerNorm normalises over the last dimension, then scales and shifts.
type LayerNorm struct{ weight, bias torch.Tensor }

// Apply keeps the shape of x.
func (n LayerNorm) Apply(x torch.Tensor) torch.Tensor { return x.LayerNorm(n.weight, n.bias, epsilon) }

// activate is the non-linearity inside the blocks.
func activate(a config.Activation, x torch.Tensor) torch.Tensor {
	if a == config.QuickGELU {
		return x.QuickGELU()
	}
	return x.GELU()
}

// block is one pre-norm transformer block (openai/CLIP, ResidualAttentionBlock).
type block struct {
	ln1, ln2       LayerNorm
	qkv, out       Linear // attention: q, k and v from one matrix
	expand, reduce Linear // the MLP
	heads          int64
	causal         bool
	activation     config.Activation
	recompute      bool // keep nothing but the input for the gradient
}

// apply maps x [B, L, C] to [B, L, C], in s; recompute changes no value. What
// attention made is freed before the MLP, whose hidden layer is the largest tensor
// of the tower, is entered.
func (b block) apply(s *torch.Scope, x torch.Tensor) torch.Tensor {
	if b.recompute {
		return s.Keep(b.frozen().Apply(x))
	}
	x = s.Eval(func() torch.Tensor { return x.Add(b.attention(b.ln1.Apply(x))) })
	return s.Step(x, func(x torch.Tensor) torch.Tensor { return x.Add(b.mlp(b.ln2.Apply(x))) })
}

// frozen is the block as one operation.
func (b block) frozen() torch.FrozenBlock {
	return torch.FrozenBlock{
		Parts: [...]torch.Tensor{
			b.ln1.weight, b.ln1.bias, b.qkv.weight, b.qkv.bias, b.out.weight, b.out.bias,
			b.ln2.weight, b.ln2.bias, b.expand.weight, b.expand.bias, b.reduce.weight, b.reduce.bias,
		},
		Heads: b.heads, Causal: b.causal, QuickGELU: b.activation == config.QuickGELU, Epsilon: epsilon,
	}
}

func (b block) mlp(x torch.Tensor) torch.Tensor {
	return b.reduce.Apply(activate(b.activation, b.expand.Apply(x)))
}

func (b block) attention(x torch.Tensor) torch.Tensor {
	return b.out.Apply(b.qkv.Apply(x).SelfAttention(b.heads, b.causal))
}
