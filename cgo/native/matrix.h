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

  // Whether the weight is in an order of its own, which only products without gradients take:
  // that of panels.h, or oneDNN's.
  bool in_panels() const { return weight.dim() == 3; }
  bool packed() const { return in_panels() || weight.is_mkldnn(); }
};

// The order of a matrix's tensors in a list.
constexpr int matrix_parts = 4;
inline Matrix matrix(at::TensorList p, bool round_inputs) { return {p[0], p[1], p[2], p[3], round_inputs}; }

// Whether outputs takes multiples of so many outputs.
bool parts_of(const Matrix &m, int64_t count);

// The matrix of count outputs from start. It shares m's memory.
Matrix outputs(const Matrix &m, int64_t start, int64_t count);

// The weight in the order in which products are fastest; undefined if there is none.
at::Tensor pack(const Matrix &m);

// The inputs of a matrix [..., in]. A packed matrix of whole numbers takes them as whole
// numbers plus 128, with a step for each row [rows]; the others as they are.
struct Inputs {
  at::Tensor values, steps;
};

// Whether products of x are computed in float32 and rounded: the processor has no instructions
// for bfloat16, without which libtorch's products take several times as long.
bool widened(const at::Tensor &x);

// x [..., in] as the inputs of m.
Inputs inputs(const at::Tensor &x, const Matrix &m);

// A LayerNorm of x as the inputs of m.
Inputs normalised(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias, double epsilon, const Matrix &m);

// x (weight * scale)^T + bias, with the device's fastest product. Gradients flow to x; only the
// matrix is kept for the backward pass.
at::Tensor product(const Inputs &x, const Matrix &m);

// The product in a type that attention is fast in.
at::Tensor attention_product(const Inputs &x, const Matrix &m);

// residual + product
at::Tensor added(const at::Tensor &residual, const Inputs &x, const Matrix &m);

// GELU, or x sigmoid(1.702 x) if quick, of the product with m as the inputs of next.
Inputs activated(const Inputs &x, const Matrix &m, bool quick, const Matrix &next);

}  // namespace acd
