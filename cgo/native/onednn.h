// The products of oneDNN that libtorch has without a C++ function of their own.
#pragma once

#include "guard.h"

namespace acd::onednn {

// Whether packed products of a type are faster than others on this processor.
bool suits(at::ScalarType type);

// A weight [out, in] of float32 or bfloat16, or of whole numbers, in oneDNN's own order.
at::Tensor pack(const at::Tensor &weight);
at::Tensor pack_whole_numbers(const at::Tensor &weight);

// x weight^T + bias for a weight that is packed or not; with "gelu" for activation, GELU of it.
at::Tensor linear(const at::Tensor &x, const at::Tensor &weight, const std::optional<at::Tensor> &bias, c10::string_view activation);

// (x - 128) weight^T scale in float32 for bytes x [..., in] and a packed weight of whole numbers
// with a scale for each output.
at::Tensor sums(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &scale);

}  // namespace acd::onednn
