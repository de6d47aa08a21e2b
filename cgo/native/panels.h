// Products without gradients of matrices in float32, bfloat16 or whole numbers, on processors
// that have a kernel for them (kernels.h).
#pragma once

#include "kernels.h"
#include "matrix.h"

namespace acd::panels {

// Whether the kernel is the fastest product with a matrix, which is not packed yet.
bool suits(const Matrix &m);

// The outputs of a panel.
int64_t outputs();

// The weight of such a matrix [out, in] in panels [ceil(out / outputs()), panel_rows, outputs()]; the
// order of values within a panel is the kernel's.
at::Tensor pack(const at::Tensor &weight);

// The activation of the product, plus a residual if it is defined. With a residual, or of whole
// numbers, the type is float32 or bfloat16 (then without residual), otherwise x's.
at::Tensor product(const Inputs &x, const Matrix &m, Activation activation, const at::Tensor &residual, at::ScalarType type);

// The activation of a product of whole numbers, as whole numbers.
Inputs activated(const Inputs &x, const Matrix &m, Activation activation);

}  // namespace acd::panels
