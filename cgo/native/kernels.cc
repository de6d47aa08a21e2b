// The choice of kernels. This file is compiled for any processor.
#include "kernels.h"

#include <ATen/Version.h>

#include <cstdlib>
#include <string_view>

#if defined(__x86_64__)

namespace {

struct Set {
  const char *name;
  const acd::Kernels *kernels;
  bool runs;
};

const acd::Kernels *choose() {
  // libtorch can be limited to fewer instructions ($ATEN_CPU_CAPABILITY), and then so are these.
  const auto limit = at::get_cpu_capability();
  const bool is_512 = limit == "AVX512" && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  const bool is_512_vnni = is_512 && __builtin_cpu_supports("avx512vnni");
  const bool is_256 = (limit == "AVX512" || limit == "AVX2") && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const Set sets[] = {
      {"avx512_bf16", &acd::avx512_bf16, is_512_vnni && __builtin_cpu_supports("avx512bf16")},
      {"avx512_vnni", &acd::avx512_vnni, is_512_vnni},
      {"avx512", &acd::avx512, is_512},
      {"avx2_vnni", &acd::avx2_vnni, is_256 && __builtin_cpu_supports("avxvnni")},
      {"avx2", &acd::avx2, is_256},
  };
  const char *const chosen = std::getenv("LIBACDCLIP_KERNELS");
  for (const Set &set : sets)
    if (set.runs && (!chosen || std::string_view(chosen) == set.name)) return set.kernels;
  return nullptr;
}

}  // namespace

const acd::Kernels *acd::kernels() {
  static const Kernels *const chosen = choose();
  return chosen;
}

bool acd::has_tiles() {
  static const bool tiles = kernels() == &avx512_bf16 && __builtin_cpu_supports("amx-bf16") && __builtin_cpu_supports("amx-int8");
  return tiles;
}

#else

const acd::Kernels *acd::kernels() { return nullptr; }
bool acd::has_tiles() { return false; }

#endif
