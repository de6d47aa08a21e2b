package anomalyclip

import (
	"slices"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/cliptest"
	"acdclip/internal/golden"
)

// TestTaps checks the taps against the definition: the original path before block f, then
// the sum of the value-value attentions. Levels may be in any order.
func TestTaps(t *testing.T) {
	for _, f := range []int{1, 3, 6} {
		r := tinyRecipe(t)
		r.options.VVFrom, r.options.Levels = f, []int{5, 2, 6, 1}
		err := with(t, r, func(s *torch.Scope, m *Model) error {
			tower, pictures := m.clip.Vision, cliptest.Batch(s, m.imageSize()).Pictures
			x := tower.Embed(pictures)
			path := x
			taps := map[int]torch.Tensor{}
			for i := range tower.Depth {
				next, parts := tower.BlockParts(s, i, x, torch.ValueAttention)
				if x = next; i+1 < f {
					path = x
				} else {
					path = path.Add(parts.ValueAttention)
				}
				taps[i+1] = path
			}
			seen := m.see(s, pictures)
			for n, level := range r.options.Levels {
				tap := tower.Head(taps[level]).Normalize(-1)
				golden.Near(t, "tap", seen.levels[n].Float32s(), tap.Narrow(1, 1, tap.Dim(1)-1).Contiguous().Float32s(), 1e-6)
			}
			golden.Near(t, "picture", seen.image.Float32s(), tower.Project(x.Narrow(1, 0, 1)).Normalize(-1).Float32s(), 1e-6)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestWalkFrees checks that no tokens of earlier blocks are kept, and that the value-value
// path ends at the last level.
func TestWalkFrees(t *testing.T) {
	err := with(t, tinyRecipe(t), func(s *torch.Scope, m *Model) error {
		pictures := cliptest.Batch(s, m.imageSize()).Pictures
		var handles []int64
		m.walk(s, pictures, 5, func(block int, original, tap torch.Tensor) {
			handles = append(handles, torch.LiveHandles())
			if !original.Defined() || tap.Defined() != (block <= 5) {
				t.Errorf("block %d: original %v, tap %v", block, original.Defined(), tap.Defined())
			}
		})
		if handles[0] != handles[1] || handles[2] != handles[4] || handles[2] != handles[0]+1 || handles[5] > handles[4] {
			t.Errorf("tensors after each block: %d", handles)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestPositionsThatShrink compares the position embedding for a smaller picture than
// CLIP's, 3 x 3 patches to 2 x 2, with the bilinear formula without antialiasing.
func TestPositionsThatShrink(t *testing.T) {
	own := tinyRecipe(t)
	own.options.ImageSize = 21
	var table []float32
	if err := with(t, own, func(_ *torch.Scope, m *Model) error {
		table = m.clip.Vision.PositionEmbedding().Float32s()
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	small := own
	small.options.ImageSize = 14
	err := with(t, small, func(_ *torch.Scope, m *Model) error {
		const from, to = 3, 2
		width := m.clip.Vision.Width
		want := slices.Clone(table[:width])
		for y := range to {
			for x := range to {
				for c := range width {
					value := 0.0
					for _, row := range bilinear(y, from, to) {
						for _, column := range bilinear(x, from, to) {
							value += row.weight * column.weight * float64(table[(1+row.index*from+column.index)*width+c])
						}
					}
					want = append(want, float32(value))
				}
			}
		}
		golden.Near(t, "positions", m.clip.Vision.PositionEmbedding().Float32s(), want, 1e-6)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

type tap struct {
	index  int
	weight float64
}

// bilinear returns the two neighbours of output i of to positions among from.
func bilinear(i, from, to int) []tap {
	x := max(0, (float64(i)+0.5)*float64(from)/float64(to)-0.5)
	j := int(x)
	return []tap{{j, 1 - (x - float64(j))}, {min(j+1, from-1), x - float64(j)}}
}
