// Linear layers of frozen towers, in any number format.
#pragma once

#include "guard.h"

namespace acd {

// The weights of a linear layer. The type of the bias is the type of the products.
struct Matrix {
  at::Tensor weight, bias;
  at::Tensor scale;        // one per output; undefined: 1
  at::Tensor input_scale;  // of rounded inputs; undefined: each row's largest magnitude / 127
  bool round_inputs;       // to whole numbers from -127 to 127; needs a scale
};

// The order of a matrix's tensors in a list.
constexpr int matrix_parts = 4;
inline Matrix matrix(at::TensorList p, bool round_inputs) { return {p[0], p[1], p[2], p[3], round_inputs}; }

// The matrix of count outputs from start. It shares m's memory.
inline Matrix outputs(const Matrix &m, int64_t start, int64_t count) {
  const auto part = [&](const at::Tensor &t) { return t.defined() ? t.narrow(0, start, count) : t; };
  return {part(m.weight), part(m.bias), part(m.scale), m.input_scale, m.round_inputs};
}

// x (weight * scale)^T + bias in the products' type, with the device's fastest product.
// Gradients flow to x; only the matrix is kept for the backward pass.
at::Tensor linear(const at::Tensor &x, const Matrix &m);

}  // namespace acd
