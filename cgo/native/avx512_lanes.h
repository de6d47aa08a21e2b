// For the files of avx512.h, which are compiled for AVX-512.
#pragma once

#include <immintrin.h>
#include <stdint.h>

#include "avx512.h"

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

// The normal distribution function times x, with an error below 2e-7 |x| (Abramowitz and
// Stegun, 7.1.26).
inline __m512 gelu(__m512 x) {
  constexpr float terms[] = {-1.453152027F, 1.421413741F, -0.284496736F, 0.254829592F};
  const __m512 one = _mm512_set1_ps(1), half = _mm512_set1_ps(0.5F);
  const __m512 z = _mm512_mul_ps(_mm512_abs_ps(x), _mm512_set1_ps(0.707106781F));
  const __m512 t = _mm512_div_ps(one, _mm512_fmadd_ps(z, _mm512_set1_ps(0.3275911F), one));
  __m512 y = _mm512_set1_ps(1.061405429F);
  for (const float term : terms) y = _mm512_fmadd_ps(y, t, _mm512_set1_ps(term));
  const __m512 density = power(_mm512_mul_ps(_mm512_mul_ps(z, z), _mm512_set1_ps(-log2e)));
  const __m512 tail = _mm512_mul_ps(_mm512_mul_ps(half, y), _mm512_mul_ps(t, density));  // of the smaller side
  const __mmask16 negative = _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_LT_OQ);
  return _mm512_mul_ps(x, _mm512_mask_mov_ps(_mm512_sub_ps(one, tail), negative, tail));
}

// x sigmoid(1.702 x)
inline __m512 quick_gelu(__m512 x) {
  const __m512 one = _mm512_set1_ps(1);
  const __m512 e = power(_mm512_mul_ps(_mm512_abs_ps(x), _mm512_set1_ps(-1.702F * log2e)));
  const __mmask16 negative = _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_LT_OQ);
  return _mm512_mul_ps(x, _mm512_div_ps(_mm512_mask_mov_ps(one, negative, e), _mm512_add_ps(one, e)));
}

// The first count lanes.
inline __mmask16 first_lanes(int64_t count) {
  return count >= lanes ? 0xffff : count <= 0 ? 0 : static_cast<__mmask16>((1 << count) - 1);
}

// Lanes that the mask leaves out are 0.
inline __m512 load(const float *from, __mmask16 mask) { return _mm512_maskz_loadu_ps(mask, from); }
inline __m512 load(const bf16 *from, __mmask16 mask) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, from)), 16));
}

inline void store(float *to, __mmask16 mask, __m512 x) { _mm512_mask_storeu_ps(to, mask, x); }
inline void store(bf16 *to, __mmask16 mask, __m512 x) { _mm256_mask_storeu_epi16(to, mask, (__m256i)_mm512_cvtneps_pbh(x)); }

// The unit in all lanes.
inline __m512i broadcast(const void *unit) {
  float all;
  __builtin_memcpy(&all, unit, sizeof all);
  return _mm512_castps_si512(_mm512_set1_ps(all));
}

// The sum plus the products of units of a type. Bytes are multiplied by signed ones; their sums
// are whole numbers.
inline __m512 add_product(__m512 sum, __m512i a, __m512i b, float) {
  return _mm512_fmadd_ps(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b), sum);
}
inline __m512 add_product(__m512 sum, __m512i a, __m512i b, bf16) { return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b); }
inline __v16si add_product(__v16si sum, __m512i a, __m512i b, uint8_t) { return (__v16si)_mm512_dpbusd_epi32((__m512i)sum, a, b); }

}  // namespace
}  // namespace acd::avx512
