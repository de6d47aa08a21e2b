package adaclip

import (
	"context"

	"acdclip/cgo/torch"
	"acdclip/pkg/model"
	"acdclip/pkg/model/loss"
	"acdclip/pkg/model/prompt"
)

// Loss computes the focal loss of the image probabilities and, summed over the levels, the
// focal loss and the dice losses of both states' maps. Its parts are "image_focal",
// "focal", "dice_abnormal" and "dice_normal".
func (m *Model) Loss(ctx context.Context, s *torch.Scope, batch model.Batch) (model.Loss, error) {
	if err := batch.Check(m.imageSize()); err != nil {
		return model.Loss{}, err
	}
	if err := checkClasses(batch.ClassOf, len(batch.Classes.Prompts)); err != nil {
		return model.Loss{}, err
	}
	if err := ctx.Err(); err != nil {
		return model.Loss{}, err
	}
	frozen, err := m.cachedFrozen(ctx, s, batch)
	if err != nil {
		return model.Loss{}, err
	}
	embedded := s.Eval(func() torch.Tensor { return m.clip.Vision.Embed(batch.Pictures) })
	return m.lossOf(s, embedded, m.dynamicTokens(frozen), batch), nil
}

// lossOf computes the loss of a batch with its pictures embedded and their dynamic tokens.
func (m *Model) lossOf(s *torch.Scope, embedded torch.Tensor, dynamic dynamicTokens, batch model.Batch) model.Loss {
	out := m.forward(s, embedded, dynamic, batch.ClassOf, func(class int) prefix {
		return m.cachedPrefix(s, batch.Classes.Prompts[class])
	})
	return m.combineLosses(s, out, batch.Masks, batch.Labels)
}

// levelLoss are the losses of one level, one value each.
type levelLoss struct{ focal, abnormal, normal torch.Tensor }

// combineLosses computes the loss for masks [B, S, S] and labels [B].
func (m *Model) combineLosses(s *torch.Scope, out output, masks torch.Tensor, labels []int64) model.Loss {
	image := imageFocal(out.image, s.FromInt64(labels, int64(len(labels))).To(torch.Float32))
	var sum levelLoss
	for n, logits := range out.levels {
		l := m.levelLoss(s, logits, masks)
		if n == 0 {
			sum = l
			continue
		}
		sum = levelLoss{sum.focal.Add(l.focal), sum.abnormal.Add(l.abnormal), sum.normal.Add(l.normal)}
	}
	return model.Loss{
		Total: image.Add(sum.focal).Add(sum.abnormal).Add(sum.normal),
		Parts: []model.LossPart{
			{Name: "image_focal", Value: image}, {Name: "focal", Value: sum.focal},
			{Name: "dice_abnormal", Value: sum.abnormal}, {Name: "dice_normal", Value: sum.normal},
		},
	}
}

// imageFocal is the focal loss of image logits [B, 2] for labels [B], 1 for anomalous.
func imageFocal(logits, labels torch.Tensor) torch.Tensor {
	probabilities := logits.Softmax(1)
	state := func(i int64) torch.Tensor { return probabilities.Narrow(1, i, 1).Reshape(-1) }
	return loss.FocalOneHot(state(prompt.Normal), state(prompt.Abnormal), labels)
}

// levelLoss computes the losses of one level's logits [B, L, 2]. They belong to s.
func (m *Model) levelLoss(s *torch.Scope, logits, masks torch.Tensor) (l levelLoss) {
	dice := loss.Dice
	if m.loss.DiceOver.Rows(int(masks.Dim(0))) {
		dice = loss.DiceRows
	}
	_ = s.Within(func(*torch.Scope) error {
		maps := m.probabilities(logits)
		normal, abnormal := channel(maps, prompt.Normal), channel(maps, prompt.Abnormal)
		l.focal = s.Keep(loss.FocalOneHot(normal, abnormal, masks))
		l.abnormal = s.Keep(dice(abnormal, masks))
		l.normal = s.Keep(dice(normal, loss.Complement(masks)))
		return nil
	})
	return l
}
