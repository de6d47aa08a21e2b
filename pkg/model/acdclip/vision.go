package acdclip

import "acdclip/cgo/torch"

// visionLevel is what one vision group gives to the meeting with the text.
type visionLevel struct {
	segmentation torch.Tensor // V_i: unit patch tokens [B, L, D]
	detection    torch.Tensor // mean of the unit detection tokens [B, D]; undefined without them
}

// observe looks at what vision group i adds, dX, and at its patch tokens after
// the merge, both [B, L, C]. They are freed when it returns.
type observe func(i int, delta, tokens torch.Tensor)

// encodeImage runs pictures [B, 3, S, S] through the vision tower and its adapters. It
// returns the levels, in s, and the class token after the last block [B, 1, C].
// Observer may be nil.
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

// adapt applies what stands at the end of vision group i to tokens x [B, 1+L, C].
// It returns the tokens for the next block and the level, which it keeps in s;
// views of x and what comes between belong to the caller's shorter scope.
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
