package adaclip

import (
	"fmt"

	"acdclip/cgo/torch"
	"acdclip/pkg/model"
	"acdclip/pkg/model/prompt"
)

// similarityFactor scales similarities to logits. It is CLIP's.
const similarityFactor = 100

// output is what scores and losses are computed from, for B pictures.
type output struct {
	levels []torch.Tensor // Z_n: logits of each level's patches by state, [B, L, 2]
	mean   torch.Tensor   // of the levels, [B, L, 2]
	image  torch.Tensor   // logits of the pictures by state, [B, 2]
}

// forward compares pictures, embedded, with the text of their classes. of returns the
// prefix of a class. The output belongs to s.
func (m *Model) forward(s *torch.Scope, embedded torch.Tensor, dynamic dynamicTokens, classOf []int, of func(class int) prefix) (out output) {
	_ = s.Within(func(inner *torch.Scope) error {
		text := m.encodeText(inner, classOf, of, dynamic.text)
		seen := m.encodeImage(inner, embedded, dynamic.vision, nil)
		out = m.compare(inner, seen.patches, m.unitClass(seen.class), text)
		for _, t := range append([]torch.Tensor{out.mean, out.image}, out.levels...) {
			s.Keep(t)
		}
		return nil
	})
	return out
}

// compare compares unit patch features [B, L, E] of each level and the unit class embedding
// c [B, E] with text features T [B, E, 2].
func (m *Model) compare(s *torch.Scope, patches []torch.Tensor, class, text torch.Tensor) (out output) {
	for _, level := range patches {
		out.levels = append(out.levels, level.MatMul(text).MulScalar(similarityFactor))
	}
	out.mean = torch.Stack(0, out.levels...).Mean(0)
	out.image = imageLogits(m.imageFeature(s, class, patches, out.mean), text)
	return out
}

// imageLogits compares image features [B, E] with text features T [B, E, 2].
func imageLogits(feature, text torch.Tensor) torch.Tensor {
	batch := text.Dim(0)
	return feature.Reshape(batch, 1, -1).MatMul(text).Reshape(batch, prompt.States).MulScalar(similarityFactor)
}

// probabilities upsamples logits [B, L, 2] of patches; the result is [B, 2, S, S].
func (m *Model) probabilities(logits torch.Tensor) torch.Tensor {
	grid, size := int64(m.clip.Vision.Grid), int64(m.imageSize())
	return logits.Transpose(1, 2).Reshape(-1, prompt.States, grid, grid).Resize(torch.BilinearAligned, size, size).Softmax(1)
}

// channel returns one state's maps [B, S, S] of maps [B, 2, S, S].
func channel(maps torch.Tensor, state int64) torch.Tensor {
	return maps.Narrow(1, state, 1).Reshape(maps.Dim(0), maps.Dim(2), maps.Dim(3))
}

// anomalyMaps returns the abnormal probability [B, S, S] of the levels' mean, not smoothed.
func (m *Model) anomalyMaps(out output) torch.Tensor {
	return channel(m.probabilities(out.mean), prompt.Abnormal)
}

// classProbability returns the abnormal probability [B] of image logits [B, 2].
func classProbability(logits torch.Tensor) torch.Tensor {
	return logits.Softmax(1).Narrow(1, prompt.Abnormal, 1).Reshape(-1)
}

// Score scores pictures; see model.Method. The image score is the class probability. The
// clustering of patches reads values back from the device: see clusterPatches.
func (m *Model) Score(s *torch.Scope, pictures torch.Tensor, classOf []int, p model.Prepared) (scores model.Scores, err error) {
	list, err := preparedOf(p)
	if err != nil {
		return model.Scores{}, err
	}
	if err := model.CheckPictures(pictures, m.imageSize(), len(classOf)); err != nil {
		return model.Scores{}, err
	}
	if err := checkClasses(classOf, len(list.classes)); err != nil {
		return model.Scores{}, err
	}
	err = s.Within(func(inner *torch.Scope) error {
		embedded := inner.Eval(func() torch.Tensor { return m.clip.Vision.Embed(pictures) })
		dynamic := m.dynamicTokens(m.frozen(inner, embedded))
		out := m.forward(inner, embedded, dynamic, classOf, func(class int) prefix { return list.classes[class] })
		// The Gaussian's weights sum to 1 but for rounding.
		scores.Maps = s.Keep(m.filter.Apply(m.anomalyMaps(out)).Clamp(0, 1))
		scores.Image = s.Keep(classProbability(out.image))
		scores.ClassProbabilities = scores.Image
		return nil
	})
	return scores, err
}

// checkClasses returns an error unless the pictures' class indexes are less than count.
func checkClasses(classOf []int, count int) error {
	for i, class := range classOf {
		if class < 0 || class >= count {
			return fmt.Errorf("picture %d has class index %d, but %d classes were prepared", i, class, count)
		}
	}
	return nil
}
