// Products with frozen matrices, with gradients for the inputs and none for the matrices.
#include "matrix.h"

#include <c10/core/InferenceMode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

#include "onednn.h"
#include "panels.h"
#include "quantized.h"

using acd::Activation;
using acd::Inputs;
using acd::Matrix;
using acd::tensor;

namespace {

bool recorded(const at::Tensor &x) { return at::GradMode::is_enabled() && x.requires_grad(); }

// oneDNN is faster than at::linear's BLAS in float32, especially with a transposed weight,
// which the gradient needs.
bool fast(const at::Tensor &x) {
  return x.is_cpu() && x.scalar_type() == at::kFloat && at::globalContext().userEnabledMkldnn() && at::hasMKLDNN();
}

at::Tensor multiply(const at::Tensor &x, const at::Tensor &weight, const std::optional<at::Tensor> &bias) {
  if (acd::widened(x)) {
    const auto wide_bias = bias ? std::optional(bias->to(at::kFloat)) : std::nullopt;
    return multiply(x.to(at::kFloat), weight.to(at::kFloat), wide_bias).to(x.scalar_type());
  }
  return fast(x) || weight.is_mkldnn() ? acd::onednn::linear(x, weight, bias, "none") : at::linear(x, weight, bias);
}

// x has the products' type. A weight of another type, such as whole numbers with a scale, is
// converted to it only for this call.
at::Tensor multiplied(const at::Tensor &x, const Matrix &m) {
  const at::Tensor weight = m.packed() ? m.weight : m.weight.to(x.scalar_type());
  if (!m.scale.defined()) return multiply(x, weight, m.bias);
  if (!m.round_inputs) return multiply(x, weight, std::nullopt) * m.scale + m.bias;
  const at::Tensor step = m.input_scale.defined() ? m.input_scale : x.abs().amax(-1, true).clamp_min_(1e-12) / 127;
  return multiply((x / step).round_().clamp_(-127, 127), weight, std::nullopt) * step * m.scale + m.bias;
}

// The gradient ignores the rounding of inputs.
struct FrozenLinear : torch::autograd::Function<FrozenLinear> {
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &x, const Matrix &m) {
    context->save_for_backward({m.weight, m.scale});
    return multiplied(x, m);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 torch::autograd::variable_list grads) {
    const auto saved = context->get_saved_variables();
    const at::Tensor grad = saved[1].defined() ? grads[0] * saved[1] : grads[0];
    return {multiply(grad, saved[0].to(grad.scalar_type()).t(), std::nullopt), at::Tensor()};
  }
};

// The type of the products of x, which of whole numbers is chosen.
at::ScalarType type_of(const Inputs &x, at::ScalarType chosen) { return x.steps.defined() ? chosen : x.values.scalar_type(); }

at::Tensor activation(const at::Tensor &x, bool quick) { return quick ? x * at::sigmoid(x * 1.702) : at::gelu(x, "none"); }

}  // namespace

bool acd::widened(const at::Tensor &x) {
  return x.is_cpu() && x.scalar_type() == at::kBFloat16 && kernels() && !kernels()->has_bf16;
}

at::Tensor acd::pack(const Matrix &m) {
  if (m.packed() || !m.weight.is_cpu() || !at::globalContext().userEnabledMkldnn() || !at::hasMKLDNN()) return {};
  if (panels::suits(m)) return panels::pack(m.weight);
  if (m.scale.defined()) return kernels() && kernels()->has_vnni && quantized::suits(m) ? onednn::pack_whole_numbers(m.weight) : at::Tensor();
  return onednn::suits(m.weight.scalar_type()) ? onednn::pack(m.weight) : at::Tensor();
}

bool acd::parts_of(const Matrix &m, int64_t count) { return !m.packed() || (m.in_panels() && count % panels::outputs() == 0); }

Matrix acd::outputs(const Matrix &m, int64_t start, int64_t count) {
  const auto part = [&](const at::Tensor &t) { return t.defined() ? t.narrow(0, start, count) : t; };
  const int64_t each = m.in_panels() ? panels::outputs() : 1;
  return {m.weight.narrow(0, start / each, count / each), part(m.bias), part(m.scale), m.input_scale, m.round_inputs};
}

