package clip

import (
	"acdclip/cgo/torch"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/config"
)

// Text is the text tower, a causal transformer.
type Text struct {
	Width   int          // D
	Depth   int          // number of blocks
	Context int          // the most tokens of a prompt
	tokens  torch.Tensor // [vocabulary, D]
	place   torch.Tensor // [context, D]
	blocks  []torch.FrozenBlock
	final   torch.Affine
	proj    torch.Tensor // [D, E]
}

func newText(r *reader, arch pretrained.Arch, activation config.Activation) *Text {
	return &Text{
		Width: arch.TextWidth, Depth: arch.TextLayers, Context: arch.ContextLength,
		tokens: r.take("token_embedding.weight"), place: r.take("positional_embedding"),
		blocks: r.blocks("transformer", arch.TextLayers, arch.TextHeads, true, activation),
		final:  r.layerNorm("ln_final"), proj: r.take("text_projection"),
	}
}

// Prompts are tokenized texts on the device, cut to their longest end token: no
// token after it can change one before it, since the tower is causal.
type Prompts struct {
	ids  torch.Tensor // [P*L]
	ends torch.Tensor // [P]: position of each end token in the flattened ids
	rows []int64      // P, L
}

// NewPrompts brings token ids, one row of Context ids a prompt, to s's device.
// The end token is the largest id, as CLIP defines it.
func NewPrompts(s *torch.Scope, rows [][]int32) Prompts {
	positions, length := make([]int64, len(rows)), 0
	for i, row := range rows {
		for j, id := range row {
			if id > row[positions[i]] {
				positions[i] = int64(j)
			}
		}
		length = max(length, int(positions[i])+1)
	}
	ids := make([]int64, 0, len(rows)*length)
	for i, row := range rows {
		for _, id := range row[:length] {
			ids = append(ids, int64(id))
		}
		positions[i] += int64(i * length)
	}
	return Prompts{
		ids: s.FromInt64(ids, int64(len(ids))), ends: s.FromInt64(positions, int64(len(rows))),
		rows: []int64{int64(len(rows)), int64(length)},
	}
}

// Embed gives the tokens [P, L, D] of prompts.
func (t *Text) Embed(p Prompts) torch.Tensor {
	x := t.tokens.IndexSelect(0, p.ids).Reshape(p.rows[0], p.rows[1], int64(t.Width))
	return x.Add(t.place.Narrow(0, 0, p.rows[1]))
}

// Block applies block i to tokens [P, L, D]; the result belongs to s.
func (t *Text) Block(s *torch.Scope, i int, x torch.Tensor) torch.Tensor {
	return s.Keep(t.blocks[i].Apply(x))
}

// Ends takes the end tokens [P, D] out of tokens x [P, L, D].
func (p Prompts) Ends(x torch.Tensor) torch.Tensor {
	return x.Reshape(p.rows[0]*p.rows[1], x.Dim(2)).IndexSelect(0, p.ends)
}

// Head maps the end tokens [P, D] after the last block to text embeddings [P, E], not normalised.
func (t *Text) Head(ends torch.Tensor) torch.Tensor { return layerNorm(ends, t.final).MatMul(t.proj) }
