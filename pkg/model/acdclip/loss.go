package acdclip

import (
	"context"
	"fmt"
	"slices"

	"acdclip/cgo/torch"
	"acdclip/pkg/model"
	"acdclip/pkg/model/acdclip/options"
)

// tiny is the smallest argument of logarithms, which keeps them finite.
const tiny = 1e-5

// Loss computes Eq. 7 and 8 for a batch. Its parts are "classification", "focal" and
// "dice"; with DiceBoth "dice_normal" and "dice_abnormal" replace "dice".
func (m *Model) Loss(ctx context.Context, s *torch.Scope, batch model.Batch) (model.Loss, error) {
	if err := m.acceptsBatch(batch); err != nil {
		return model.Loss{}, err
	}
	text, err := m.encodeText(ctx, s, batch.Classes.Prompts, m.cachedPrefix)
	if err != nil {
		return model.Loss{}, err
	}
	if text, err = choose(s, text, batch.ClassOf); err != nil {
		return model.Loss{}, err
	}
	out := m.forward(s, batch.Pictures, text, noSmoothing)
	labels := s.FromInt64(batch.Labels, int64(len(batch.Labels)))
	return m.combineLosses(out.maps, out.logits, batch.Masks, labels), nil
}

// acceptsBatch checks the shapes of a batch, which broadcasting would otherwise silently accept.
func (m *Model) acceptsBatch(batch model.Batch) error {
	if err := m.accepts(batch.Pictures, len(batch.ClassOf)); err != nil {
		return err
	}
	count, size := int64(len(batch.ClassOf)), int64(m.imageSize())
	if shape := batch.Masks.Shape(); !slices.Equal(shape, []int64{count, size, size}) {
		return fmt.Errorf("masks have shape %v, expected [%d, %d, %d]", shape, count, size, size)
	}
	if len(batch.Labels) != len(batch.ClassOf) {
		return fmt.Errorf("%d labels for %d pictures", len(batch.Labels), count)
	}
	if len(batch.Classes.Prompts) == 0 {
		return errNoClasses
	}
	return nil
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

// focalLoss is the mean over pixels of -(1-pt)^2 log pt.
func focalLoss(form options.FocalForm, maps, masks torch.Tensor) torch.Tensor {
	opposite := complement(masks)
	var pt, logarithm torch.Tensor
	if form == options.FocalOneHot {
		// The released code clamps its one-hot mask to [1e-5, 1-1e-5] and shifts pt.
		pt = channel(maps, normal).Mul(opposite.Clamp(tiny, 1-tiny)).
			Add(channel(maps, abnormal).Mul(masks.Clamp(tiny, 1-tiny))).AddScalar(tiny)
		logarithm = pt.Log()
	} else {
		anomaly := channel(maps, abnormal)
		pt = anomaly.Mul(masks).Add(complement(anomaly).Mul(opposite))
		logarithm = pt.Clamp(tiny, 1).Log()
	}
	return complement(pt).Pow(2).Mul(logarithm).Mean().MulScalar(-1)
}

// diceLosses returns the dice terms of the states that form selects.
func diceLosses(form options.DiceForm, maps, masks torch.Tensor) []model.LossPart {
	anomaly := diceLoss(channel(maps, abnormal), masks)
	if form == options.DiceAbnormal {
		return []model.LossPart{{Name: "dice", Value: anomaly}}
	}
	healthy := diceLoss(channel(maps, normal), complement(masks))
	return []model.LossPart{{Name: "dice_normal", Value: healthy}, {Name: "dice_abnormal", Value: anomaly}}
}

// diceLoss is 1 - mean over pictures of (2 sum(p y) + 1) / (sum p + sum y + 1), for p, y [B, S, S].
func diceLoss(p, y torch.Tensor) torch.Tensor {
	overlap := p.Mul(y).Sum(1, 2).MulScalar(2).AddScalar(1)
	size := p.Sum(1, 2).Add(y.Sum(1, 2)).AddScalar(1)
	return complement(overlap.Div(size).Mean())
}

// complement is 1 - x.
func complement(x torch.Tensor) torch.Tensor { return x.MulScalar(-1).AddScalar(1) }
