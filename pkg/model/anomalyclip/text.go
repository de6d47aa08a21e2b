package anomalyclip

import (
	"context"

	"acdclip/cgo/torch"
	"acdclip/pkg/clip"
	"acdclip/pkg/domain"
	"acdclip/pkg/model"
	"acdclip/pkg/model/anomalyclip/options"
	"acdclip/pkg/model/prompt"
)

// Prepare computes the text features, which are the same for every class. They belong to s.
func (m *Model) Prepare(ctx context.Context, s *torch.Scope, classes domain.Classes) (model.Prepared, error) {
	count := int64(len(classes.Prompts))
	if count == 0 {
		return nil, prompt.ErrNoClasses
	}
	text, err := m.textFeatures(ctx, s)
	if err != nil {
		return nil, err
	}
	each := s.Eval(func() torch.Tensor {
		return text.Reshape(1, prompt.States, -1).Expand(count, prompt.States, text.Dim(1))
	})
	return prompt.Features{Text: each, Domain: classes.Domain}, nil
}

// Join concatenates lists of classes of one domain; see model.Method.
func (m *Model) Join(s *torch.Scope, parts []model.Prepared) (model.Prepared, error) {
	return prompt.Join(s, parts)
}

// textFeatures returns T [2, E], the unit embeddings of the two prompts, which belongs to
// s. It records a graph if gradients are enabled.
func (m *Model) textFeatures(ctx context.Context, s *torch.Scope) (torch.Tensor, error) {
	embeddings, err := m.embedPrompts(ctx, s, nil)
	if err != nil {
		return torch.Tensor{}, err
	}
	return s.Step(embeddings, func(x torch.Tensor) torch.Tensor { return x.Normalize(-1) }), nil
}

// embedPrompts returns CLIP's embeddings [2, E] of the two prompts, not normalised, which
// belong to s. visit (nil: none) receives the tokens [2, L, D] after each block, counted
// from 1.
func (m *Model) embedPrompts(ctx context.Context, s *torch.Scope, visit func(block int, x torch.Tensor)) (embeddings torch.Tensor, err error) {
	tower := m.clip.Text
	err = s.Within(func(inner *torch.Scope) error {
		x := inner.Eval(func() torch.Tensor { return tower.Place(m.prompts.with(m.words)) })
		for i := range tower.Depth {
			if err := ctx.Err(); err != nil {
				return err
			}
			x = inner.Step(x, func(x torch.Tensor) torch.Tensor { return tower.Block(inner, i, m.deepen(i, x)) })
			if visit != nil {
				visit(i+1, x)
			}
		}
		embeddings = s.Keep(tower.Head(m.prompts.Ends(x)))
		return nil
	})
	return embeddings, err
}

// deepen returns the input of text block i, counted from 0: tokens x [2, L, D], in which
// the block's deep tokens replace the first learned words. The tokens are expanded to both
// prompts before they are rounded, so that each prompt's gradient is rounded by itself, as
// in the released code.
func (m *Model) deepen(i int, x torch.Tensor) torch.Tensor {
	if i == 0 || i > len(m.deep) {
		return x
	}
	tokens := m.deep[i-1]
	rows := tokens.Expand(prompt.States, tokens.Dim(0), tokens.Dim(1))
	if m.options.DeepTokens == options.Half {
		rows = rows.To(torch.Float16).To(torch.Float32)
	}
	return clip.ReplaceRows(x, 1, rows)
}
