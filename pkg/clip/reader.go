package clip

import (
	"context"
	"fmt"

	"acdclip/cgo/torch"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/config"
)

// reader brings a checkpoint's tensors into a Scope as they are asked for by name.
// After the first that cannot be had it gives zero Tensors.
type reader struct {
	ctx        context.Context
	scope      *torch.Scope
	checkpoint *pretrained.Checkpoint
	tensors    map[string]pretrained.Tensor // by name
	format     torch.DType                  // of matrices
	recompute  bool                         // of blocks
	err        error
}

func newReader(ctx context.Context, s *torch.Scope, checkpoint *pretrained.Checkpoint, options Options) *reader {
	r := &reader{ctx: ctx, scope: s, checkpoint: checkpoint, tensors: map[string]pretrained.Tensor{}, format: torch.Float32, recompute: options.Recompute}
	for _, t := range checkpoint.Tensors {
		r.tensors[t.Name] = t
	}
	if options.Precision == config.PrecisionBF16 {
		r.format = torch.BFloat16
	}
	return r
}

// take gives a tensor as float32.
func (r *reader) take(name string) torch.Tensor {
	if r.err == nil {
		r.err = r.ctx.Err()
	}
	if r.err != nil {
		return torch.Tensor{}
	}
	t, found := r.tensors[name]
	if !found {
		r.err = fmt.Errorf("%s has no tensor %s", r.checkpoint.Path, name)
		return torch.Tensor{}
	}
	loaded, err := r.scope.LoadFloat32(t.ReadFloat32, t.Shape...)
	if err != nil {
		r.err = fmt.Errorf("reading %s from %s: %w", name, r.checkpoint.Path, err)
	}
	return loaded
}

// matrix gives a tensor of a linear layer. Its float32 values are freed before the next is read.
func (r *reader) matrix(name string) torch.Tensor {
	t := r.take(name)
	if !t.Defined() || r.format == torch.Float32 {
		return t
	}
	return r.scope.Step(t, func(t torch.Tensor) torch.Tensor { return t.To(r.format) })
}

// linear gives a matrix with its bias, whose names begin with prefix.
func (r *reader) linear(prefix string) torch.Affine {
	return torch.Affine{Weight: r.matrix(prefix + "weight"), Bias: r.matrix(prefix + "bias")}
}

func (r *reader) layerNorm(name string) torch.Affine {
	return torch.Affine{Weight: r.take(name + ".weight"), Bias: r.take(name + ".bias")}
}

func (r *reader) blocks(prefix string, count, heads int, causal bool, activation config.Activation) []torch.FrozenBlock {
	blocks := make([]torch.FrozenBlock, count)
	for i := range blocks {
		name := fmt.Sprintf("%s.resblocks.%d", prefix, i)
		blocks[i] = torch.FrozenBlock{
			Norm1: r.layerNorm(name + ".ln_1"), QKV: r.linear(name + ".attn.in_proj_"), Out: r.linear(name + ".attn.out_proj."),
			Norm2: r.layerNorm(name + ".ln_2"), Expand: r.linear(name + ".mlp.c_fc."), Reduce: r.linear(name + ".mlp.c_proj."),
			Heads: int64(heads), Causal: causal, QuickGELU: activation == config.QuickGELU, Epsilon: epsilon, Recompute: r.recompute,
		}
	}
	return blocks
}
