#pragma once

#include "guard.h"

namespace acd {

// softmax(q k^T / sqrt(C/heads)) v of q, k and v [B, heads, L, C/heads], where q may have fewer
// rows: [B, L of q, C]. If causal, a row does not attend to later ones. With whole_numbers, q and
// k of float32 may be rounded as the inputs of products of whole numbers are.
at::Tensor attend(const at::Tensor &q, const at::Tensor &k, const at::Tensor &v, bool causal, bool whole_numbers);

}  // namespace acd
