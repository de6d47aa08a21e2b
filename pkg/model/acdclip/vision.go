package acdclip

import "acdclip/cgo/torch"

// visionLevel holds the features of one vision group that are compared with text.
type visionLevel struct {
	segmentation torch.Tensor // V_i: unit patch tokens [B, L, D]
	detection    torch.Tensor // mean of the unit detection tokens [B, D]; undefined if the model has none
}

// observe receives dX of vision group i and its patch tokens after the merge, both
// [B, L, C]. They are freed when it returns.
type observe func(i int, delta, tokens torch.Tensor)

// encodeImage applies the vision tower and its adapters to pictures [B, 3, S, S]. It
// returns the levels, which belong to s, and the class token after the last block,
// [B, 1, C]. observer may be nil.
func (m *Model) encodeImage(s *torch.Scope, pictures torch.Tensor, observer observe) ([]visionLevel, torch.Tensor) {
	tower := m.clip.Vision
	each := tower.Depth / m.options.Groups
	x := s.Eval(func() torch.Tensor { return tower.Embed(pictures) })
	levels := make([]visionLevel, m.options.Groups)
	for i := range levels {
		for j := range each {
			x = s.Step(x, func(x torch.Tensor) torch.Tensor { return tower.Block(s, i*each+j, x) })
		}
		x = s.Step(x, func(x torch.Tensor) (merged torch.Tensor) {
			merged, levels[i] = m.adapt(s, i, x, observer)
			return merged
		})
	}
	return levels, x.Narrow(1, 0, 1)
}

// adapt applies the trainable parts after vision group i to tokens x [B, 1+L, C]. It
// returns the tokens for the next block and the level, which belongs to s. Temporary
// tensors belong to the caller's inner scope.
func (m *Model) adapt(s *torch.Scope, i int, x torch.Tensor, observer observe) (torch.Tensor, visionLevel) {
	g := m.vision[i]
	class, patches := x.Narrow(1, 0, 1), x.Narrow(1, 1, x.Dim(1)-1)
	delta := g.adapter.apply(patches, int64(m.clip.Vision.Grid))
	tokens := g.merge.apply(patches, delta)
	if observer != nil {
		observer(i, delta, tokens)
	}
	var level visionLevel
	level.segmentation = s.Eval(func() torch.Tensor { return g.segmentation.apply(tokens) })
	if g.detection != nil {
		level.detection = s.Eval(func() torch.Tensor { return g.detection.apply(tokens).Mean(1) })
	}
	return torch.Cat(1, class, tokens), level
}
