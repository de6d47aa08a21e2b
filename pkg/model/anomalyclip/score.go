package anomalyclip

import (
	"acdclip/cgo/torch"
	"acdclip/pkg/model"
	"acdclip/pkg/model/loss"
	"acdclip/pkg/model/prompt"
)

// Score scores pictures; see model.Method. The image score is the class probability. The
// raw map is the sum over levels, as in the released code; the map is their mean.
func (m *Model) Score(s *torch.Scope, pictures torch.Tensor, classOf []int, p model.Prepared) (model.Scores, error) {
	_, text, err := prompt.For(s, p, pictures, m.imageSize(), classOf)
	if err != nil {
		return model.Scores{}, err
	}
	seen := m.see(s, pictures)
	raw := s.Eval(func() torch.Tensor { return m.blur.Apply(m.sum(s, seen, text)) })
	maps := raw.MulScalar(1/float64(len(seen.levels))).Clamp(0, 1) // rounding can leave [0, 1]
	probability := m.classLogits(seen, text).Softmax(-1).Narrow(1, prompt.Abnormal, 1).Reshape(-1)
	return model.Scores{Maps: maps, RawMaps: raw, Image: probability, ClassProbabilities: probability}, nil
}

// sum returns the sum of the levels' maps [B, S, S] before smoothing, in [0, N].
func (m *Model) sum(s *torch.Scope, seen features, text torch.Tensor) torch.Tensor {
	sum := s.Eval(func() torch.Tensor { return m.levelMap(seen.levels[0], text) })
	for _, level := range seen.levels[1:] {
		sum = s.Step(sum, func(sum torch.Tensor) torch.Tensor { return sum.Add(m.levelMap(level, text)) })
	}
	return sum
}

// levelMap returns one level's map m_n = (p_abnormal + 1 - p_normal)/2, [B, S, S].
func (m *Model) levelMap(level, text torch.Tensor) torch.Tensor {
	normal, abnormal := states(m.enlarge(m.similarity(level, text)))
	return abnormal.Add(loss.Complement(normal)).MulScalar(0.5)
}

// logits returns the similarities [B, L, 2] of unit features [B, L, E] and text [B, 2, E],
// or [1, 2, E] for all pictures, divided by tau.
func (m *Model) logits(features, text torch.Tensor) torch.Tensor {
	return features.MatMul(text.Transpose(1, 2)).MulScalar(1 / m.options.Temperature)
}

// similarity returns the probabilities p_n [B, L, 2] of one level's patches [B, L, E].
func (m *Model) similarity(level, text torch.Tensor) torch.Tensor {
	return m.logits(level, text).Softmax(-1)
}

// classLogits returns the pictures' logits [B, 2].
func (m *Model) classLogits(seen features, text torch.Tensor) torch.Tensor {
	batch, width := seen.image.Dim(0), seen.image.Dim(1)
	return m.logits(seen.image.Reshape(batch, 1, width), text).Reshape(batch, prompt.States)
}

// enlarge resizes probabilities on the patch grid [B, L, 2] to the pictures' size, [B, 2, S, S].
func (m *Model) enlarge(similarity torch.Tensor) torch.Tensor {
	grid, size := int64(m.clip.Vision.Grid), int64(m.imageSize())
	return similarity.Transpose(1, 2).Reshape(similarity.Dim(0), prompt.States, grid, grid).Resize(torch.Bilinear, size, size)
}

// states returns the maps [B, S, S] of both states of probabilities [B, 2, S, S].
func states(p torch.Tensor) (normal, abnormal torch.Tensor) {
	of := func(state int64) torch.Tensor { return p.Narrow(1, state, 1).Reshape(p.Dim(0), p.Dim(2), p.Dim(3)) }
	return of(prompt.Normal), of(prompt.Abnormal)
}
