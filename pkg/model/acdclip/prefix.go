package acdclip

import (
	"slices"

	"acdclip/cgo/torch"
	"acdclip/pkg/clip"
)

// prefix holds the tokens of one class's prompts after the blocks before the first text
// adapter. CLIP is frozen, so training does not change them.
type prefix struct {
	prompts clip.Prompts
	counts  [states]int64 // number of prompts of each state
	tokens  torch.Tensor  // [P, L, D]
}

// encodePrefix computes a prefix from the token ids of each state's prompts. It belongs to s.
func (m *Model) encodePrefix(s *torch.Scope, rows [states][][]int32) prefix {
	tower := m.clip.Text
	p := prefix{prompts: clip.NewPrompts(s, slices.Concat(rows[:]...))}
	for state := range states {
		p.counts[state] = int64(len(rows[state]))
	}
	p.tokens = s.Eval(func() torch.Tensor { return tower.Embed(p.prompts) })
	for i := range tower.Depth / m.options.Groups {
		p.tokens = s.Step(p.tokens, func(x torch.Tensor) torch.Tensor { return tower.Block(s, i, x) })
	}
	return p
}

// maxPrefixes is the maximum number of classes whose prefixes are kept. With ViT-L/14 a
// prefix takes about 0.6 MB, and 3.8 MB if the prompts fill the context.
const maxPrefixes = 128

// prefixes caches the prefixes of classes between training steps. Prefixes beyond
// maxPrefixes are computed at every step.
type prefixes struct {
	scope *torch.Scope      // owns the prefixes
	of    map[string]prefix // by the class's prompt name
}

// cachedPrefix is a prefixOf that computes each class once, up to maxPrefixes classes.
func (m *Model) cachedPrefix(s *torch.Scope, name string) prefix {
	c := &m.prefixes
	if p, found := c.of[name]; found {
		return p
	}
	if len(c.of) >= maxPrefixes {
		return m.newPrefix(s, name)
	}
	p := m.newPrefix(c.scope, name)
	c.of[name] = p
	return p
}
