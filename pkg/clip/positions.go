package clip

import (
	"fmt"
	"slices"

	"acdclip/cgo/torch"
)

// PositionResize is a way to bring the vision tower's position embedding from the grid of
// patches that CLIP was trained with to another. Corners are not aligned.
type PositionResize struct {
	Name string // as in the configuration
	Doc  string

	interpolation torch.Interpolation
}

// PositionResizes lists the ways; the first is that of Options that name none.
func PositionResizes() []PositionResize { return slices.Clone(positionResizes) }

// A way is one row.
var positionResizes = []PositionResize{
	{"bicubic_antialias", "bicubic with antialiasing (ACD-CLIP, CLIP-AD, WinCLIP)", torch.BicubicAntialias},
	{"bicubic", "bicubic without antialiasing (AdaCLIP)", torch.Bicubic},
	{"bilinear", "bilinear without antialiasing (AnomalyCLIP)", torch.Bilinear},
}

func positionsOf(name string) (PositionResize, error) {
	if name == "" {
		return positionResizes[0], nil
	}
	place := slices.IndexFunc(positionResizes, func(p PositionResize) bool { return p.Name == name })
	if place < 0 {
		return PositionResize{}, fmt.Errorf("%w: there is no way to resize positions called %s", ErrOptions, name)
	}
	return positionResizes[place], nil
}

// resize brings a position embedding [1+from*from, C] to [1+to*to, C]: the grid by
// interpolation, the class token's row as it is.
func (p PositionResize) resize(table torch.Tensor, from, to int64) torch.Tensor {
	if from == to {
		return table
	}
	width := table.Dim(1)
	grid := table.Narrow(0, 1, from*from).Reshape(1, from, from, width).Permute(0, 3, 1, 2)
	grid = grid.Resize(p.interpolation, to, to).Permute(0, 2, 3, 1).Reshape(to*to, width)
	return torch.Cat(0, table.Narrow(0, 0, 1), grid)
}
