// Wrappers for every function that Go calls, so that no C++ exception reaches Go.
#pragma once

#include <ATen/ATen.h>

#include <cstring>
#include <exception>
#include <vector>

#include "native.h"

namespace acd {

// Returned if there is no memory for a message; never freed.
inline const char no_memory[] = "out of memory while reporting an error";

inline acd_error message(const char *text) {
  acd_error copy = strdup(text);
  return copy != nullptr ? copy : no_memory;
}

inline at::Tensor &tensor(acd_tensor t) { return *static_cast<at::Tensor *>(t); }

inline at::IntArrayRef sizes(const int64_t *values, int64_t count) {
  return at::IntArrayRef(values, static_cast<size_t>(count));
}

// The tensors of a list; NULL becomes an undefined tensor.
inline std::vector<at::Tensor> tensors(acd_tensor *list, int64_t count) {
  std::vector<at::Tensor> all(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; i++)
    if (list[i] != nullptr) all[i] = tensor(list[i]);
  return all;
}

// Like tensors, for weights, which must not require gradients.
inline std::vector<at::Tensor> frozen(acd_tensor *list, int64_t count) {
  const std::vector<at::Tensor> all = tensors(list, count);
  for (const at::Tensor &t : all) TORCH_CHECK(!t.defined() || !t.requires_grad(), "the weight is not frozen");
  return all;
}

inline at::Device device(int32_t type, int64_t index) {
  return type == 0 ? at::Device(at::kCPU) : at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(index));
}

}  // namespace acd

// ACD_GUARD runs its statements and converts any exception to a message. For c10::Error
// the message has no C++ stack frames.
#define ACD_GUARD(...)                          \
  try {                                         \
    __VA_ARGS__;                                \
    return nullptr;                             \
  } catch (const c10::Error &e) {               \
    return acd::message(e.what_without_backtrace()); \
  } catch (const std::exception &e) {           \
    return acd::message(e.what());              \
  } catch (...) {                               \
    return acd::message("unknown C++ exception"); \
  }

// ACD_RETURN is ACD_GUARD for one expression, whose tensor is the result.
#define ACD_RETURN(out, ...) ACD_GUARD(*(out) = new at::Tensor(__VA_ARGS__))