Inputs acd::inputs(const at::Tensor &x, const Matrix &m) {
  if (quantized::takes(m)) return quantized::rows(x);
  return {x.to(m.bias.scalar_type()), {}};
}

Inputs acd::normalised(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias, double epsilon, const Matrix &m) {
  if (quantized::takes(m)) return quantized::normalised(x, weight, bias, epsilon);
  return inputs(at::layer_norm(x, weight.sizes(), weight, bias, epsilon), m);
}

at::Tensor acd::product(const Inputs &x, const Matrix &m) {
  if (m.in_panels()) return panels::product(x, m, Activation::none, {}, type_of(x, at::kFloat));
  if (x.steps.defined()) return quantized::product(x, m, {}, at::kFloat);
  if (!recorded(x.values)) return multiplied(x.values, m);
  TORCH_CHECK(!m.packed(), "a packed matrix has no gradient");
  return fast(x.values) || widened(x.values) || m.scale.defined() ? FrozenLinear::apply(x.values, m) : multiplied(x.values, m);
}

at::Tensor acd::attention_product(const Inputs &x, const Matrix &m) {
  const auto type = x.steps.defined() && kernels()->has_bf16 ? at::kBFloat16 : at::kFloat;
  if (m.in_panels()) return panels::product(x, m, Activation::none, {}, type_of(x, type));
  return x.steps.defined() ? quantized::product(x, m, {}, type) : product(x, m);
}

at::Tensor acd::added(const at::Tensor &residual, const Inputs &x, const Matrix &m) {
  const bool whole_numbers = x.steps.defined();
  if (m.in_panels() && (whole_numbers || residual.scalar_type() == at::kFloat))
    return panels::product(x, m, Activation::none, residual, at::kFloat);
  if (whole_numbers) return quantized::product(x, m, residual, at::kFloat);
  return residual + product(x, m);
}

Inputs acd::activated(const Inputs &x, const Matrix &m, bool quick, const Matrix &next) {
  const bool whole_numbers = x.steps.defined() && quantized::takes(next);
  if (m.in_panels()) {
    const Activation kind = quick ? Activation::quick_gelu : Activation::gelu;
    if (whole_numbers) return panels::activated(x, m, kind);
    return inputs(panels::product(x, m, kind, {}, type_of(x, at::kFloat)), next);
  }
  if (whole_numbers) return quantized::activated(x, m, quick);
  // Not in training, where a forward pass may be computed again to record it.
  const bool fused = m.packed() && !quick && !m.scale.defined() && fast(x.values) && c10::InferenceMode::is_enabled();
  if (fused) return inputs(onednn::linear(x.values, m.weight, m.bias, "gelu"), next);
  return inputs(activation(product(x, m), quick), next);
}

// oneDNN's product records no gradients.
acd_error acd_dense(acd_tensor t, acd_tensor weight, acd_tensor bias, acd_tensor *out) {
  ACD_RETURN(out, c10::InferenceMode::is_enabled() ? multiply(tensor(t), tensor(weight), tensor(bias))
                                                   : at::linear(tensor(t), tensor(weight), tensor(bias)))
}

acd_error acd_linear(acd_tensor t, acd_tensor *parts, int32_t round_inputs, acd_tensor *out) {
  ACD_GUARD(
      const Matrix m = acd::matrix(acd::frozen(parts, acd::matrix_parts), round_inputs != 0);
      *out = new at::Tensor(acd::product(acd::inputs(tensor(t), m), m)))
}

acd_error acd_quantise(acd_tensor weight, acd_tensor *out) {
  ACD_GUARD(
      const acd::Inputs rows = acd::quantized::whole_numbers(tensor(weight));
      out[0] = new at::Tensor(rows.values);
      out[1] = new at::Tensor(rows.steps))
}

acd_error acd_pack(acd_tensor *parts, int32_t round_inputs, acd_tensor *out) {
  ACD_GUARD(
      const at::Tensor weight = acd::pack(acd::matrix(acd::frozen(parts, acd::matrix_parts), round_inputs != 0));
      *out = weight.defined() ? new at::Tensor(weight) : nullptr)
}
