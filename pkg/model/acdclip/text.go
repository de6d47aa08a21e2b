package acdclip

import (
	"context"

	"acdclip/cgo/torch"
	"acdclip/pkg/domain"
	"acdclip/pkg/model"
	"acdclip/pkg/model/prompt"
)

// Prepare computes the text features of classes, which belong to s.
func (m *Model) Prepare(ctx context.Context, s *torch.Scope, classes domain.Classes) (model.Prepared, error) {
	if len(classes.Prompts) == 0 {
		return nil, prompt.ErrNoClasses
	}
	text, err := m.encodeText(ctx, s, classes.Prompts, m.newPrefix)
	if err != nil {
		return nil, err
	}
	return prompt.Features{Text: text, Domain: classes.Domain}, nil
}

// Join concatenates lists of classes of one domain; see model.Method.
func (m *Model) Join(s *torch.Scope, parts []model.Prepared) (model.Prepared, error) {
	return prompt.Join(s, parts)
}

// prefixOf returns the prefix of a class by its prompt name. It belongs to s or to a scope
// that outlives s.
type prefixOf func(s *torch.Scope, name string) prefix

// newPrefix is a prefixOf without a cache.
func (m *Model) newPrefix(s *torch.Scope, name string) prefix {
	return m.encodePrefix(s, m.tokenize(name))
}

// encodeText computes the text features T [K, N, D, 2] of K classes, which belong to s. It
// records a graph if gradients are enabled. A class's features do not depend on the others.
func (m *Model) encodeText(ctx context.Context, s *torch.Scope, names []string, of prefixOf) (text torch.Tensor, err error) {
	err = s.Within(func(inner *torch.Scope) error {
		features := make([]torch.Tensor, len(names))
		for i, name := range names {
			if err := ctx.Err(); err != nil {
				return err
			}
			features[i] = inner.Eval(func() torch.Tensor { return m.encodeRest(inner, of(inner, name)) })
		}
		text = s.Keep(torch.Stack(0, features...))
		return nil
	})
	return text, err
}

// tokenize returns the token ids of each state's prompts for a class.
func (m *Model) tokenize(name string) (rows [states][][]int32) {
	for state := range states {
		rows[state] = prompt.Tokenize(m.clip.Text, m.tokenizer, prompts.Texts(name, state))
	}
	return rows
}

// encodeRest computes T [N, D, 2] of a class from its prefix. It frees the prefix's tokens
// if s owns them.
func (m *Model) encodeRest(s *torch.Scope, p prefix) torch.Tensor {
	tower := m.clip.Text
	each := tower.Depth / m.options.Groups
	x := p.tokens
	levels := make([]torch.Tensor, m.options.Groups)
	for i := range levels {
		for j := range each {
			if i > 0 { // the first group's blocks are in the prefix
				x = s.Step(x, func(x torch.Tensor) torch.Tensor { return tower.Block(s, i*each+j, x) })
			}
		}
		g := m.text[i]
		x = s.Step(x, func(x torch.Tensor) torch.Tensor { return g.merge.apply(x, g.adapter.apply(x)) })
		levels[i] = s.Eval(func() torch.Tensor { return g.level(p.prompts.Ends(x), p.counts) })
	}
	return torch.Stack(0, levels...)
}

// level reduces the end tokens [P, D] of all prompts to one level of T, [D, 2]. counts are
// the numbers of prompts of each state.
func (g textGroup) level(ends torch.Tensor, counts [states]int64) torch.Tensor {
	unit := g.norm.apply(ends).Normalize(-1)
	var means [states]torch.Tensor
	start := int64(0)
	for state, count := range counts {
		means[state] = unit.Narrow(0, start, count).Mean(0).Normalize(-1)
		start += count
	}
	return torch.Stack(-1, means[:]...)
}
