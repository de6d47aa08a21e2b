package clipad

import (
	"context"

	"acdclip/cgo/torch"
	"acdclip/pkg/model"
	"acdclip/pkg/model/loss"
	"acdclip/pkg/model/prompt"
)

// Loss is the sum over levels of the focal and the dice loss of a linear layer's maps. Its
// parts are "focal" and "dice", both summed over levels.
func (m *Model) Loss(ctx context.Context, s *torch.Scope, batch model.Batch) (model.Loss, error) {
	if err := batch.Check(m.imageSize()); err != nil {
		return model.Loss{}, err
	}
	text, err := m.textOf(ctx, s, batch)
	if err != nil {
		return model.Loss{}, err
	}
	originals, err := m.originals(ctx, s, batch)
	if err != nil {
		return model.Loss{}, err
	}
	var focal, dice torch.Tensor
	for i, l := range m.linears {
		f, d := m.levelLoss(l.logits(originals[i], text), batch.Masks)
		if i > 0 {
			f, d = focal.Add(f), dice.Add(d)
		}
		focal, dice = f, d
	}
	return model.Loss{
		Total: focal.MulScalar(m.loss.Focal).Add(dice.MulScalar(m.loss.Dice)),
		Parts: []model.LossPart{{Name: "focal", Value: focal}, {Name: "dice", Value: dice}},
	}, nil
}

// levelLoss returns both losses of one level's logits [B, L, 2] for masks [B, S, S].
func (m *Model) levelLoss(logits, masks torch.Tensor) (focal, dice torch.Tensor) {
	states := m.probabilities(logits)
	state := func(i int64) torch.Tensor { return states.Narrow(1, i, 1).Reshape(masks.Shape()...) }
	abnormal := state(prompt.Abnormal)
	return loss.FocalOneHot(state(prompt.Normal), abnormal, masks), loss.Dice(abnormal, masks)
}

// textOf returns the text of each picture's class, [B, 2, E]. The text of a class is
// computed once for all steps.
func (m *Model) textOf(ctx context.Context, s *torch.Scope, batch model.Batch) (torch.Tensor, error) {
	var texts []torch.Tensor
	for _, name := range batch.Classes.Prompts {
		text, known := m.texts[name]
		if !known {
			err := s.NoGrad(func() (err error) {
				text, err = m.encodeText(ctx, m.scope, name)
				return err
			})
			if err != nil {
				return torch.Tensor{}, err
			}
			m.texts[name] = text
		}
		texts = append(texts, text)
	}
	return prompt.Features{Text: torch.Stack(0, texts...)}.Choose(s, batch.ClassOf)
}

// originals returns O_l [B, 1+L, C] of each level, without a graph. They belong to s.
func (m *Model) originals(ctx context.Context, s *torch.Scope, batch model.Batch) ([]torch.Tensor, error) {
	return m.cache.Batch(ctx, s, batch, func(s *torch.Scope, picture torch.Tensor) (originals []torch.Tensor) {
		for _, t := range m.encode(s, picture, false) {
			originals = append(originals, t.original)
		}
		return originals
	})
}
