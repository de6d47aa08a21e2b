// The blocks of the frozen towers, with gradients for their inputs and none for their
// weights.
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <tuple>
#include <vector>

#include "attention.h"
#include "matrix.h"

using acd::tensor;

namespace {

// The options of a block, and which of its results are wanted.
struct Kind {
  int64_t heads;
  bool causal, quick;
  double epsilon;
  int64_t rounded;  // one bit for each matrix: whether it rounds its inputs
  int64_t wanted;
  int64_t rows;  // of the output, from the first
};

// The index of the first tensor of each norm (weight, bias) or matrix (its parts), in the
// order of FrozenBlock.pointers.
enum Place { norm1 = 0, norm2 = 2, qkv = 4, out = 8, expand = 12, reduce = 16, count = 20 };

// The results of a block: its output, then its parts in the order of torch.Part's bits.
enum Result { output, normed, attention, attended, value_attention, results };

bool wanted(const Kind &kind, Result result) { return (kind.wanted >> (result - 1) & 1) != 0; }

// The parts of t [B, L, parts*C], which are q, k and v or some of them, each
// [B, heads, L, C/heads].
std::vector<at::Tensor> heads_of(const at::Tensor &t, int64_t parts, int64_t heads) {
  TORCH_CHECK(t.dim() == 3 && heads > 0 && t.size(2) % (parts * heads) == 0, "q, k and v do not make ", heads, " heads");
  return t.reshape({t.size(0), t.size(1), parts, heads, t.size(2) / (parts * heads)}).permute({2, 0, 3, 1, 4}).unbind(0);
}

// q of the first rows of h, and k and v of all: one product if those are the same rows.
std::vector<at::Tensor> queries_keys_values(const acd::Inputs &h, const acd::Matrix &three, const Kind &kind) {
  const int64_t outputs = three.bias.size(0), width = outputs / 3, length = h.values.size(1);
  if (kind.rows == length || h.steps.defined() || !acd::parts_of(three, width)) {
    auto list = heads_of(acd::attention_product(h, three), 3, kind.heads);
    list[0] = list[0].narrow(2, 0, kind.rows);
    return list;
  }
  // A product in half precision may round otherwise if its inputs are not contiguous.
  const acd::Inputs rows{h.values.narrow(1, 0, kind.rows).contiguous(), {}};
  auto list = heads_of(acd::product(rows, acd::outputs(three, 0, width)), 1, kind.heads);
  for (const at::Tensor &t : heads_of(acd::product(h, acd::outputs(three, width, 2 * width)), 2, kind.heads))
    list.push_back(t);
  return list;
}

// One pre-norm block (openai/CLIP, ResidualAttentionBlock). Results that are not wanted
// stay undefined. Attention's tensors are freed before the MLP, whose hidden layer is the
// largest tensor of a tower.
//
// If only the first rows of the output are wanted, the later ones are not computed. The
// first need k and v of all rows, or in a causal block of the same rows.
std::vector<at::Tensor> block(const at::Tensor &input, at::TensorList p, const Kind &kind) {
  const bool every = kind.rows == input.size(1);
  const at::Tensor first = every ? input : input.narrow(1, 0, kind.rows);
  const at::Tensor &x = kind.causal ? first : input;
  const auto matrix = [&](Place i) {
    const bool round = (kind.rounded >> (i - qkv) / acd::matrix_parts & 1) != 0;
    return acd::matrix(p.slice(i, acd::matrix_parts), round);
  };
  const acd::Matrix projection = matrix(out);
  const auto normalised = [&](const at::Tensor &t, Place i, const acd::Matrix &next) {
    return acd::normalised(t, p[i], p[i + 1], kind.epsilon, next);
  };
  std::vector<at::Tensor> all(results);
  const auto attention_residual = [&] {
    const acd::Matrix three = matrix(qkv);
    if (wanted(kind, normed)) all[normed] = at::layer_norm(x, p[norm1].sizes(), p[norm1], p[norm1 + 1], kind.epsilon);
    const acd::Inputs h = all[normed].defined() ? acd::inputs(all[normed], three) : normalised(x, norm1, three);
    const auto parts = queries_keys_values(h, three, kind);
    const auto attend = [&](const at::Tensor &q, const at::Tensor &k, const at::Tensor &v) {
      return acd::inputs(acd::attend(q, k, v, kind.causal, h.steps.defined()), projection);
    };
    const acd::Inputs weighted = attend(parts[0], parts[1], parts[2]);
    if (wanted(kind, value_attention))
      all[value_attention] = acd::product(attend(parts[2], parts[2], parts[2]), projection).to(x.scalar_type());
    if (!wanted(kind, attention)) return acd::added(first, weighted, projection);
    const at::Tensor added = acd::product(weighted, projection);
    all[attention] = added.to(x.scalar_type());
    return first + added;
  };
  const at::Tensor y = attention_residual();
  if (wanted(kind, attended)) all[attended] = y;
  const acd::Matrix wide = matrix(expand), narrow = matrix(reduce);
  all[output] = acd::added(y, acd::activated(normalised(y, norm2, wide), wide, kind.quick, narrow), narrow);
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
    context->saved_data["bits"] = std::make_tuple(kind.rounded, kind.wanted, kind.rows);
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
                                     bits[0].toInt(), bits[1].toInt(), bits[2].toInt()}));
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
                           int32_t recompute, int32_t rounded, int32_t wanted, int64_t rows, acd_tensor *out) {
  ACD_GUARD(
      const at::Tensor &x = tensor(t);
      const std::vector<at::Tensor> list = acd::frozen(parts, count);
      const int64_t length = x.size(1);
      TORCH_CHECK(0 < rows && rows <= length, "there are no first ", rows, " of ", length, " rows");
      TORCH_CHECK(rows == length || wanted == 0, "intermediate results are of all rows");
      const Kind kind{heads, causal != 0, quick != 0, epsilon, rounded, wanted, rows};
      const bool recorded = at::GradMode::is_enabled() && x.requires_grad();
      const auto all = recorded && recompute ? recomputed(x, list, kind) : block(x, list, kind);
      for (int i = output; i < results; i++) out[i] = all[i].defined() ? new at::Tensor(all[i]) : nullptr)
}
