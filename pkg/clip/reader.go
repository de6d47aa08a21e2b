package clip

import (
	"context"
	"fmt"

	"acdclip/cgo/torch"
	"acdclip/pkg/clip/pretrained"
)

// reader loads a checkpoint's tensors into a Scope by name. After the first error it
// returns zero Tensors.
type reader struct {
	ctx        context.Context
	scope      *torch.Scope
	checkpoint *pretrained.Checkpoint
	tensors    map[string]pretrained.Tensor // by name
	format     Format                       // of matrices
	err        error
}

func newReader(ctx context.Context, s *torch.Scope, checkpoint *pretrained.Checkpoint, format Format) *reader {
	r := &reader{ctx: ctx, scope: s, checkpoint: checkpoint, tensors: map[string]pretrained.Tensor{}, format: format}
	for _, t := range checkpoint.Tensors {
		r.tensors[t.Name] = t
	}
	return r
}

// take loads a tensor as float32.
func (r *reader) take(name string) torch.Tensor { return r.into(r.scope, name) }

func (r *reader) into(s *torch.Scope, name string) torch.Tensor {
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
	loaded, err := s.LoadFloat32(t.ReadFloat32, t.Shape...)
	if err != nil {
		r.err = fmt.Errorf("reading %s from %s: %w", name, r.checkpoint.Path, err)
	}
	return loaded
}

// matrix loads a linear layer, whose tensors have names with the given prefix. If the
// format is not float32, the float32 values are freed before it returns.
func (r *reader) matrix(prefix string) (m torch.Matrix) {
	_ = r.scope.Within(func(inner *torch.Scope) error {
		weight, bias := r.into(inner, prefix+"weight"), r.into(inner, prefix+"bias")
		if r.err == nil {
			m = r.format.matrix(weight, bias).KeepIn(r.scope)
		}
		return r.err
	})
	return m
}

func (r *reader) layerNorm(name string) torch.Affine {
	return torch.Affine{Weight: r.take(name + ".weight"), Bias: r.take(name + ".bias")}
}

// blocks loads count blocks, whose tensors have names with the given prefix; kind gives
// everything except their tensors.
func (r *reader) blocks(prefix string, count int, kind torch.FrozenBlock) []torch.FrozenBlock {
	blocks := make([]torch.FrozenBlock, count)
	for i := range blocks {
		name := fmt.Sprintf("%s.resblocks.%d", prefix, i)
		b := kind
		b.Norm1, b.QKV, b.Out = r.layerNorm(name+".ln_1"), r.matrix(name+".attn.in_proj_"), r.matrix(name+".attn.out_proj.")
		b.Norm2, b.Expand, b.Reduce = r.layerNorm(name+".ln_2"), r.matrix(name+".mlp.c_fc."), r.matrix(name+".mlp.c_proj.")
		blocks[i] = b
	}
	return blocks
}
