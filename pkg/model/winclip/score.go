package winclip

import (
	"acdclip/cgo/torch"
	"acdclip/pkg/model"
	"acdclip/pkg/model/prompt"
	"acdclip/pkg/model/winclip/options"
)

// pieceTokens bounds the tokens that go through the tower at once. At ViT-B/16+'s width,
// a block needs about 100 MB for them.
const pieceTokens = 8192

// Score scores pictures; see model.Method. Maps are at most 0.5 with mean: normal.
func (m *Model) Score(s *torch.Scope, pictures torch.Tensor, classOf []int, p model.Prepared) (model.Scores, error) {
	_, text, err := prompt.For(s, p, pictures, m.imageSize(), classOf)
	if err != nil {
		return model.Scores{}, err
	}
	batch, grid, size := pictures.Dim(0), int64(m.clip.Vision.Grid), int64(m.imageSize())
	x := s.Eval(func() torch.Tensor { return m.clip.Vision.Embed(pictures) })
	whole := m.probabilities(m.encode(s, x), text) // [B, 1, 2]
	scales := make([]torch.Tensor, len(m.scales))
	for i, c := range m.scales {
		scales[i] = m.probabilities(m.encodeWindows(s, x, c), text)
	}
	maps := m.grid(whole, scales).Reshape(batch, 1, grid, grid)
	if m.options.Mean == options.MeanNormal {
		maps = maps.MulScalar(0.5) // the few-shot fusion 1/(1/M + 1/M), which runs in zero-shot too
	}
	maps = maps.Resize(torch.Bilinear, size, size).Reshape(batch, size, size)
	class := state(whole, prompt.Abnormal).Reshape(batch)
	image := class
	if m.options.Score == options.ScoreMapMax {
		image = maps.AMax(1, 2)
	}
	return model.Scores{Maps: maps, Image: image, ClassProbabilities: class}, nil
}

// encode returns CLIP's embeddings [B, 1, E] of tokens x [B, T, C] whose first is the class
// token. They belong to s.
func (m *Model) encode(s *torch.Scope, x torch.Tensor) (embeddings torch.Tensor) {
	_ = s.Within(func(inner *torch.Scope) error {
		embeddings = s.Keep(m.clip.Vision.Head(m.clip.Vision.ClassToken(inner, x)))
		return nil
	})
	return embeddings
}

// encodeWindows returns the embeddings [B, W, E] of the windows of pictures' tokens
// x [B, 1+L, C]. Each window goes through the tower alone, with the class token and the
// position embeddings of the whole picture.
func (m *Model) encodeWindows(s *torch.Scope, x torch.Tensor, c scale) (embeddings torch.Tensor) {
	batch, width := x.Dim(0), x.Dim(2)
	windows, length := c.tokens.Dim(0), c.tokens.Dim(1)
	each := max(1, pieceTokens/(batch*length)) // windows of a piece
	_ = s.Within(func(inner *torch.Scope) error {
		var pieces []torch.Tensor
		for start := int64(0); start < windows; start += each {
			count := min(each, windows-start)
			pieces = append(pieces, inner.Eval(func() torch.Tensor {
				chosen := x.IndexSelect(1, c.tokens.Narrow(0, start, count).Reshape(-1))
				return m.encode(inner, chosen.Reshape(batch*count, length, width)).Reshape(batch, count, -1)
			}))
		}
		embeddings = s.Keep(torch.Cat(1, pieces...))
		return nil
	})
	return embeddings
}

// probabilities returns the softmax over the states of the cosines of embeddings
// [B, W, E] and text [B, 2, E], divided by tau: [B, W, 2].
func (m *Model) probabilities(embeddings, text torch.Tensor) torch.Tensor {
	cosines := embeddings.Normalize(-1).MatMul(text.Normalize(-1).Transpose(1, 2))
	return cosines.MulScalar(1 / m.options.Temperature).Softmax(-1)
}

// state selects the probabilities [B, W] of one state from [B, W, 2].
func state(probabilities torch.Tensor, index int64) torch.Tensor {
	return probabilities.Narrow(2, index, 1).Reshape(probabilities.Dim(0), -1)
}

// grid combines the probabilities of the whole picture and of the windows of each scale to
// the map M [B, L], a harmonic mean over scales, before any halving.
func (m *Model) grid(whole torch.Tensor, scales []torch.Tensor) torch.Tensor {
	averaged := int64(prompt.Abnormal)
	if m.options.Mean == options.MeanNormal {
		averaged = prompt.Normal
	}
	sum := m.scales[0].reciprocals(state(scales[0], averaged))
	for i, probabilities := range scales[1:] {
		sum = sum.Add(m.scales[1+i].reciprocals(state(probabilities, averaged)))
	}
	count := len(scales)
	if m.options.ImageScale {
		sum = sum.Add(state(whole, averaged).Clamp(smallest, 1).Pow(-1))
		count++
	}
	harmonic := sum.MulScalar(1 / float64(count)).Pow(-1)
	if m.options.Mean == options.MeanNormal {
		return harmonic.MulScalar(-1).AddScalar(1)
	}
	return harmonic
}
