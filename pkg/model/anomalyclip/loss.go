package anomalyclip

import (
	"context"

	"acdclip/cgo/torch"
	"acdclip/pkg/model"
	"acdclip/pkg/model/loss"
	"acdclip/pkg/model/prompt"
)

// Loss computes the loss of a batch: the cross-entropy of the class logits, plus Lambda
// times the sum over levels of the focal loss and the dice of both states' maps. Its parts
// are "classification", "focal", "dice_abnormal" and "dice_normal", summed over levels.
// Only the text side has a graph.
func (m *Model) Loss(ctx context.Context, s *torch.Scope, batch model.Batch) (model.Loss, error) {
	if err := batch.Check(m.imageSize()); err != nil {
		return model.Loss{}, err
	}
	seen, err := m.seeBatch(ctx, s, batch)
	if err != nil {
		return model.Loss{}, err
	}
	text, err := m.textFeatures(ctx, s)
	if err != nil {
		return model.Loss{}, err
	}
	text = text.Reshape(1, prompt.States, -1)
	classification := torch.CrossEntropy(m.classLogits(seen, text), s.FromInt64(batch.Labels, int64(len(batch.Labels))))
	var sum terms
	for i, level := range seen.levels {
		each := m.levelTerms(s, level, text, batch.Masks)
		if i == 0 {
			sum = each
			continue
		}
		sum = terms{sum.focal.Add(each.focal), sum.diceAbnormal.Add(each.diceAbnormal), sum.diceNormal.Add(each.diceNormal)}
	}
	maps := sum.focal.Add(sum.diceAbnormal).Add(sum.diceNormal)
	return model.Loss{
		Total: classification.Add(maps.MulScalar(m.loss.Lambda)),
		Parts: []model.LossPart{
			{Name: "classification", Value: classification}, {Name: "focal", Value: sum.focal},
			{Name: "dice_abnormal", Value: sum.diceAbnormal}, {Name: "dice_normal", Value: sum.diceNormal},
		},
	}, nil
}

// seeBatch returns the features of a training batch, which belong to s, without a graph.
func (m *Model) seeBatch(ctx context.Context, s *torch.Scope, batch model.Batch) (features, error) {
	all, err := m.cache.Batch(ctx, s, batch, func(s *torch.Scope, picture torch.Tensor) []torch.Tensor {
		seen := m.see(s, picture)
		return append(seen.levels, seen.image)
	})
	if err != nil {
		return features{}, err
	}
	last := len(all) - 1
	return features{levels: all[:last], image: all[last]}, nil
}

// terms are the terms of the loss that compare maps with masks, one value each.
type terms struct{ focal, diceAbnormal, diceNormal torch.Tensor }

// levelTerms returns the terms of one level's patches [B, L, E] for masks [B, S, S]. They
// belong to s.
func (m *Model) levelTerms(s *torch.Scope, level, text, masks torch.Tensor) (t terms) {
	_ = s.Within(func(*torch.Scope) error {
		normal, abnormal := states(m.enlarge(m.similarity(level, text)))
		t = terms{
			focal:        s.Keep(loss.FocalOneHot(normal, abnormal, masks)),
			diceAbnormal: s.Keep(loss.Dice(abnormal, masks)),
			diceNormal:   s.Keep(loss.Dice(normal, loss.Complement(masks))),
		}
		return nil
	})
	return t
}
