package clip

import (
	"acdclip/cgo/torch"
	"acdclip/pkg/clip/pretrained"
)

// Text is the text tower, a causal transformer.
type Text struct {
	Width   int          // D
	Depth   int          // number of blocks
	Context int          // maximum number of tokens of a prompt
	tokens  torch.Tensor // [vocabulary, D], float32 or float16; the vocabulary is the tokenizer's, even if the checkpoint's is cut
	place   torch.Tensor // [context, D]
	blocks  []torch.FrozenBlock
	final   torch.Affine
	proj    torch.Tensor // [D, E]
}

func newText(r *reader, arch pretrained.Arch, kind torch.FrozenBlock) *Text {
	kind.Heads, kind.Causal = int64(arch.TextHeads), true
	return &Text{
		Width: arch.TextWidth, Depth: arch.TextLayers, Context: arch.ContextLength,
		tokens: r.tokens(), place: r.take("positional_embedding"),
		blocks: r.blocks("transformer", arch.TextLayers, kind),
		final:  r.layerNorm("ln_final"), proj: r.take("text_projection"),
	}
}

// Lookup returns the token embeddings [P, L, D] of prompts, without positions. A method
// with learned words replaces some of the rows (see ReplaceRows).
func (t *Text) Lookup(p Prompts) torch.Tensor {
	return t.tokens.IndexSelect(0, p.ids).To(torch.Float32).Reshape(p.ends.prompts, p.ends.length, int64(t.Width))
}

// Place adds the position embedding to token embeddings [P, L, D], L at most Context. The
// result is the input of the first block. Gradients flow to x.
func (t *Text) Place(x torch.Tensor) torch.Tensor { return x.Add(t.place.Narrow(0, 0, x.Dim(1))) }

// Embed returns the input tokens [P, L, D] of prompts: Place(Lookup(p)).
func (t *Text) Embed(p Prompts) torch.Tensor { return t.Place(t.Lookup(p)) }

// Block applies block i to tokens [P, L, D]; the result belongs to s.
func (t *Text) Block(s *torch.Scope, i int, x torch.Tensor) torch.Tensor {
	return s.Keep(t.blocks[i].Apply(x))
}

// Head maps the end tokens [P, D] after the last block to text embeddings [P, E], not normalised.
func (t *Text) Head(ends torch.Tensor) torch.Tensor { return layerNorm(ends, t.final).MatMul(t.proj) }
