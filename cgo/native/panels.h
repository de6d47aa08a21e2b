// Products without gradients of matrices in float32, bfloat16 or whole numbers, on processors
// that have a kernel for them (avx512.h).
#pragma once

#include "avx512.h"
#include "matrix.h"

namespace acd::panels {

// Whether the kernel is the fastest product with a matrix, which is not packed yet.
bool suits(const Matrix &m);

// The weight of such a matrix [out, in] in panels [ceil(out / panel), panel_rows, panel]; the
// order of values within a panel is the kernel's.
at::Tensor pack(const at::Tensor &weight);

// The activation of the product, plus a residual if it is defined. With a residual, or of whole
// numbers, the type is float32 or bfloat16 (then without residual), otherwise x's.
at::Tensor product(const Inputs &x, const Matrix &m, avx512::Activation activation, const at::Tensor &residual, at::ScalarType type);

// The activation of a product of whole numbers, as whole numbers.
Inputs activated(const Inputs &x, const Matrix &m, avx512::Activation activation);

}  // namespace acd::panels
