package clipad

import (
	"acdclip/cgo/torch"
	"acdclip/pkg/model"
	"acdclip/pkg/model/prompt"
)

// sharpness is the reciprocal of CLIP's final temperature.
const sharpness = 100

// Score scores pictures; see model.Method. The image score is the class probability; an
// evaluation may combine it with the maximum of the raw map over a class.
func (m *Model) Score(s *torch.Scope, pictures torch.Tensor, classOf []int, p model.Prepared) (model.Scores, error) {
	_, text, err := prompt.For(s, p, pictures, m.imageSize(), classOf)
	if err != nil {
		return model.Scores{}, err
	}
	taps := m.encode(s, pictures, true)
	sdp, probability := m.sdp(taps, text)
	raw := m.filter.Apply(m.maps(s, taps, text, sdp)) // [B, S, S]
	return model.Scores{Maps: m.unitRange(raw), RawMaps: raw, Image: probability, ClassProbabilities: probability}, nil
}

// maps returns the maps [B, S, S] before smoothing: SDP's, and for SDP+ the sum with the
// linear layers' probabilities.
func (m *Model) maps(s *torch.Scope, taps []tap, text, sdp torch.Tensor) torch.Tensor {
	batch, grid, size := sdp.Dim(0), int64(m.clip.Vision.Grid), int64(m.imageSize())
	patches := sdp.Narrow(1, 1, grid*grid).Narrow(2, prompt.Abnormal, 1)
	sum := patches.Reshape(batch, 1, grid, grid).Resize(torch.Bilinear, size, size).Reshape(batch, size, size)
	for i, l := range m.linears {
		sum = s.Step(sum, func(sum torch.Tensor) torch.Tensor {
			states := m.probabilities(l.logits(taps[i].original, text))
			return sum.Add(states.Narrow(1, prompt.Abnormal, 1).Reshape(batch, size, size))
		})
	}
	return sum
}

// sdp returns the sum over levels of the weighted similarities less their mean,
// [B, 1+L, 2], and the probability of abnormal [B] of the last level's class row.
func (m *Model) sdp(taps []tap, text torch.Tensor) (similarity, probability torch.Tensor) {
	columns := text.Transpose(1, 2) // [B, E, 2]
	for _, t := range taps {
		s := t.surgery.Normalize(-1).MatMul(columns) // [B, 1+L, 2]
		class := s.Narrow(1, 0, 1)
		weighted := s.Mul(class.Softmax(-1).MulScalar(prompt.States)) // the weights' mean is 1
		difference := weighted.Sub(weighted.Mean(-1).Reshape(weighted.Dim(0), -1, 1))
		if similarity.Defined() {
			difference = similarity.Add(difference)
		}
		similarity = difference
		probability = class.MulScalar(sharpness).Softmax(-1).Narrow(2, prompt.Abnormal, 1).Reshape(-1)
	}
	return similarity, probability
}

// logits compares a level's patch rows of O [B, 1+L, C] with text [B, 2, E]: [B, L, 2].
func (l linear) logits(original, text torch.Tensor) torch.Tensor {
	patches := original.Narrow(1, 1, original.Dim(1)-1)
	features := patches.Linear(l.weight, l.bias).Normalize(-1)
	return features.MatMul(text.Transpose(1, 2)).MulScalar(sharpness)
}

// probabilities converts a level's logits [B, L, 2] to both states' maps [B, 2, S, S].
func (m *Model) probabilities(logits torch.Tensor) torch.Tensor {
	grid, size := int64(m.clip.Vision.Grid), int64(m.imageSize())
	states := logits.Transpose(1, 2).Reshape(logits.Dim(0), prompt.States, grid, grid)
	return states.Resize(torch.BilinearAligned, size, size).Softmax(1)
}

// unitRange maps raw maps to [0, 1] and keeps the order of their values: SDP's by the
// two-state softmax of the mean over levels, SDP+'s linearly from [-K, 2K].
func (m *Model) unitRange(raw torch.Tensor) torch.Tensor {
	levels := float64(len(m.levels))
	if m.linears != nil {
		return raw.AddScalar(levels).MulScalar(1 / (3 * levels))
	}
	logits := raw.MulScalar(2 * sharpness / levels)
	return torch.Stack(-1, logits.MulScalar(0), logits).Softmax(-1).Narrow(3, 1, 1).Reshape(raw.Shape()...)
}
