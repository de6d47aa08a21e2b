// What this processor can run. This file is compiled for any processor.
#include "avx512.h"

#include <ATen/Version.h>

// libtorch can be limited to fewer instructions ($ATEN_CPU_CAPABILITY), and then so are these.
bool acd::avx512::available() {
#if defined(__x86_64__)
  static const bool all = at::get_cpu_capability() == "AVX512" && __builtin_cpu_supports("avx512f") &&
                          __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                          __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vnni") &&
                          __builtin_cpu_supports("avx512bf16");
  return all;
#else
  return false;
#endif
}

bool acd::avx512::has_tiles() {
#if defined(__x86_64__)
  static const bool tiles = __builtin_cpu_supports("amx-bf16");
  return tiles;
#else
  return false;
#endif
}
