// Products of whole numbers on processors that have instructions for them (kernels.h).
#pragma once

#include "matrix.h"

namespace acd::quantized {

// A matrix [out, in] of float32 as whole numbers, with a step for each row, on any device and
// processor. They are from -127 to 127, or as far as this processor's kernel takes them.
Inputs whole_numbers(const at::Tensor &matrix);

// Whether a matrix, not packed yet, can be packed for this processor.
bool suits(const Matrix &m);

// Whether a matrix takes its inputs as whole numbers: suits said so, and it is packed.
bool takes(const Matrix &m);

// The rows of x [..., in] as whole numbers, each with its own step.
Inputs rows(const at::Tensor &x);

// The same for a LayerNorm of x.
Inputs normalised(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias, double epsilon);

// The product with a matrix in oneDNN's order, in float32 or bfloat16; float32 may have a residual.
at::Tensor product(const Inputs &x, const Matrix &m, const at::Tensor &residual, at::ScalarType type);

// The rows of the product's activation.
Inputs activated(const Inputs &x, const Matrix &m, bool quick);

}  // namespace acd::quantized
