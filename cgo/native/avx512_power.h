// For the files of avx512.h, which are compiled for AVX-512.
#pragma once

#include <immintrin.h>
#include <stdint.h>

namespace acd::avx512 {
namespace {

constexpr int64_t lanes = 16;  // values of 32 bits in a register
constexpr float log2e = 1.44269504088896F;

// 2^x for x <= 0 with a relative error below 2e-7; NaN stays NaN. The terms are ln(2)^n / n!.
inline __m512 power(__m512 x) {
  constexpr float terms[] = {1.33335581e-3F, 9.61812911e-3F, 5.55041087e-2F, 2.40226507e-1F, 6.93147181e-1F, 1};
  x = _mm512_max_ps(_mm512_set1_ps(-126), x);
  const __m512 whole = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m512 rest = _mm512_sub_ps(x, whole);
  __m512 y = _mm512_set1_ps(1.54035304e-4F);
  for (const float term : terms) y = _mm512_fmadd_ps(y, rest, _mm512_set1_ps(term));
  return _mm512_scalef_ps(y, whole);
}

}  // namespace
}  // namespace acd::avx512
