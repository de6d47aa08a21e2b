package clip

import (
	"fmt"
	"slices"

	"acdclip/cgo/torch"
)

// PositionResize is a way to resize the vision tower's position embedding from the patch
// grid that CLIP was trained with to another. Corners are not aligned.
type PositionResize struct {
	Name string // as in the configuration
	Doc  string

	interpolation torch.Interpolation
}

// PositionResizes lists the ways to resize; the first is the default.
func PositionResizes() []PositionResize { return slices.Clone(positionResizes) }

// positionResizes has one row per way.
var positionResizes = []PositionResize{
	{"bicubic_antialias", "bicubic with antialiasing", torch.BicubicAntialias},
	{"bicubic", "bicubic without antialiasing", torch.Bicubic},
	{"bilinear", "bilinear without antialiasing", torch.Bilinear},
}

func positionsOf(name string) (PositionResize, error) {
	if name == "" {
		return positionResizes[0], nil
	}
	index := slices.IndexFunc(positionResizes, func(p PositionResize) bool { return p.Name == name })
	if index < 0 {
		return PositionResize{}, fmt.Errorf("%w: unknown way to resize positions: %s", ErrOptions, name)
	}
	return positionResizes[index], nil
}

// resize converts a position embedding [1+from*from, C] to [1+to*to, C]. It interpolates
// the grid and keeps the class token's row.
func (p PositionResize) resize(table torch.Tensor, from, to int64) torch.Tensor {
	if from == to {
		return table
	}
	width := table.Dim(1)
	grid := table.Narrow(0, 1, from*from).Reshape(1, from, from, width).Permute(0, 3, 1, 2)
	grid = grid.Resize(p.interpolation, to, to).Permute(0, 2, 3, 1).Reshape(to*to, width)
	return torch.Cat(0, table.Narrow(0, 0, 1), grid)
}
