package anomalyclip

import (
	"slices"

	"acdclip/cgo/torch"
)

// features are what the frozen vision tower says of B pictures, as unit vectors.
type features struct {
	levels []torch.Tensor // F_n, the patches' features [B, L, E], in the order of options.Levels
	image  torch.Tensor   // g [B, E]
}

// see computes the features of pictures [B, 3, S, S], which belong to s. The image feature
// has no LayerNorm after the tower, unlike CLIP's.
func (m *Model) see(s *torch.Scope, pictures torch.Tensor) features {
	tower := m.clip.Vision
	seen := features{levels: make([]torch.Tensor, len(m.options.Levels))}
	m.walk(s, pictures, slices.Max(m.options.Levels), func(block int, original, tap torch.Tensor) {
		if n := slices.Index(m.options.Levels, block); n >= 0 {
			seen.levels[n] = s.Eval(func() torch.Tensor { return tower.Head(tap.Narrow(1, 1, tap.Dim(1)-1)).Normalize(-1) })
		}
		if block == tower.Depth {
			seen.image = s.Eval(func() torch.Tensor {
				return tower.Project(original.Narrow(1, 0, 1)).Reshape(original.Dim(0), -1).Normalize(-1)
			})
		}
	})
	return seen
}

// walk applies the vision tower to pictures [B, 3, S, S]. After each block n, counted from
// 1, visit receives the original path O^n, which is CLIP's own, and the tap of the block,
// both [B, 1+L, C]: P^n on the value-value path, which starts at block f, and O^n before
// it. They are freed after the visit. The value-value path ends at block last, and later
// taps are undefined.
//
// P^(f-1) = O^(f-1), and P^n = P^(n-1) + the value-value attention of block n, whose input
// is the original path's.
func (m *Model) walk(s *torch.Scope, pictures torch.Tensor, last int, visit func(block int, original, tap torch.Tensor)) {
	tower := m.clip.Vision
	_ = s.Within(func(s *torch.Scope) error {
		x := s.Eval(func() torch.Tensor { return tower.Embed(pictures) })
		var path torch.Tensor
		for i := range tower.Depth {
			block := i + 1
			switch {
			case block < m.options.VVFrom:
				x = s.Step(x, func(x torch.Tensor) torch.Tensor { return tower.Block(s, i, x) })
				visit(block, x, x)
				continue
			case block > last:
				x = s.Step(x, func(x torch.Tensor) torch.Tensor { return tower.Block(s, i, x) })
				visit(block, x, torch.Tensor{})
				continue
			case block == m.options.VVFrom:
				path = s.Eval(func() torch.Tensor { return x.Reshape(x.Shape()...) }) // a reference of its own, because the step frees x
			}
			x, path = m.bothPaths(s, i, x, path)
			visit(block, x, path)
		}
		return nil
	})
}

// bothPaths applies vision block i, counted from 0, to the original path x and adds its
// value-value attention to path. It frees both; the results belong to s.
func (m *Model) bothPaths(s *torch.Scope, i int, x, path torch.Tensor) (nextX, nextPath torch.Tensor) {
	_ = s.Within(func(inner *torch.Scope) error {
		next, parts := m.clip.Vision.BlockParts(inner, i, x, torch.ValueAttention)
		nextX = s.Step(x, func(torch.Tensor) torch.Tensor { return next })
		nextPath = s.Step(path, func(path torch.Tensor) torch.Tensor { return path.Add(parts.ValueAttention) })
		return nil
	})
	return nextX, nextPath
}
