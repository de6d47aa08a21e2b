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

	// matrix converts a float32 weight [out, in] and bias [out] to the matrix that a tower
	// uses. Its weight is the given one or has memory of its own; it is no view. Temporary
	// tensors are freed by the caller.
	matrix func(weight, bias torch.Tensor) torch.Matrix
	// visionOnly says that the text tower stays in float32: it runs once per class.
	visionOnly bool
	// inferenceOnly says that no gradients may flow through it.
	inferenceOnly bool
	// cpuOnly says that it is not for a GPU.
	cpuOnly bool
}

// Auto selects the first number format.
const Auto = "auto"

// Formats lists the number formats; the first is the one that auto selects.
func Formats() []Format { return slices.Clone(formats) }

// formats has one row per format.
var formats = []Format{
	{Name: "fp32", Doc: "float32", matrix: func(weight, bias torch.Tensor) torch.Matrix {
		return torch.Matrix{Weight: weight, Bias: bias}
	}},
	{Name: "bf16", Doc: "bfloat16 with sums in float32: half the memory, slightly different results", matrix: func(weight, bias torch.Tensor) torch.Matrix {
		return torch.Matrix{Weight: weight.To(torch.BFloat16), Bias: bias.To(torch.BFloat16)}
	}},
	{Name: "int8", Doc: "whole numbers of 8 bits in the image tower, for pictures to score on a CPU: a quarter of its memory, results differ by a few thousandths",
		matrix: torch.Int8Matrix, visionOnly: true, inferenceOnly: true, cpuOnly: true},
}

// formatOf finds a format by its name in the configuration.
func formatOf(name string, table []Format) (Format, error) {
	if name == Auto || name == "" {
		return table[0], nil
	}
	index := slices.IndexFunc(table, func(f Format) bool { return f.Name == name })
	if index < 0 {
		return Format{}, fmt.Errorf("%w: unknown number format %s", ErrOptions, name)
	}
	return table[index], nil
}
