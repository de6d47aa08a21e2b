// Registers of AVX2: 8 values of 32 bits.
#pragma once

#include <immintrin.h>
#include <stdint.h>

#include "../kernels.h"

namespace acd {
namespace {

constexpr int64_t lanes = 8;
constexpr int64_t tile = 6, columns = 2;  // rows, and registers of outputs, of a product: 12 sums, 2 + 1 factors
constexpr int64_t depth = 384, chunk = 24;  // units and tiles of a product whose rows are packed at a time: 221 KB
constexpr bool fetch_early = true;  // a panel, while the one before is multiplied
constexpr int64_t queries = 12, group = 6, wide = 2;  // of attention: rows and registers of a product, as above
constexpr int64_t values_at_once = 128;  // units, which stay in the first-level cache

using Floats = __m256;
using Whole = __m256i;
using Counts = __v8si;  // sums of whole numbers; g++ does not keep an array of Whole in registers

// The first count lanes. A load leaves the others 0, a store as they are.
struct Mask {
  int64_t count;
};
inline Mask first_lanes(int64_t count) { return {count}; }

inline Whole mask_of(int64_t count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int32_t>(count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

inline Floats zero() { return _mm256_setzero_ps(); }
inline Floats all(float x) { return _mm256_set1_ps(x); }
inline Floats load(const float *from) { return _mm256_loadu_ps(from); }
inline void store(float *to, Floats x) { _mm256_storeu_ps(to, x); }

// Whole registers are the usual case, and masked instructions are slow on some processors.
inline Floats load(const float *from, Mask mask) {
  return mask.count >= lanes ? load(from) : _mm256_maskload_ps(from, mask_of(mask.count));
}
inline void store(float *to, Mask mask, Floats x) {
  if (mask.count >= lanes) store(to, x);
  else _mm256_maskstore_ps(to, mask_of(mask.count), x);
}
inline Floats only(Mask mask, Floats x) {
  return mask.count >= lanes ? x : _mm256_and_ps(x, _mm256_castsi256_ps(mask_of(mask.count)));
}

inline Floats fma(Floats a, Floats b, Floats c) { return _mm256_fmadd_ps(a, b, c); }
inline Floats max(Floats a, Floats b) { return _mm256_max_ps(a, b); }  // b if one is NaN
inline Floats magnitude(Floats x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0F), x); }
inline Floats nearest(Floats x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
inline bool has_nan(Floats x) { return _mm256_movemask_ps(_mm256_cmp_ps(x, x, _CMP_UNORD_Q)) != 0; }

// x 2^n for whole n from -126 to 127. If n is NaN, x is NaN.
inline Floats times_power(Floats x, Floats n) {
  return x * _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23));
}

inline float greatest(Floats x) {
  __m128 y = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  y = _mm_max_ps(y, _mm_movehl_ps(y, y));
  return _mm_cvtss_f32(_mm_max_ss(y, _mm_movehdup_ps(y)));
}
inline float sum(Floats x) {
  __m128 y = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  y = _mm_add_ps(y, _mm_movehl_ps(y, y));
  return _mm_cvtss_f32(_mm_add_ss(y, _mm_movehdup_ps(y)));
}

// a where x < 0 or is -0, else b.
inline Floats if_negative(Floats x, Floats a, Floats b) { return _mm256_blendv_ps(b, a, x); }

inline Whole whole_zero() { return _mm256_setzero_si256(); }
inline Whole load_whole(const int32_t *from) { return _mm256_loadu_si256(reinterpret_cast<const __m256i *>(from)); }
inline Whole load_whole(const int32_t *from, Mask mask) {
  return mask.count >= lanes ? load_whole(from) : _mm256_maskload_epi32(from, mask_of(mask.count));
}
inline void store_whole(int32_t *to, Whole x) { _mm256_storeu_si256(reinterpret_cast<__m256i *>(to), x); }
inline Whole rounded(Floats x) { return _mm256_cvtps_epi32(x); }
inline Floats to_floats(Whole x) { return _mm256_cvtepi32_ps(x); }

// Writes numbers from -128 to 127 plus 128.
inline void store_bytes(uint8_t *to, Mask mask, Whole x) {
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
  const __m128i bytes = _mm_xor_si128(_mm_packs_epi16(words, words), _mm_set1_epi8(-128));
  if (mask.count >= lanes) {
    _mm_storel_epi64(reinterpret_cast<__m128i *>(to), bytes);
    return;
  }
  const int64_t all = _mm_cvtsi128_si64(bytes);
  __builtin_memcpy(to, &all, mask.count < 0 ? 0 : mask.count);
}

// The unit in all lanes.
inline Whole broadcast(const int32_t *unit) { return _mm256_set1_epi32(*unit); }

// The sum plus the products of units of a type. Bytes are multiplied by signed ones.
inline Floats add_product(Floats sum, Whole a, Whole b, float) { return fma(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), sum); }
inline Counts products_16(Whole a, Whole b) { return (Counts)_mm256_maddubs_epi16(a, b); }  // of bytes, two of them added
inline Counts add_16(Counts a, Counts b) { return (Counts)_mm256_add_epi16((Whole)a, (Whole)b); }
inline Counts add_to_32(Counts sum, Counts x) { return sum + (Counts)_mm256_madd_epi16((Whole)x, _mm256_set1_epi16(1)); }
#if defined(__AVXVNNI__)
constexpr bool vnni = true;
inline Counts add_product(Counts sum, Whole a, Whole b, uint8_t) { return (Counts)_mm256_dpbusd_avx_epi32((Whole)sum, a, b); }
#else
constexpr bool vnni = false;
inline Counts add_product(Counts sum, Whole a, Whole b, uint8_t) { return add_to_32(sum, products_16(a, b)); }
#endif

// Values of both in turn, of each 16 bytes' lower or upper half.
inline Whole low_32(Whole a, Whole b) { return _mm256_unpacklo_epi32(a, b); }
inline Whole high_32(Whole a, Whole b) { return _mm256_unpackhi_epi32(a, b); }
inline Whole low_64(Whole a, Whole b) { return _mm256_unpacklo_epi64(a, b); }
inline Whole high_64(Whole a, Whole b) { return _mm256_unpackhi_epi64(a, b); }

// The end of a transpose: the registers' groups of 4 x 4 values take their places.
inline void place_groups(Whole row[lanes]) {
  Whole t[lanes];
  // Half h of row[i + j], i = 0, 4, has column 4h + j of rows i to i + 3.
  for (int j = 0; j < 4; j++) {
    t[j] = _mm256_permute2x128_si256(row[j], row[j + 4], 0x20);
    t[j + 4] = _mm256_permute2x128_si256(row[j], row[j + 4], 0x31);
  }
  for (int j = 0; j < lanes; j++) row[j] = t[j];
}

}  // namespace
}  // namespace acd
