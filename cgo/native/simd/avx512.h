// Registers of AVX-512: 16 values of 32 bits.
#pragma once

#include <immintrin.h>
#include <stdint.h>

#include "../kernels.h"

namespace acd {
namespace {

constexpr int64_t lanes = 16;
constexpr int64_t tile = 14, columns = 2;  // rows, and registers of outputs, of a product: 28 sums, 2 + 1 factors
constexpr int64_t depth = 1024, chunk = 4;  // units and tiles of a product whose rows are packed at a time: 229 KB
constexpr bool fetch_early = false;  // a panel has more values, and is multiplied by fewer rows
constexpr int64_t queries = 12, group = 6, wide = 4;  // of attention: rows and registers of a product: 24 sums, 4 + 1 factors
constexpr int64_t values_at_once = 1 << 20;  // units: all

using Floats = __m512;
using Whole = __m512i;
using Counts = __v16si;  // sums of whole numbers; g++ does not keep an array of Whole in registers
using Mask = __mmask16;

inline Floats zero() { return _mm512_setzero_ps(); }
inline Floats all(float x) { return _mm512_set1_ps(x); }
inline Floats load(const float *from) { return _mm512_loadu_ps(from); }
inline void store(float *to, Floats x) { _mm512_storeu_ps(to, x); }

// The first count lanes. A load leaves the others 0, a store as they are.
inline Mask first_lanes(int64_t count) {
  return count >= lanes ? 0xffff : count <= 0 ? 0 : static_cast<Mask>((1 << count) - 1);
}
inline Floats load(const float *from, Mask mask) { return _mm512_maskz_loadu_ps(mask, from); }
inline void store(float *to, Mask mask, Floats x) { _mm512_mask_storeu_ps(to, mask, x); }
inline Floats only(Mask mask, Floats x) { return _mm512_maskz_mov_ps(mask, x); }

inline Floats fma(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
inline Floats max(Floats a, Floats b) { return _mm512_max_ps(a, b); }  // b if one is NaN
inline Floats magnitude(Floats x) { return _mm512_abs_ps(x); }
inline Floats nearest(Floats x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
inline Floats times_power(Floats x, Floats n) { return _mm512_scalef_ps(x, n); }  // x 2^n, n >= -126 or NaN
inline bool has_nan(Floats x) { return _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q) != 0; }
inline float greatest(Floats x) { return _mm512_reduce_max_ps(x); }
inline float sum(Floats x) { return _mm512_reduce_add_ps(x); }

// a where x < 0, else b.
inline Floats if_negative(Floats x, Floats a, Floats b) {
  return _mm512_mask_mov_ps(b, _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_LT_OQ), a);
}

inline Whole whole_zero() { return _mm512_setzero_si512(); }
inline Whole load_whole(const int32_t *from) { return _mm512_loadu_si512(from); }
inline Whole load_whole(const int32_t *from, Mask mask) { return _mm512_maskz_loadu_epi32(mask, from); }
inline void store_whole(int32_t *to, Whole x) { _mm512_storeu_si512(to, x); }
inline Whole rounded(Floats x) { return _mm512_cvtps_epi32(x); }
inline Floats to_floats(Whole x) { return _mm512_cvtepi32_ps(x); }

// Writes numbers from -128 to 127 plus 128.
inline void store_bytes(uint8_t *to, Mask mask, Whole x) {
  _mm_mask_storeu_epi8(to, mask, _mm512_cvtepi32_epi8(_mm512_add_epi32(x, _mm512_set1_epi32(128))));
}

// The unit in all lanes.
inline Whole broadcast(const int32_t *unit) {
  float all;
  __builtin_memcpy(&all, unit, sizeof all);
  return _mm512_castps_si512(_mm512_set1_ps(all));
}

// The sum plus the products of units of a type. Bytes are multiplied by signed ones.
inline Floats add_product(Floats sum, Whole a, Whole b, float) { return fma(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b), sum); }
inline Counts products_16(Whole a, Whole b) { return (Counts)_mm512_maddubs_epi16(a, b); }  // of bytes, two of them added
inline Counts add_16(Counts a, Counts b) { return (Counts)_mm512_add_epi16((Whole)a, (Whole)b); }
inline Counts add_to_32(Counts sum, Counts x) { return sum + (Counts)_mm512_madd_epi16((Whole)x, _mm512_set1_epi16(1)); }
#if defined(__AVX512VNNI__)
constexpr bool vnni = true;
inline Counts add_product(Counts sum, Whole a, Whole b, uint8_t) { return (Counts)_mm512_dpbusd_epi32((Whole)sum, a, b); }
#else
constexpr bool vnni = false;
inline Counts add_product(Counts sum, Whole a, Whole b, uint8_t) { return add_to_32(sum, products_16(a, b)); }
#endif

// Values of both in turn, of each 16 bytes' lower or upper half.
inline Whole low_32(Whole a, Whole b) { return _mm512_unpacklo_epi32(a, b); }
inline Whole high_32(Whole a, Whole b) { return _mm512_unpackhi_epi32(a, b); }
inline Whole low_64(Whole a, Whole b) { return _mm512_unpacklo_epi64(a, b); }
inline Whole high_64(Whole a, Whole b) { return _mm512_unpackhi_epi64(a, b); }

// The end of a transpose: the registers' groups of 4 x 4 values take their places.
inline void place_groups(Whole row[lanes]) {
  Whole t[lanes];
  // Quarter q of row[i + j], i = 0, 4, 8, 12, has column 4q + j of rows i to i + 3.
  for (int j = 0; j < 4; j++)
    for (int i = 0; i < lanes; i += 8) {
      t[i + j] = _mm512_shuffle_i32x4(row[i + j], row[i + j + 4], 0x88);
      t[i + j + 4] = _mm512_shuffle_i32x4(row[i + j], row[i + j + 4], 0xdd);
    }
  for (int j = 0; j < 8; j++) {
    row[j] = _mm512_shuffle_i32x4(t[j], t[j + 8], 0x88);
    row[j + 8] = _mm512_shuffle_i32x4(t[j], t[j + 8], 0xdd);
  }
}

#if defined(__AVX512BF16__)

inline Floats load(const bf16 *from, Mask mask) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, from)), 16));
}
inline void store(bf16 *to, Floats x) { _mm256_storeu_si256((__m256i *)to, (__m256i)_mm512_cvtneps_pbh(x)); }
inline void store(bf16 *to, Mask mask, Floats x) { _mm256_mask_storeu_epi16(to, mask, (__m256i)_mm512_cvtneps_pbh(x)); }

inline Floats add_product(Floats sum, Whole a, Whole b, bf16) { return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b); }

// A unit of two from the lower half of each lane.
inline Whole pairs(Whole first, Whole second) { return _mm512_or_si512(first, _mm512_slli_epi32(second, 16)); }
inline Whole load_whole(const bf16 *from) { return _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)from)); }

#endif

}  // namespace
}  // namespace acd
