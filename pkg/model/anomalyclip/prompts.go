package anomalyclip

import (
	"strings"

	"acdclip/cgo/torch"
	"acdclip/pkg/clip"
	"acdclip/pkg/clip/tokenizer"
	"acdclip/pkg/model/prompt"
)

// unlearned is the number of tokens of the longer prompt beside the learned words: start,
// "damaged", "object", "." and end.
const unlearned = 5

// texts are the two prompts; an X holds the place of each learned word.
func texts(words int) []string {
	places := strings.Repeat("X ", words)
	return []string{prompt.Normal: places + "object.", prompt.Abnormal: places + "damaged object."}
}

// prompts are the two prompts before the learned words enter them.
type prompts struct {
	clip.Prompts
	words      int
	embeddings torch.Tensor // CLIP's token embeddings [2, E+5, D], without positions
}

// newPrompts returns the prompts with places for learned words. Their tensors belong to s.
func newPrompts(s *torch.Scope, tower *clip.Text, by *tokenizer.Tokenizer, words int) prompts {
	p := prompts{Prompts: clip.NewPrompts(s, prompt.Tokenize(tower, by, texts(words))), words: words}
	p.embeddings = s.Eval(func() torch.Tensor { return tower.Lookup(p.Prompts) })
	return p
}

// with returns the prompts' token embeddings [2, E+5, D] with learned words of both states,
// each [1, 1, E, D].
func (p prompts) with(words [prompt.States]torch.Tensor) torch.Tensor {
	rows := torch.Cat(0, words[:]...)
	return clip.ReplaceRows(p.embeddings, 1, rows.Reshape(prompt.States, rows.Dim(2), rows.Dim(3)))
}
