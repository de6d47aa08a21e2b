package acdclip

import (
	"acdclip/cgo/torch"
)

// visionGroupOutput is what one vision group gives.
type visionGroupOutput struct {
	segmentation torch.Tensor // V_i: unit patch tokens [B, L, D]
	detection    torch.Tensor // mean of the unit detection tokens [B, D]; undefined without them
	delta        torch.Tensor // dX, the adapter's own output [B, L, C]
	tokens       torch.Tensor // the patch tokens after the merge [B, L, C]
}

// see runs pictures [B, 3, S, S] through the vision tower and its adapters. It
// returns the groups' outputs, in s, and the class token after the last block [B, 1, C].
func (m *Model) see(s *torch.Scope, pictures torch.Tensor) ([]visionGroupOutput, torch.Tensor) {
	tower := m.clip.Vision
	each := tower.Depth / m.options.Groups
	x := s.Eval(func() torch.Tensor { return tower.Embed(pictures) })
	groups := make([]visionGroupOutput, m.options.Groups)
	var class torch.Tensor
	for i := range groups {
		for j := range each {
			x = s.Step(x, func(x torch.Tensor) torch.Tensor { return tower.Block(i*each+j, x) })
		}
		class = x.Narrow(1, 0, 1)
		groups[i] = m.adapt(s, i, x.Narrow(1, 1, x.Dim(1)-1))
		x = s.Step(x, func(torch.Tensor) torch.Tensor { return torch.Cat(1, class, groups[i].tokens) })
	}
	return groups, class
}

// adapt applies what stands at the end of vision group i to its patch tokens [B, L, C].
func (m *Model) adapt(s *torch.Scope, i int, patches torch.Tensor) visionGroupOutput {
	g := m.vision[i]
	var out visionGroupOutput
	out.delta = s.Eval(func() torch.Tensor { return g.adapter.apply(patches, int64(m.clip.Vision.Grid)) })
	out.tokens = s.Eval(func() torch.Tensor { return g.merge.apply(patches, out.delta) })
	out.segmentation = s.Eval(func() torch.Tensor { return g.segmentation.apply(out.tokens) })
	if g.detection != nil {
		out.detection = s.Eval(func() torch.Tensor { return g.detection.apply(out.tokens).Mean(1) })
	}
	return out
}
