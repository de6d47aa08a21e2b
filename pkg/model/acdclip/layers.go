package acdclip

import (
	"math"

	"acdclip/cgo/torch"
	"acdclip/pkg/model/acdclip/options"
)

// epsilon of every LayerNorm here, PyTorch's default.
const epsilon = 1e-5

// leak is the slope of LeakyReLU below zero, PyTorch's default.
const leak = 0.01

// merge combines an adapter's output with the tokens that it adapts.
type merge struct {
	kind  options.Merge
	blend torch.Tensor // w [1, 1, C] with Rescale
}

// apply combines x and delta, both [B, L, C]. With Rescale, each token of delta is first
// scaled to the norm of x's token; gradients flow through both norms.
func (m merge) apply(x, delta torch.Tensor) torch.Tensor {
	if m.kind == options.Residual {
		return x.Add(delta)
	}
	delta = delta.Mul(x.Norm(-1).Div(delta.Norm(-1)))
	keep := m.blend.MulScalar(-1).AddScalar(1)
	return x.Mul(keep).Add(delta.Mul(m.blend))
}

// pair is a low-rank pair of matrices: W_down [C, r] and W_up [r, C], or A [D, r] and B [r, D] in the text tower.
type pair struct{ down, up torch.Tensor }

// branch is one scale of a Conv-LoRA: a kernel size with its convolutions.
type branch struct {
	kernel           int64
	convDown, convUp torch.Tensor // [r_c, r, k, k], [r, r_c, k, k]
}

// visionAdapter computes dX of a group's patch tokens (Eq. 1-3).
type visionAdapter struct {
	options  options.Adapter
	pairs    []pair       // one, or one per branch
	branches []branch     // Conv-LoRA; none for LoRA
	fuse     torch.Tensor // [C, branches*C, 1, 1]
}

// apply maps patch tokens x [B, G*G, C] to dX of the same shape. W_up is directly followed
// by the 1x1 convolution, so the product of the two, [r, C] per branch, is computed first.
// This avoids tokens as wide as all branches together.
func (a visionAdapter) apply(x torch.Tensor, grid int64) torch.Tensor {
	if a.options.Kind == options.LoRA {
		return x.MatMul(a.pairs[0].down).MatMul(a.pairs[0].up).MulScalar(loraScale(a.options))
	}
	width := a.fuse.Dim(0)
	fuse := a.fuse.Reshape(width, -1).Transpose(0, 1) // [branches*C, C]
	lows, ups := make([]torch.Tensor, len(a.branches)), make([]torch.Tensor, len(a.branches))
	var low torch.Tensor
	for i, b := range a.branches {
		p := a.pairs[min(i, len(a.pairs)-1)]
		if i < len(a.pairs) {
			low = x.MatMul(p.down)
		}
		lows[i] = a.convolve(b, low, grid)
		ups[i] = p.up.MatMul(fuse.Narrow(0, int64(i)*width, width))
	}
	return torch.Cat(-1, lows...).MatMul(torch.Cat(0, ups...))
}

// convolve applies the convolutions and scales of one branch to low [B, L, r].
func (a visionAdapter) convolve(b branch, low torch.Tensor, grid int64) torch.Tensor {
	batch, rank := low.Dim(0), low.Dim(2)
	h := low.Transpose(1, 2).Reshape(batch, rank, grid, grid).Conv2d(b.convDown, 1, b.kernel/2, 1)
	scale := a.options.Alpha / float64(a.options.ConvRank)
	if a.options.Scale == options.InverseKernel {
		scale = 1 / float64(b.kernel)
		h = h.MulScalar(scale)
	} else {
		scale *= alphaOverRoot(a.options) // after W_up
	}
	return h.Conv2d(b.convUp, 1, b.kernel/2, 1).MulScalar(scale).Reshape(batch, rank, grid*grid).Transpose(1, 2)
}

// textAdapter computes x A B, scaled, for all tokens of a group.
type textAdapter struct {
	options options.Adapter
	pair    pair // [D, r], [r, D]
}

// apply maps tokens x [P, L, D] to their dX.
func (t textAdapter) apply(x torch.Tensor) torch.Tensor {
	return x.MatMul(t.pair.down).MatMul(t.pair.up).MulScalar(loraScale(t.options))
}

// loraScale is the factor of a plain low-rank product: alpha/r, or alpha/sqrt(r) with Rescale.
func loraScale(o options.Adapter) float64 {
	if o.Merge == options.Rescale {
		return alphaOverRoot(o)
	}
	return o.Alpha / float64(o.Rank)
}

// mlp is two linear layers.
type mlp struct {
	weight0, bias0, weight2, bias2 torch.Tensor // [h, in], [h], [out, h], [out]
}

// layerNorm is the scale and shift of a LayerNorm, [D].
type layerNorm struct{ weight, bias torch.Tensor }

func (n layerNorm) apply(x torch.Tensor) torch.Tensor { return x.LayerNorm(n.weight, n.bias, epsilon) }

// projection maps tokens to unit tokens of width D: MLP, LayerNorm, normalisation.
type projection struct {
	mlp  mlp
	norm layerNorm
}

// apply maps tokens [B, L, C] to unit tokens [B, L, D].
func (p projection) apply(x torch.Tensor) torch.Tensor {
	x = x.Linear(p.mlp.weight0, p.mlp.bias0).LeakyReLU(leak).Linear(p.mlp.weight2, p.mlp.bias2)
	return p.norm.apply(x).Normalize(-1)
}

// gate computes the weights of the N text levels for one vision level (Eq. 4, 5).
type gate struct{ mlp mlp } // in: D, out: 2N

// logits maps unit patch tokens V_i [B, L, D] to logits [B, N, 2] by level and state. It
// always uses the exact GELU, whatever the towers use.
func (g gate) logits(tokens torch.Tensor) torch.Tensor {
	l := tokens.Mean(1).Linear(g.mlp.weight0, g.mlp.bias0).GELU().Linear(g.mlp.weight2, g.mlp.bias2)
	return l.Reshape(l.Dim(0), -1, states)
}

// fuse returns the sum of text levels [B, N, D, 2] weighted by omega [B, N, 2]: [B, D, 2] (Eq. 5).
func fuse(omega, text torch.Tensor) torch.Tensor {
	return omega.Reshape(omega.Dim(0), omega.Dim(1), 1, states).Mul(text).Sum(1)
}

// alphaOverRoot is the scale alpha/sqrt(r).
func alphaOverRoot(o options.Adapter) float64 { return o.Alpha / math.Sqrt(float64(o.Rank)) }
