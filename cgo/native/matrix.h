// Linear layers of frozen towers, in any number format.
#pragma once

#include "guard.h"

namespace acd {

// What a linear layer multiplies by. The bias' type is that of the products.
struct Matrix {
  at::Tensor weight, bias;
  at::Tensor scale;        // of each output; undefined: 1
  at::Tensor input_scale;  // of rounded inputs; undefined: of each row its largest value / 127
  bool round_inputs;       // to whole numbers from -127 to 127; only beside a scale
};

// The order of a matrix's tensors where they are handed over in a row.
constexpr int matrix_parts = 4;
inline Matrix matrix(at::TensorList p, bool round_inputs) { return {p[0], p[1], p[2], p[3], round_inputs}; }

// x (weight * scale)^T + bias in the products' type, by the fastest product that
// the device has. Gradients flow to x; nothing but the matrix is kept for them.
at::Tensor linear(const at::Tensor &x, const Matrix &m);

}  // namespace acd
