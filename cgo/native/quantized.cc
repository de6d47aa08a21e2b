#include "quantized.h"

#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <atomic>
#include <vector>

#include "kernels.h"
#include "onednn.h"

using acd::Inputs;
using acd::Matrix;

namespace {

constexpr int64_t rows_at_once = 8;

int64_t count(const at::Tensor &x) { return x.numel() / x.size(-1); }

Inputs empty_rows(const at::Tensor &like) {
  return {at::empty(like.sizes(), at::kByte), at::empty({count(like)}, at::kFloat)};
}

// The sums of a product, before its rows' steps and the bias: they refer to all three tensors.
acd::Sums sums(const at::Tensor &values, const Inputs &x, const Matrix &m) {
  return {values.const_data_ptr<float>(), x.steps.const_data_ptr<float>(), m.bias.const_data_ptr<float>(), values.size(-1)};
}

void check(const at::Tensor &x) {
  TORCH_CHECK(!(at::GradMode::is_enabled() && x.requires_grad()), "a packed matrix has no gradient");
  TORCH_CHECK(x.is_cpu() && x.size(-1) > 0, "a packed matrix takes rows on the CPU");
}

template <class T>
using Quantise = void (*)(const T *rows, int64_t count, int64_t size, uint8_t *values, float *steps);

template <class T>
Inputs quantised(const at::Tensor &x, Quantise<T> quantise) {
  const Inputs out = empty_rows(x);
  const int64_t size = x.size(-1);
  const T *const from = static_cast<const T *>(x.const_data_ptr());
  uint8_t *const values = out.values.data_ptr<uint8_t>();
  float *const steps = out.steps.data_ptr<float>();
  at::parallel_for(0, count(x), rows_at_once, [&](int64_t begin, int64_t end) {
    quantise(from + begin * size, end - begin, size, values + begin * size, steps + begin);
  });
  return out;
}

// Whether a product's sums of these weights cannot become too large.
bool suit(const at::Tensor &whole_numbers) {
  const at::Tensor rows = whole_numbers.contiguous();
  const int8_t *const from = rows.const_data_ptr<int8_t>();
  const int64_t size = rows.size(1);
  std::atomic<bool> all = true;
  at::parallel_for(0, rows.size(0), rows_at_once, [&](int64_t begin, int64_t end) {
    if (!acd::kernels()->suit(from + begin * size, end - begin, size)) all = false;
  });
  return all;
}

template <class T>
void scale(const acd::Sums &all, int64_t rows, const float *residual, const at::Tensor &out) {
  const acd::ScaleKernel<T> &kernel = *acd::kernels();
  T *const to = static_cast<T *>(out.data_ptr());
  at::parallel_for(0, rows, rows_at_once, [&](int64_t begin, int64_t end) { kernel.rows(all, begin, end, residual, to); });
}

}  // namespace

Inputs acd::quantized::whole_numbers(const at::Tensor &matrix) {
  if (kernels() && matrix.is_cpu() && matrix.scalar_type() == at::kFloat) {
    check(matrix);
    const Inputs whole = quantised<float>(matrix.contiguous(), kernels()->quantise_weights);
    return {whole.values.bitwise_xor_(128).view(at::kChar), whole.steps};
  }
  const at::Tensor step = matrix.abs().amax(1, true).clamp_min_(1e-12) / 127;
  return {(matrix / step).round_().clamp_(-127, 127).to(at::kChar), step.flatten()};
}

bool acd::quantized::suits(const Matrix &m) {
  return kernels() && m.round_inputs && !m.input_scale.defined() && m.weight.scalar_type() == at::kChar &&
         m.bias.scalar_type() == at::kFloat && suit(m.weight);
}

bool acd::quantized::takes(const Matrix &m) { return m.packed() && m.scale.defined(); }

Inputs acd::quantized::rows(const at::Tensor &x) {
  check(x);
  const Kernels &all = *kernels();
  if (x.scalar_type() == at::kBFloat16 && all.has_bf16) return quantised<bf16>(x.contiguous(), all.QuantiseKernel<bf16>::rows);
  return quantised<float>(x.to(at::kFloat).contiguous(), all.QuantiseKernel<float>::rows);
}

Inputs acd::quantized::normalised(const at::Tensor &input, const at::Tensor &weight, const at::Tensor &bias, double epsilon) {
  check(input);
  const at::Tensor x = input.contiguous();
  const Inputs out = empty_rows(x);
  const int64_t size = x.size(-1);
  TORCH_CHECK(weight.numel() == size && bias.numel() == size, "the norm is not of rows of ", size, " values");
  const float *from = x.const_data_ptr<float>(), *w = weight.const_data_ptr<float>(), *b = bias.const_data_ptr<float>();
  uint8_t *values = out.values.data_ptr<uint8_t>();
  float *steps = out.steps.data_ptr<float>();
  at::parallel_for(0, count(x), rows_at_once, [&](int64_t begin, int64_t end) {
    std::vector<float> scratch(size);
    kernels()->normalise_rows(from + begin * size, end - begin, size, w, b, static_cast<float>(epsilon), scratch.data(),
                              values + begin * size, steps + begin);
  });
  return out;
}

at::Tensor acd::quantized::product(const Inputs &x, const Matrix &m, const at::Tensor &residual, at::ScalarType type) {
  const at::Tensor values = onednn::sums(x.values, m.weight, m.scale);
  const Sums all = sums(values, x, m);
  const at::Tensor also = residual.defined() ? residual.contiguous() : residual;
  TORCH_CHECK(!also.defined() || also.sizes() == values.sizes(), "the residual has another shape than the product");
  const float *plus = also.defined() ? also.const_data_ptr<float>() : nullptr;
  const at::Tensor out = at::empty(values.sizes(), type);
  if (type == at::kBFloat16) scale<bf16>(all, count(values), plus, out);
  else scale<float>(all, count(values), plus, out);
  return out;
}

Inputs acd::quantized::activated(const Inputs &x, const Matrix &m, bool quick) {
  const at::Tensor values = onednn::sums(x.values, m.weight, m.scale);
  const Sums all = sums(values, x, m);
  const Inputs out = empty_rows(values);
  uint8_t *to = out.values.data_ptr<uint8_t>();
  float *steps = out.steps.data_ptr<float>();
  at::parallel_for(0, count(values), rows_at_once, [&](int64_t begin, int64_t end) {
    std::vector<float> scratch(all.size);
    kernels()->activate_rows(all, begin, end, quick, scratch.data(), to, steps);
  });
  return out;
}
