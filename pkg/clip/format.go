package clip

import (
	"fmt"
	"slices"

	"acdclip/cgo/torch"
)

// Format is a number format of the towers' matrices.
type Format struct {
	Name string // as in the configuration
	Doc  string

	// matrix makes of a float32 weight [out, in] and bias [out] what a tower
	// multiplies by. What else it makes on the way is freed.
	matrix func(weight, bias torch.Tensor) torch.Matrix
}

// Auto stands for the first of the number formats.
const Auto = "auto"

// Formats lists the number formats; the first is that of a configuration that says auto.
func Formats() []Format { return slices.Clone(formats) }

// A format is one row.
var formats = []Format{
	{"fp32", "float32", func(weight, bias torch.Tensor) torch.Matrix {
		return torch.Matrix{Weight: weight, Bias: bias}
	}},
	{"bf16", "bfloat16, with sums in float32: half the memory, slightly other results", func(weight, bias torch.Tensor) torch.Matrix {
		return torch.Matrix{Weight: weight.To(torch.BFloat16), Bias: bias.To(torch.BFloat16)}
	}},
}

// formatOf finds the format of a configuration in a table.
func formatOf(name string, table []Format) (Format, error) {
	if name == Auto || name == "" {
		return table[0], nil
	}
	place := slices.IndexFunc(table, func(f Format) bool { return f.Name == name })
	if place < 0 {
		return Format{}, fmt.Errorf("%w: there is no number format %s", ErrOptions, name)
	}
	return table[place], nil
}
