package acdclip

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"acdclip/cgo/torch"
	"acdclip/pkg/clip"
	"acdclip/pkg/config"
	"acdclip/pkg/model"
)

// prepared is the text side of a list of classes.
type prepared struct {
	text   torch.Tensor // T [K, N, D, 2]
	domain config.Domain
}

var errNoClasses = errors.New("there are no classes")

// Prepare computes the text features of classes, which share one domain, into s.
func (m *Model) Prepare(ctx context.Context, s *torch.Scope, classes []model.Class) (model.Prepared, error) {
	if len(classes) == 0 {
		return nil, errNoClasses
	}
	for _, class := range classes {
		if class.Domain != classes[0].Domain {
			return nil, fmt.Errorf("classes %q (%s) and %q (%s) are of two domains; prepare them apart",
				classes[0].Prompt, classes[0].Domain, class.Prompt, class.Domain)
		}
	}
	text, err := m.read(ctx, s, classes)
	if err != nil {
		return nil, err
	}
	return prepared{text, classes[0].Domain}, nil
}

// read computes T [K, N, D, 2] of classes into s, with a graph where one is
// recorded. A class's features do not depend on the others.
func (m *Model) read(ctx context.Context, s *torch.Scope, classes []model.Class) (text torch.Tensor, err error) {
	err = s.Within(func(inner *torch.Scope) error {
		features := make([]torch.Tensor, len(classes))
		for i, class := range classes {
			if err := ctx.Err(); err != nil {
				return err
			}
			features[i] = inner.Eval(func() torch.Tensor { return m.readClass(inner, class.Prompt) })
		}
		text = s.Keep(torch.Stack(0, features...))
		return nil
	})
	return text, err
}

// readClass computes T [N, D, 2] of one class.
func (m *Model) readClass(s *torch.Scope, name string) torch.Tensor {
	var rows [states][][]int32
	for state := range states {
		for _, text := range prompts(name, state) {
			rows[state] = append(rows[state], m.tokenizer.Encode(text, m.clip.Text.Context))
		}
	}
	return m.readTokens(s, rows)
}

// readTokens computes T [N, D, 2] of the token ids of each state's prompts.
func (m *Model) readTokens(s *torch.Scope, rows [states][][]int32) torch.Tensor {
	tower := m.clip.Text
	each := tower.Depth / m.options.Groups
	p := clip.NewPrompts(s, slices.Concat(rows[:]...))
	x := s.Eval(func() torch.Tensor { return tower.Embed(p) })
	levels := make([]torch.Tensor, m.options.Groups)
	for i := range levels {
		for j := range each {
			x = s.Step(x, func(x torch.Tensor) torch.Tensor { return tower.Block(s, i*each+j, x) })
		}
		g := m.text[i]
		x = s.Step(x, func(x torch.Tensor) torch.Tensor { return g.merge.apply(x, g.adapter.apply(x)) })
		levels[i] = s.Eval(func() torch.Tensor { return g.level(p.Ends(x), rows) })
	}
	return torch.Stack(0, levels...)
}

// level reduces the end tokens [P, D] of all states' prompts to one level of T [D, 2].
func (g textGroup) level(ends torch.Tensor, rows [states][][]int32) torch.Tensor {
	unit := ends.LayerNorm(g.normWeight, g.normBias, epsilon).Normalize(-1)
	var means [states]torch.Tensor
	start := int64(0)
	for state := range states {
		count := int64(len(rows[state]))
		means[state] = unit.Narrow(0, start, count).Mean(0).Normalize(-1)
		start += count
	}
	return torch.Stack(-1, means[:]...)
}
