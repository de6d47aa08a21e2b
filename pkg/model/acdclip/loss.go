package acdclip

import (
	"context"

	"acdclip/cgo/torch"
	"acdclip/pkg/model"
	"acdclip/pkg/model/acdclip/options"
	"acdclip/pkg/model/loss"
	"acdclip/pkg/model/prompt"
)

// Loss computes Eq. 7 and 8 for a batch. Its parts are "classification", "focal" and
// "dice"; with DiceBoth "dice_normal" and "dice_abnormal" replace "dice".
func (m *Model) Loss(ctx context.Context, s *torch.Scope, batch model.Batch) (model.Loss, error) {
	if err := batch.Check(m.imageSize()); err != nil {
		return model.Loss{}, err
	}
	text, err := m.encodeText(ctx, s, batch.Classes.Prompts, m.cachedPrefix)
	if err != nil {
		return model.Loss{}, err
	}
	if text, err = (prompt.Features{Text: text}).Choose(s, batch.ClassOf); err != nil {
		return model.Loss{}, err
	}
	out := m.forward(s, batch.Pictures, text, noSmoothing)
	labels := s.FromInt64(batch.Labels, int64(len(batch.Labels)))
	return m.combineLosses(out.maps, out.logits, batch.Masks, labels), nil
}

// combineLosses computes the loss of maps [B, 2, S, S] and logits [B, 2] for masks [B, S, S] and labels [B].
func (m *Model) combineLosses(maps, logits, masks, labels torch.Tensor) model.Loss {
	classification := torch.CrossEntropy(logits, labels)
	focal := focalLoss(m.loss.FocalForm, maps, masks)
	dice := diceLosses(m.loss.DiceForm, maps, masks)
	sum := dice[0].Value
	for _, part := range dice[1:] {
		sum = sum.Add(part.Value)
	}
	total := focal.MulScalar(m.loss.Focal).Add(sum.MulScalar(m.loss.Dice)).Add(classification.MulScalar(m.loss.Classification))
	parts := append([]model.LossPart{{Name: "classification", Value: classification}, {Name: "focal", Value: focal}}, dice...)
	return model.Loss{Total: total, Parts: parts}
}

// channel returns one state's map [B, S, S] of maps [B, 2, S, S].
func channel(maps torch.Tensor, state int64) torch.Tensor {
	return maps.Narrow(1, state, 1).Reshape(maps.Dim(0), maps.Dim(2), maps.Dim(3))
}

// focalLoss is the focal term in the chosen form.
func focalLoss(form options.FocalForm, maps, masks torch.Tensor) torch.Tensor {
	if form == options.FocalOneHot {
		return loss.FocalOneHot(channel(maps, normal), channel(maps, abnormal), masks)
	}
	return loss.Focal(channel(maps, abnormal), masks)
}

// diceLosses returns the dice terms of the states that form selects.
func diceLosses(form options.DiceForm, maps, masks torch.Tensor) []model.LossPart {
	anomaly := loss.Dice(channel(maps, abnormal), masks)
	if form == options.DiceAbnormal {
		return []model.LossPart{{Name: "dice", Value: anomaly}}
	}
	healthy := loss.Dice(channel(maps, normal), loss.Complement(masks))
	return []model.LossPart{{Name: "dice_normal", Value: healthy}, {Name: "dice_abnormal", Value: anomaly}}
}
