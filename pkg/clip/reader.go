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
	buffer     *torch.Buffer
	checkpoint *pretrained.Checkpoint
	tensors    map[string]pretrained.Tensor // by name
	format     Format                       // of matrices
	pack       bool                         // matrices are packed
	compact    bool                         // matrices and token embeddings that are stored as float16 stay so: they are used rarely
	err        error
}

// newReader returns a reader that uses the buffer while it loads.
func newReader(ctx context.Context, s *torch.Scope, buffer *torch.Buffer, checkpoint *pretrained.Checkpoint, format Format, pack bool) *reader {
	r := &reader{ctx: ctx, scope: s, buffer: buffer, checkpoint: checkpoint, tensors: map[string]pretrained.Tensor{}, format: format, pack: pack}
	for _, t := range checkpoint.Tensors {
		r.tensors[t.Name] = t
	}
	return r
}

// take loads a tensor as float32.
func (r *reader) take(name string) torch.Tensor { return r.into(r.scope, name) }

func (r *reader) into(s *torch.Scope, name string) torch.Tensor { return r.load(s.LoadFloat32, name) }

// loader is a Scope's or a Buffer's LoadFloat32.
type loader func(read func(memory []float32) error, shape ...int64) (torch.Tensor, error)

// load loads a tensor as float32.
func (r *reader) load(with loader, name string) torch.Tensor {
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
	loaded, err := with(t.ReadFloat32, t.Shape...)
	if err != nil {
		r.err = fmt.Errorf("reading %s from %s: %w", name, r.checkpoint.Path, err)
	}
	return loaded
}

// tokens loads the token embedding. The rows of a cut vocabulary are repeated for all the
// tokens that share them, so that nothing else has to know of it.
func (r *reader) tokens() (embedding torch.Tensor) {
	const name = "token_embedding.weight"
	rows := r.checkpoint.TokenRows()
	_ = r.scope.Within(func(inner *torch.Scope) error {
		table := r.into(inner, name)
		if r.err != nil {
			return r.err
		}
		if r.compact && r.tensors[name].IsHalf() {
			table = table.To(torch.Float16)
		}
		if rows != nil {
			table = table.IndexSelect(0, inner.FromInt64(rows, int64(len(rows))))
		}
		embedding = r.scope.Keep(table)
		return nil
	})
	return embedding
}

// matrix loads a linear layer, whose tensors have names with the given prefix. Its weight is
// read into the buffer.
func (r *reader) matrix(prefix string) (m torch.Matrix) {
	_ = r.scope.Within(func(inner *torch.Scope) error {
		weight, bias := r.load(r.buffer.LoadFloat32, prefix+"weight"), r.into(inner, prefix+"bias")
		if r.err == nil {
			m = r.format.matrix(weight, bias)
			switch {
			case r.pack:
				m = m.Packed()
			case r.compact && r.tensors[prefix+"weight"].IsHalf():
				m.Weight = m.Weight.To(torch.Float16)
			}
			if m.Weight == weight { // on the CPU in the buffer
				m.Weight = weight.Clone()
			}
			m = m.KeepIn(r.scope)
		}
		return r.err
	})
	return m
}

// patches loads the embedding of patches [C, 3, patch, patch] for pictures in CLIP's
// normalisation. If the checkpoint has another, (v - M)/S instead of (v - m)/s, the weights
// are multiplied by s/S of their channel, and shift [C] has the constant rest, the sum of
// weights times (m - M)/S; else it is undefined.
func (r *reader) patches() (conv, shift torch.Tensor) {
	const name = "visual.conv1.weight"
	theirs, ours := r.checkpoint.Normalisation, pretrained.CLIPNormalisation()
	if theirs == ours {
		return r.take(name), torch.Tensor{}
	}
	_ = r.scope.Within(func(inner *torch.Scope) error {
		weight := r.into(inner, name)
		if r.err != nil {
			return r.err
		}
		var scale, rest [3]float32
		for i := range scale {
			scale[i] = float32(ours.Deviation[i] / theirs.Deviation[i])
			rest[i] = float32((ours.Mean[i] - theirs.Mean[i]) / theirs.Deviation[i])
		}
		conv = r.scope.Keep(weight.Mul(inner.FromFloat32(scale[:], 1, 3, 1, 1)))
		shift = r.scope.Keep(weight.Mul(inner.FromFloat32(rest[:], 1, 3, 1, 1)).Sum(1, 2, 3))
		return nil
	})
	return conv, shift
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
