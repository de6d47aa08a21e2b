// The choice of kernels. This file is compiled for any processor.
#include "kernels.h"

#include <ATen/Version.h>

#if defined(__x86_64__)

namespace {

const acd::Kernels *fastest() {
  // libtorch can be limited to fewer instructions ($ATEN_CPU_CAPABILITY), and then so are these.
  const auto limit = at::get_cpu_capability();
  const bool all_512 = limit == "AVX512" && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                       __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                       __builtin_cpu_supports("avx512vnni");
  if (all_512) return __builtin_cpu_supports("avx512bf16") ? &acd::avx512_bf16 : &acd::avx512;
  const bool all_256 = (limit == "AVX512" || limit == "AVX2") && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (all_256) return __builtin_cpu_supports("avxvnni") ? &acd::avx2_vnni : &acd::avx2;
  return nullptr;
}

}  // namespace

const acd::Kernels *acd::kernels() {
  static const Kernels *const chosen = fastest();
  return chosen;
}

bool acd::has_tiles() {
  static const bool tiles = __builtin_cpu_supports("amx-bf16") && __builtin_cpu_supports("amx-int8");
  return tiles;
}

#else

const acd::Kernels *acd::kernels() { return nullptr; }
bool acd::has_tiles() { return false; }

#endif
