// Products with frozen matrices, with gradients for the inputs and none for the matrices.
#include "matrix.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

using acd::Matrix;
using acd::tensor;

namespace {

// x weight^T + bias with oneDNN, which is faster than at::linear's BLAS in float32,
// especially with a transposed weight, which the gradient needs.
at::Tensor multiply(const at::Tensor &x, const at::Tensor &weight, const std::optional<at::Tensor> &bias) {
  static const auto operation =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("mkldnn::_linear_pointwise", "")
          .typed<at::Tensor(const at::Tensor &, const at::Tensor &, const std::optional<at::Tensor> &, c10::string_view,
                            torch::List<std::optional<at::Scalar>>, std::optional<c10::string_view>)>();
  return operation.call(x, weight, bias, "none", torch::List<std::optional<at::Scalar>>(), "");
}

bool fast(const at::Tensor &x) {
  return x.is_cpu() && x.scalar_type() == at::kFloat && at::globalContext().userEnabledMkldnn() && at::hasMKLDNN();
}

at::Tensor product(const at::Tensor &x, const at::Tensor &weight, const std::optional<at::Tensor> &bias) {
  return fast(x) ? multiply(x, weight, bias) : at::linear(x, weight, bias);
}

// x has the products' type. A weight with a scale consists of whole numbers and is
// converted to the products' type only for this call.
at::Tensor multiplied(const at::Tensor &x, const Matrix &m) {
  if (!m.scale.defined()) return product(x, m.weight, m.bias);
  const at::Tensor weight = m.weight.to(x.scalar_type());
  if (!m.round_inputs) return product(x, weight, std::nullopt) * m.scale + m.bias;
  const at::Tensor step = m.input_scale.defined() ? m.input_scale : x.abs().amax(-1, true).clamp_min_(1e-12) / 127;
  return product((x / step).round_().clamp_(-127, 127), weight, std::nullopt) * step * m.scale + m.bias;
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
    return {product(grad, saved[0].to(grad.scalar_type()).t(), std::nullopt), at::Tensor()};
  }
};

}  // namespace

at::Tensor acd::linear(const at::Tensor &input, const Matrix &m) {
  const at::Tensor x = input.to(m.bias.scalar_type());
  const bool recorded = at::GradMode::is_enabled() && x.requires_grad();
  return recorded && (fast(x) || m.scale.defined()) ? FrozenLinear::apply(x, m) : multiplied(x, m);
}

acd_error acd_linear(acd_tensor t, acd_tensor *parts, int32_t round_inputs, acd_tensor *out) {
  ACD_RETURN(out, acd::linear(tensor(t), acd::matrix(acd::frozen(parts, acd::matrix_parts), round_inputs != 0)))
}
