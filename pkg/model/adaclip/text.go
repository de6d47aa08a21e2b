package adaclip

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"acdclip/cgo/torch"
	"acdclip/pkg/clip"
	"acdclip/pkg/domain"
	"acdclip/pkg/model"
	"acdclip/pkg/model/prompt"
)

// prefix holds the prompts of one class after the text tower's first block, which no
// learned token enters.
type prefix struct {
	ids     [][]int32 // of all prompts, the normal ones first
	counts  [prompt.States]int64
	prompts clip.Prompts
	tokens  torch.Tensor // [P, L, D], cut after the last end token
}

// prepared are the prefixes of a list of classes.
type prepared struct {
	classes []prefix
	domain  domain.Domain
}

// encodePrefix computes a prefix from the token ids of each state's prompts. It belongs to s.
func (m *Model) encodePrefix(s *torch.Scope, rows [prompt.States][][]int32) prefix {
	tower := m.clip.Text
	p := prefix{ids: slices.Concat(rows[:]...)}
	for state := range rows {
		p.counts[state] = int64(len(rows[state]))
	}
	p.prompts = clip.NewPrompts(s, p.ids)
	p.tokens = s.Eval(func() torch.Tensor { return tower.Block(s, 0, tower.Embed(p.prompts)) })
	return p
}

// Prepare computes what depends on the classes alone; see model.Method.
func (m *Model) Prepare(ctx context.Context, s *torch.Scope, classes domain.Classes) (model.Prepared, error) {
	if len(classes.Prompts) == 0 {
		return nil, prompt.ErrNoClasses
	}
	list := prepared{domain: classes.Domain}
	for _, name := range classes.Prompts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		list.classes = append(list.classes, m.encodePrefix(s, m.tokenize(name)))
	}
	return list, nil
}

// Join concatenates lists of classes of one domain; see model.Method.
func (m *Model) Join(s *torch.Scope, lists []model.Prepared) (model.Prepared, error) {
	var joined prepared
	for _, list := range lists {
		part, err := preparedOf(list)
		switch {
		case err != nil:
			return nil, err
		case joined.classes != nil && part.domain != joined.domain:
			return nil, fmt.Errorf("cannot join classes of the domains %s and %s", joined.domain, part.domain)
		}
		joined.domain = part.domain
		for _, p := range part.classes {
			p.prompts = clip.NewPrompts(s, p.ids)
			p.tokens = s.Eval(func() torch.Tensor { return torch.Cat(0, p.tokens) }) // a copy
			joined.classes = append(joined.classes, p)
		}
	}
	if joined.classes == nil {
		return nil, prompt.ErrNoClasses
	}
	return joined, nil
}

func preparedOf(p model.Prepared) (prepared, error) {
	list, ok := p.(prepared)
	if !ok {
		return prepared{}, errors.New("the classes were prepared by another method")
	}
	return list, nil
}

// encodeText computes the text features T [B, E, 2] of B pictures, by state, which belong
// to s. of returns the prefix of a class. dynamic are the pictures' dynamic tokens
// R [B, m, D], undefined without.
//
// The pictures of a class go through the tower together, and classes one after another: a
// class's features do not depend on the length of another one's prompts.
func (m *Model) encodeText(s *torch.Scope, classOf []int, of func(class int) prefix, dynamic torch.Tensor) (text torch.Tensor) {
	_ = s.Within(func(inner *torch.Scope) error {
		var parts []torch.Tensor
		places, done := make([]int64, len(classOf)), int64(0) // of each picture among the parts
		for _, members := range byClass(classOf) {
			for i, member := range members {
				places[member] = done + int64(i)
			}
			done += int64(len(members))
			parts = append(parts, m.encodeClass(inner, of(classOf[members[0]]), members, dynamic))
		}
		text = s.Keep(torch.Cat(0, parts...).IndexSelect(0, inner.FromInt64(places, done)))
		return nil
	})
	return text
}

// byClass lists the pictures of each class, in the order in which the classes occur.
func byClass(classOf []int) (groups [][]int64) {
	places := map[int]int{}
	for i, class := range classOf {
		place, known := places[class]
		if !known {
			place = len(groups)
			places[class] = place
			groups = append(groups, nil)
		}
		groups[place] = append(groups[place], int64(i))
	}
	return groups
}

// encodeClass computes the features [b, E, 2] of the pictures of one class, which are
// members of the batch.
func (m *Model) encodeClass(s *torch.Scope, p prefix, members []int64, dynamic torch.Tensor) torch.Tensor {
	count := int64(len(members))
	if !dynamic.Defined() { // all pictures have the same features
		return textFeatures(m.embedPrompts(s, p, dynamic, 1, nil), p.counts).Expand(count, -1, prompt.States)
	}
	own := dynamic.IndexSelect(0, s.FromInt64(members, count))
	return textFeatures(m.embedPrompts(s, p, own, count, nil), p.counts)
}

// embedPrompts returns the embeddings [b, P, E], not normalised, of a class's P prompts for
// each of b pictures, with the pictures' dynamic tokens [b, m, D]. They belong to s.
// observer may be nil.
func (m *Model) embedPrompts(s *torch.Scope, p prefix, dynamic torch.Tensor, pictures int64, observer observe) torch.Tensor {
	tower := m.clip.Text
	count, length, width := p.tokens.Dim(0), p.tokens.Dim(1), p.tokens.Dim(2)
	x := s.Eval(func() torch.Tensor {
		return p.tokens.Reshape(1, count, length, width).Expand(pictures, count, length, width).Reshape(pictures*count, length, width)
	})
	for i := 1; i < tower.Depth; i++ {
		x = s.Step(x, func(x torch.Tensor) torch.Tensor {
			if i < m.textTokens.depth {
				rows := m.textTokens.at(i, dynamic, pictures, count)
				x = clip.ReplaceRows(x, 1, rows.Narrow(1, 0, min(rows.Dim(1), length-1))) // prompts may be shorter
			}
			return tower.Block(s, i, x)
		})
		if observer != nil {
			_ = s.Within(func(*torch.Scope) error { observer(i, x); return nil })
		}
	}
	return s.Step(x, func(x torch.Tensor) torch.Tensor {
		return tower.Head(p.prompts.Ends(x)).Reshape(pictures, count, -1)
	})
}

// textFeatures reduces embeddings [b, P, E] of prompts, counts of each state, to T [b, E, 2].
func textFeatures(embeddings torch.Tensor, counts [prompt.States]int64) torch.Tensor {
	unit := embeddings.Normalize(-1)
	var means [prompt.States]torch.Tensor
	start := int64(0)
	for state, count := range counts {
		means[state] = unit.Narrow(1, start, count).Mean(1).Normalize(-1)
		start += count
	}
	return torch.Stack(-1, means[:]...)
}
