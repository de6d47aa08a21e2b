// What the frozen towers' blocks are made of, with gradients for what flows
// through them and none for their weights.
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/autograd/custom_function.h>

#include "guard.h"

using acd::tensor;

namespace {

// x weight^T + bias by oneDNN, which is faster than at::linear's BLAS in float32,
// the more so with a transposed weight, as its gradient needs it.
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

// Nothing but the weight is kept for the gradient.
struct FrozenLinear : torch::autograd::Function<FrozenLinear> {
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &x, const at::Tensor &weight,
                            const at::Tensor &bias) {
    context->save_for_backward({weight});
    return multiply(x, weight, bias);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 torch::autograd::variable_list grads) {
    const at::Tensor weight = context->get_saved_variables()[0];
    return {multiply(grads[0], weight.t(), std::nullopt), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

acd_error acd_frozen_linear(acd_tensor t, acd_tensor weight, acd_tensor bias, acd_tensor *out) {
  ACD_GUARD(
      TORCH_CHECK(!tensor(weight).requires_grad() && !tensor(bias).requires_grad(), "the weight is not frozen");
      const at::Tensor x = tensor(t).to(tensor(weight).scalar_type());
      at::Tensor y;
      if (!fast(x)) {
        y = at::linear(x, tensor(weight), tensor(bias));
      } else if (at::GradMode::is_enabled() && x.requires_grad()) {
        y = FrozenLinear::apply(x, tensor(weight), tensor(bias));
      } else {
        y = multiply(x, tensor(weight), tensor(bias));
      }
      *out = new at::Tensor(y))
}

acd_error acd_self_attention(acd_tensor t, int64_t heads, int32_t causal, acd_tensor *out) {
  ACD_GUARD(
      const at::Tensor &qkv = tensor(t);
      TORCH_CHECK(qkv.dim() == 3 && heads > 0 && qkv.size(2) % (3 * heads) == 0, "q, k and v do not make ", heads, " heads");
      const int64_t batch = qkv.size(0), length = qkv.size(1), width = qkv.size(2) / 3;
      const auto parts = qkv.reshape({batch, length, 3, heads, width / heads}).permute({2, 0, 3, 1, 4}).unbind(0);
      *out = new at::Tensor(at::scaled_dot_product_attention(parts[0], parts[1], parts[2], {}, 0.0, causal != 0)
                                .transpose(1, 2)
                                .reshape({batch, length, width})))
}
