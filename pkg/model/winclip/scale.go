package winclip

import "acdclip/cgo/torch"

// scale is one window size. The windows are numbered by their top left patch, row by row.
type scale struct {
	side   int64
	tokens torch.Tensor // [W, 1+side*side]: each window's tokens in the whole picture, the class token first
	cover  torch.Tensor // [W, L]: 1/n(l) where window w holds patch l, else 0; n(l) windows hold patch l
}

// newScale lists the windows of side x side patches in a grid. Its tensors belong to s.
func newScale(s *torch.Scope, grid, side int) scale {
	places := grid - side + 1
	windows := windowsOf(grid, side)
	var tokens []int64
	counts := make([]float32, grid*grid)
	for _, patches := range windows {
		tokens = append(tokens, 0)
		for _, patch := range patches {
			tokens = append(tokens, int64(1+patch))
			counts[patch]++
		}
	}
	cover := make([]float32, len(windows)*grid*grid)
	for w, patches := range windows {
		for _, patch := range patches {
			cover[w*grid*grid+patch] = 1 / counts[patch]
		}
	}
	count := int64(places * places)
	return scale{
		side:   int64(side),
		tokens: s.FromInt64(tokens, count, int64(1+side*side)),
		cover:  s.FromFloat32(cover, count, int64(grid*grid)),
	}
}

// windowsOf lists the patches of each window.
func windowsOf(grid, side int) [][]int {
	var windows [][]int
	for i := range grid - side + 1 {
		for j := range grid - side + 1 {
			var patches []int
			for di := range side {
				for dj := range side {
					patches = append(patches, (i+di)*grid+j+dj)
				}
			}
			windows = append(windows, patches)
		}
	}
	return windows
}

// smallest is the smallest normal float32. Smaller probabilities count as it, because the
// reciprocal of 0 is infinite and 0 times infinity is not a number.
const smallest = 0x1p-126

// reciprocals maps the windows' probabilities of a state [B, W] to patches [B, L]: the mean
// of 1/p over the windows that hold the patch, the reciprocal of the harmonic mean.
func (c scale) reciprocals(probabilities torch.Tensor) torch.Tensor {
	return probabilities.Clamp(smallest, 1).Pow(-1).MatMul(c.cover)
}
