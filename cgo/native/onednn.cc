#include "onednn.h"

#include <ATen/core/dispatch/Dispatcher.h>

#include "kernels.h"

namespace {

template <class Signature>
c10::TypedOperatorHandle<Signature> find(const char *name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<Signature>();
}

using Scalars = torch::List<std::optional<at::Scalar>>;

}  // namespace

bool acd::onednn::suits(at::ScalarType type) {
  return type == at::kFloat || (type == at::kBFloat16 && kernels() && kernels()->has_bf16);
}

at::Tensor acd::onednn::pack(const at::Tensor &weight) {
  static const auto operation = find<at::Tensor(const at::Tensor &, std::optional<c10::SymInt>)>("mkldnn::_reorder_linear_weight");
  const std::optional<c10::SymInt> any_batch;
  return operation.call(weight, any_batch);
}

at::Tensor acd::onednn::pack_whole_numbers(const at::Tensor &weight) {
  static const auto operation = find<at::Tensor(at::Tensor, std::optional<torch::List<int64_t>>)>("onednn::qlinear_prepack");
  const std::optional<torch::List<int64_t>> any_shape;
  return operation.call(weight, any_shape);
}

at::Tensor acd::onednn::linear(const at::Tensor &x, const at::Tensor &weight, const std::optional<at::Tensor> &bias,
                               c10::string_view activation) {
  static const auto operation =
      find<at::Tensor(const at::Tensor &, const at::Tensor &, const std::optional<at::Tensor> &, c10::string_view, Scalars,
                      std::optional<c10::string_view>)>("mkldnn::_linear_pointwise");
  return operation.call(x, weight, bias, activation, Scalars(), activation == "gelu" ? "none" : "");
}

at::Tensor acd::onednn::sums(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &scale) {
  static const auto operation =
      find<at::Tensor(at::Tensor, double, int64_t, at::Tensor, at::Tensor, at::Tensor, std::optional<at::Tensor>, double,
                      int64_t, std::optional<at::ScalarType>, c10::string_view, Scalars, c10::string_view)>(
          "onednn::qlinear_pointwise");
  const std::optional<at::Tensor> no_bias;
  return operation.call(x, 1.0, 128, weight, scale, at::zeros({scale.numel()}, at::kLong), no_bias, 1.0, 0, at::kFloat, "none",
                        Scalars(), "");
}
