#include "attention.h"

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>

#include "kernels.h"
#include "matrix.h"
#include "tasks.h"

namespace {

using acd::AttentionKernel;
using acd::bf16;
using acd::Head;

// Whether there is a kernel for a tensor [B, heads, L, size] on this processor. It is not used in
// training, where a forward pass may be computed again to record it.
bool suits(const at::Tensor &t) {
  const acd::Kernels *const kernels = acd::kernels();
  const auto type = t.scalar_type();
  return kernels && c10::InferenceMode::is_enabled() && t.is_cpu() && (type == at::kFloat || (type == at::kBFloat16 && kernels->has_bf16)) &&
         t.dim() == 4 && t.numel() > 0 && t.stride(3) == 1 && t.size(3) % acd::head_step == 0 &&
         t.size(3) <= acd::largest_head;
}

// The rows of head i of all pictures' heads.
template <class T>
const T *rows(const at::Tensor &t, int64_t i) {
  return static_cast<const T *>(t.const_data_ptr()) + i / t.size(1) * t.stride(0) + i % t.size(1) * t.stride(1);
}

template <class T, class Score>
at::Tensor attend(const AttentionKernel<T, Score> &kernel, const at::Tensor &q, const at::Tensor &k, const at::Tensor &v) {
  const int64_t heads = q.size(1), all = q.size(0) * heads, count = q.size(2), size = q.size(3);
  const Head head{k.size(2), size};
  const int64_t step = kernel.packed(head), blocks = (count + kernel.queries - 1) / kernel.queries;
  const at::Tensor memory = at::empty({all * step}, at::kByte);
  char *const packed = static_cast<char *>(memory.data_ptr());
  at::parallel_for(0, all, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) kernel.pack(head, rows<T>(k, i), k.stride(2), rows<T>(v, i), v.stride(2), packed + i * step);
  });
  const at::Tensor out = at::empty({q.size(0), count, heads * size}, q.options());
  T *const to = static_cast<T *>(out.data_ptr());
  const float scale = 1 / std::sqrt(static_cast<float>(size));
  acd::in_turn(all * blocks, 1, 8, [&] {
    return [&, scratch = at::empty({kernel.scratch(head)}, at::kByte)](int64_t begin, int64_t end) {
      for (int64_t task = begin; task < end; task++) {
        const int64_t i = task / blocks, first = task % blocks * kernel.queries;
        kernel.attend(head, rows<T>(q, i) + first * q.stride(2), q.stride(2), std::min(kernel.queries, count - first), packed + i * step,
                      scale, scratch.data_ptr(), to + (i / heads * count + first) * heads * size + i % heads * size, heads * size);
      }
    };
  });
  return out;
}

}  // namespace

at::Tensor acd::attend(const at::Tensor &q, const at::Tensor &k, const at::Tensor &v, bool causal, bool whole_numbers) {
  if (!causal && suits(q) && suits(k) && suits(v)) {
    if (q.scalar_type() == at::kBFloat16) return ::attend<bf16, bf16>(*kernels(), q, k, v);
    return whole_numbers ? ::attend<float, uint8_t>(*kernels(), q, k, v) : ::attend<float, float>(*kernels(), q, k, v);
  }
  if (widened(q)) return attend(q.to(at::kFloat), k.to(at::kFloat), v.to(at::kFloat), causal, false).to(q.scalar_type());
  return at::scaled_dot_product_attention(q, k, v, {}, 0.0, causal)
      .transpose(1, 2)
      .reshape({q.size(0), q.size(2), q.size(1) * q.size(3)});
}
