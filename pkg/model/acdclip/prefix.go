package acdclip

import (
	"slices"

	"acdclip/cgo/torch"
	"acdclip/pkg/clip"
)

// prefix is the prompts of one class as the blocks before the first text adapter
// leave them. CLIP is frozen, so training changes nothing of it.
type prefix struct {
	prompts clip.Prompts
	counts  [states]int64 // prompts of each state
	tokens  torch.Tensor  // [P, L, D]
}

// encodePrefix computes the prefix of the token ids of each state's prompts, in s.
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

// maxPrefixes bounds how many classes' prefixes are kept. With ViT-L/14 one takes
// about 0.6 MB, and 3.8 MB where prompts fill the context.
const maxPrefixes = 128

// prefixes keeps the prefixes of classes from one training step to the next. A
// class beyond maxPrefixes is computed anew each time.
type prefixes struct {
	scope *torch.Scope      // where they live
	of    map[string]prefix // by the class's prompt name
}

// cachedPrefix is a prefixOf that computes each class once, as long as there is room.
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
