// The blocks of the frozen towers, with gradients for their inputs and none for their
// weights.
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <tuple>
#include <vector>

#include "matrix.h"

using acd::tensor;

namespace {

at::Tensor quick_gelu(const at::Tensor &x) { return x * at::sigmoid(x * 1.702); }

// The options of a block, and which of its intermediate results are wanted.
struct Kind {
  int64_t heads;
  bool causal, quick;
  double epsilon;
  int64_t rounded;  // one bit for each matrix: whether it rounds its inputs
  int64_t wanted;
};

// The index of the first tensor of each norm (weight, bias) or matrix (its parts), in the
// order of FrozenBlock.pointers.
enum Place { norm1 = 0, norm2 = 2, qkv = 4, out = 8, expand = 12, reduce = 16, count = 20 };

// The results of a block: its output, then its parts in the order of torch.Part's bits.
enum Result { output, normed, attention, attended, value_attention, results };

bool wanted(const Kind &kind, Result result) { return (kind.wanted >> (result - 1) & 1) != 0; }

// q, k and v, each [B, heads, L, C/heads], from [B, L, 3C].
std::vector<at::Tensor> heads_of(const at::Tensor &qkv, int64_t heads) {
  TORCH_CHECK(qkv.dim() == 3 && heads > 0 && qkv.size(2) % (3 * heads) == 0, "q, k and v do not make ", heads, " heads");
  const int64_t batch = qkv.size(0), length = qkv.size(1), width = qkv.size(2) / 3;
  return qkv.reshape({batch, length, 3, heads, width / heads}).permute({2, 0, 3, 1, 4}).unbind(0);
}

// softmax(q k^T / sqrt(C/heads)) v, [B, L, C].
at::Tensor attend(const at::Tensor &q, const at::Tensor &k, const at::Tensor &v, bool causal) {
  return at::scaled_dot_product_attention(q, k, v, {}, 0.0, causal)
      .transpose(1, 2)
      .reshape({v.size(0), v.size(2), v.size(1) * v.size(3)});
}

// One pre-norm block (openai/CLIP, ResidualAttentionBlock). Results that are not wanted
// stay undefined. Attention's tensors are freed before the MLP, whose hidden layer is the
// largest tensor of a tower.
std::vector<at::Tensor> block(const at::Tensor &x, at::TensorList p, const Kind &kind) {
  const auto normalise = [&](const at::Tensor &t, Place i) {
    return at::layer_norm(t, p[i].sizes(), p[i], p[i + 1], kind.epsilon);
  };
  const auto apply = [&](const at::Tensor &t, Place i) {
    const bool round = (kind.rounded >> (i - qkv) / acd::matrix_parts & 1) != 0;
    return acd::linear(t, acd::matrix(p.slice(i, acd::matrix_parts), round));
  };
  std::vector<at::Tensor> all(results);
  const auto attention_residual = [&] {
    const at::Tensor h = normalise(x, norm1);
    const auto parts = heads_of(apply(h, qkv), kind.heads);
    const at::Tensor added = apply(attend(parts[0], parts[1], parts[2], kind.causal), out);
    const at::Tensor y = x + added;
    if (wanted(kind, normed)) all[normed] = h;
    if (wanted(kind, attention)) all[attention] = added.to(x.scalar_type());
    if (wanted(kind, attended)) all[attended] = y;
    if (wanted(kind, value_attention)) {
      const at::Tensor &v = parts[2];
      all[value_attention] = apply(attend(v, v, v, kind.causal), out).to(x.scalar_type());
    }
    return y;
  };
  const at::Tensor y = attention_residual();
  const at::Tensor hidden = apply(normalise(y, norm2), expand);
  all[output] = y + apply(kind.quick ? quick_gelu(hidden) : at::gelu(hidden, "none"), reduce);
  return all;
}

std::vector<at::Tensor> defined(const std::vector<at::Tensor> &all) {
  std::vector<at::Tensor> list;
  for (const at::Tensor &t : all)
    if (t.defined()) list.push_back(t);
  return list;
}

// A block that keeps only its input and is computed again in the backward pass. It
// returns the defined results.
struct Recomputed : torch::autograd::Function<Recomputed> {
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext *context, const at::Tensor &x,
                                                std::vector<at::Tensor> parts, Kind kind) {
    auto list = defined(block(x, parts, kind));
    context->saved_data["kind"] = std::make_tuple(kind.heads, kind.causal, kind.quick, kind.epsilon);
    context->saved_data["bits"] = std::make_tuple(kind.rounded, kind.wanted);
    context->set_materialize_grads(false);  // an unused result has no gradient
    parts.push_back(x);
    context->save_for_backward(std::move(parts));
    return list;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 torch::autograd::variable_list grads) {
    torch::autograd::variable_list parts = context->get_saved_variables();
    const at::Tensor x = parts.back().detach().requires_grad_(true);
    parts.pop_back();
    const auto &kind = context->saved_data["kind"].toTupleRef().elements();
    const auto &bits = context->saved_data["bits"].toTupleRef().elements();
    at::AutoGradMode record(true);
    const auto list = defined(block(x, parts,
                                    {kind[0].toInt(), kind[1].toBool(), kind[2].toBool(), kind[3].toDouble(),
                                     bits[0].toInt(), bits[1].toInt()}));
    torch::autograd::variable_list used, theirs;
    for (size_t i = 0; i < list.size(); i++) {
      if (!grads[i].defined()) continue;
      used.push_back(list[i]);
      theirs.push_back(grads[i]);
    }
    return {torch::autograd::grad(used, {x}, theirs)[0], at::Tensor(), at::Tensor()};
  }
};

std::vector<at::Tensor> recomputed(const at::Tensor &x, const std::vector<at::Tensor> &parts, const Kind &kind) {
  const auto list = Recomputed::apply(x, parts, kind);
  std::vector<at::Tensor> all(results);
  size_t next = 0;
  for (int i = output; i < results; i++)
    if (i == output || wanted(kind, static_cast<Result>(i))) all[i] = list[next++];
  return all;
}

}  // namespace

acd_error acd_frozen_block(acd_tensor t, acd_tensor *parts, int64_t heads, int32_t causal, int32_t quick, double epsilon,
                           int32_t recompute, int32_t rounded, int32_t wanted, acd_tensor *out) {
  ACD_GUARD(
      const at::Tensor &x = tensor(t);
      const std::vector<at::Tensor> list = acd::frozen(parts, count);
      const Kind kind{heads, causal != 0, quick != 0, epsilon, rounded, wanted};
      const bool recorded = at::GradMode::is_enabled() && x.requires_grad();
      const auto all = recorded && recompute ? recomputed(x, list, kind) : block(x, list, kind);
      for (int i = output; i < results; i++) out[i] = all[i].defined() ? new at::Tensor(all[i]) : nullptr)
}
