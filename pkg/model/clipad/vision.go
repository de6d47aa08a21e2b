package clipad

import (
	"slices"

	"acdclip/cgo/torch"
	"acdclip/pkg/model/clipad/options"
)

// tap holds the features of one level.
type tap struct {
	original torch.Tensor // O_l [B, 1+L, C]
	surgery  torch.Tensor // U_l [B, 1+L, E], not normalised; undefined without the second path
}

// encode applies the vision tower and, if dual is true, the second path to pictures
// [B, 3, S, S]. The taps belong to s.
//
// The second path sums the value-value attention of a stage's blocks; it has no residual
// and feeds nothing back. O_l below the last level already contains the attention of the
// next block: the authors' code adds it in place, and their linear layers were trained so.
func (m *Model) encode(s *torch.Scope, pictures torch.Tensor, dual bool) []tap {
	tower := m.clip.Vision
	taps := make([]tap, len(m.levels))
	_ = s.Within(func(inner *torch.Scope) error {
		ends, _ := options.Stages(tower.Depth)      // Check has checked the depth
		path := make([]torch.Tensor, len(m.levels)) // z_l [B, 1+L, C]
		x := inner.Eval(func() torch.Tensor { return tower.Embed(pictures) })
		for b := range tower.Depth {
			var wanted torch.Part
			stage := slices.IndexFunc(ends, func(end int) bool { return end > b })
			place := slices.Index(m.levels, ends[stage])
			if dual && place >= 0 {
				wanted |= torch.ValueAttention
			}
			before := slices.Index(m.levels, b) // the level that ends before this block
			if before >= 0 {
				wanted |= torch.Attended
			}
			x = inner.Step(x, func(x torch.Tensor) torch.Tensor {
				y, parts := tower.BlockParts(inner, b, x, wanted)
				if before >= 0 {
					taps[before].original = s.Keep(parts.Attended)
				}
				if parts.ValueAttention.Defined() {
					path[place] = added(inner, path[place], parts.ValueAttention, b == 0 || slices.Contains(ends, b))
				}
				return y
			})
		}
		if last := slices.Index(m.levels, tower.Depth); last >= 0 {
			taps[last].original = s.Keep(x)
		}
		for i := range taps {
			if dual {
				taps[i].surgery = s.Eval(func() torch.Tensor { return m.surgery(taps[i].original, path[i]) })
			}
		}
		return nil
	})
	return taps
}

// added returns attention as the start of a stage's sum, or the sum with it. It belongs to s.
func added(s *torch.Scope, sum, attention torch.Tensor, first bool) torch.Tensor {
	if first {
		return s.Keep(attention)
	}
	return s.Step(sum, func(sum torch.Tensor) torch.Tensor { return sum.Add(attention) })
}

// surgery returns U_l [B, 1+L, E]: the class row of the original path and the patch rows of
// the second one, through CLIP's head.
func (m *Model) surgery(original, path torch.Tensor) torch.Tensor {
	patches := path.Dim(1) - 1
	return m.clip.Vision.Head(torch.Cat(1, original.Narrow(1, 0, 1), path.Narrow(1, 1, patches)))
}
