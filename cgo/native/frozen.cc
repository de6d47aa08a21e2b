// The frozen towers' blocks, with gradients for what flows through them and none
// for their weights.
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <tuple>
#include <vector>

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

// x weight^T + bias in the weight's type, by the fastest product that the device has.
at::Tensor linear(const at::Tensor &input, const at::Tensor &weight, const at::Tensor &bias) {
  const at::Tensor x = input.to(weight.scalar_type());
  if (!fast(x)) return at::linear(x, weight, bias);
  if (at::GradMode::is_enabled() && x.requires_grad()) return FrozenLinear::apply(x, weight, bias);
  return multiply(x, weight, bias);
}

at::Tensor attend(const at::Tensor &qkv, int64_t heads, bool causal) {
  TORCH_CHECK(qkv.dim() == 3 && heads > 0 && qkv.size(2) % (3 * heads) == 0, "q, k and v do not make ", heads, " heads");
  const int64_t batch = qkv.size(0), length = qkv.size(1), width = qkv.size(2) / 3;
  const auto parts = qkv.reshape({batch, length, 3, heads, width / heads}).permute({2, 0, 3, 1, 4}).unbind(0);
  return at::scaled_dot_product_attention(parts[0], parts[1], parts[2], {}, 0.0, causal)
      .transpose(1, 2)
      .reshape({batch, length, width});
}

at::Tensor quick_gelu(const at::Tensor &x) { return x * at::sigmoid(x * 1.702); }

// What a block is beside its tensors.
struct Kind {
  int64_t heads;
  bool causal, quick;
  double epsilon;
};

// The order of a block's tensors, as FrozenBlock.tensors gives them.
enum Part { norm1, norm1_bias, qkv, qkv_bias, out, out_bias, norm2, norm2_bias, expand, expand_bias, reduce, reduce_bias, count };

// One pre-norm block (openai/CLIP, ResidualAttentionBlock). What attention made is
// freed before the MLP, whose hidden layer is the largest tensor of a tower, is entered.
at::Tensor block(const at::Tensor &x, at::TensorList p, const Kind &kind) {
  const auto normalise = [&](const at::Tensor &t, Part i) {
    return at::layer_norm(t, p[i].sizes(), p[i], p[i + 1], kind.epsilon);
  };
  const auto apply = [&](const at::Tensor &t, Part i) { return linear(t, p[i], p[i + 1]); };
  const at::Tensor y = x + apply(attend(apply(normalise(x, norm1), qkv), kind.heads, kind.causal), out);
  const at::Tensor hidden = apply(normalise(y, norm2), expand);
  return y + apply(kind.quick ? quick_gelu(hidden) : at::gelu(hidden, "none"), reduce);
}

// A block that keeps its input alone, and is computed again for the gradient.
struct Recomputed : torch::autograd::Function<Recomputed> {
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &x,
                            std::vector<at::Tensor> parts, Kind kind) {
    const at::Tensor y = block(x, parts, kind);
    context->saved_data["kind"] = std::make_tuple(kind.heads, kind.causal, kind.quick, kind.epsilon);
    parts.push_back(x);
    context->save_for_backward(std::move(parts));
    return y;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 torch::autograd::variable_list grads) {
    torch::autograd::variable_list parts = context->get_saved_variables();
    const at::Tensor x = parts.back().detach().requires_grad_(true);
    parts.pop_back();
    const auto &kind = context->saved_data["kind"].toTupleRef().elements();
    at::AutoGradMode record(true);
    const at::Tensor y = block(x, parts, {kind[0].toInt(), kind[1].toBool(), kind[2].toBool(), kind[3].toDouble()});
    return {torch::autograd::grad({y}, {x}, grads)[0], at::Tensor(), at::Tensor()};
  }
};

void must_be_frozen(const at::Tensor &t) { TORCH_CHECK(!t.requires_grad(), "the weight is not frozen"); }

}  // namespace

acd_error acd_frozen_block(acd_tensor t, acd_tensor *parts, int64_t heads, int32_t causal, int32_t quick, double epsilon,
                           int32_t recompute, acd_tensor *out) {
  ACD_GUARD(
      const at::Tensor &x = tensor(t);
      std::vector<at::Tensor> list;
      for (int i = 0; i < count; i++) {
        list.push_back(tensor(parts[i]));
        must_be_frozen(list.back());
      }
      const Kind kind{heads, causal != 0, quick != 0, epsilon};
      const bool recorded = at::GradMode::is_enabled() && x.requires_grad();
      *out = new at::Tensor(recorded && recompute ? Recomputed::apply(x, list, kind) : block(x, list, kind)))
}
