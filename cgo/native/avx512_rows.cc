// Rows of 8-bit numbers for AVX-512, together with what comes before them (LayerNorm, GELU)
// or after their product (scales, bias, residual), so that each row is read and written once.
#include "avx512.h"

#if defined(__AVX512BF16__)

#include <immintrin.h>

#include "avx512_power.h"

namespace acd::avx512 {
namespace {

__mmask16 left(int64_t count) { return count >= lanes ? 0xffff : static_cast<__mmask16>((1 << count) - 1); }

__m512 load(const float *from, __mmask16 mask) { return _mm512_maskz_loadu_ps(mask, from); }
__m512 load(const bf16 *from, __mmask16 mask) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, from)), 16));
}

void store(float *to, __mmask16 mask, __m512 x) { _mm512_mask_storeu_ps(to, mask, x); }
void store(bf16 *to, __mmask16 mask, __m512 x) { _mm256_mask_storeu_epi16(to, mask, (__m256i)_mm512_cvtneps_pbh(x)); }

// The normal distribution function times x, with an error below 2e-7 |x| (Abramowitz and
// Stegun, 7.1.26).
__m512 gelu(__m512 x) {
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
__m512 quick_gelu(__m512 x) {
  const __m512 one = _mm512_set1_ps(1);
  const __m512 e = power(_mm512_mul_ps(_mm512_abs_ps(x), _mm512_set1_ps(-1.702F * log2e)));
  const __mmask16 negative = _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_LT_OQ);
  return _mm512_mul_ps(x, _mm512_div_ps(_mm512_mask_mov_ps(one, negative, e), _mm512_add_ps(one, e)));
}

// Writes a row as whole numbers plus 128, and returns their step. A row with a NaN has the
// step NaN.
template <class T>
float quantise(const T *row, int64_t size, uint8_t *values) {
  __m512 largest = _mm512_setzero_ps();
  __mmask16 unordered = 0;
  for (int64_t i = 0; i < size; i += lanes) {
    const __m512 x = _mm512_abs_ps(load(row + i, left(size - i)));
    unordered |= _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
    largest = _mm512_max_ps(largest, x);
  }
  const float top = _mm512_reduce_max_ps(largest), step = unordered ? __builtin_nanf("") : (top > 1e-12F ? top : 1e-12F) / 127;
  const __m512 by = _mm512_set1_ps(1 / step);
  for (int64_t i = 0; i < size; i += lanes) {
    const __mmask16 mask = left(size - i);
    const __m512i whole = _mm512_cvtps_epi32(_mm512_mul_ps(load(row + i, mask), by));
    _mm_mask_storeu_epi8(values + i, mask, _mm512_cvtepi32_epi8(_mm512_add_epi32(whole, _mm512_set1_epi32(128))));
  }
  return step;
}

// sums step + bias
__m512 scaled(const Sums &s, int64_t row, int64_t i, __mmask16 mask) {
  return _mm512_fmadd_ps(load(s.values + row * s.size + i, mask), _mm512_set1_ps(s.steps[row]), load(s.bias + i, mask));
}

}  // namespace

template <class T>
void quantise_rows(const T *rows, int64_t count, int64_t size, uint8_t *values, float *steps) {
  for (int64_t row = 0; row < count; row++) steps[row] = quantise(rows + row * size, size, values + row * size);
}
template void quantise_rows<float>(const float *, int64_t, int64_t, uint8_t *, float *);
template void quantise_rows<bf16>(const bf16 *, int64_t, int64_t, uint8_t *, float *);

void normalise_rows(const float *rows, int64_t count, int64_t size, const float *weight, const float *bias, float epsilon,
                    float *scratch, uint8_t *values, float *steps) {
  for (int64_t row = 0; row < count; row++) {
    const float *x = rows + row * size;
    __m512 sum = _mm512_setzero_ps(), squares = sum;
    for (int64_t i = 0; i < size; i += lanes) sum = _mm512_add_ps(sum, load(x + i, left(size - i)));
    const __m512 mean = _mm512_set1_ps(_mm512_reduce_add_ps(sum) / size);
    for (int64_t i = 0; i < size; i += lanes) {
      const __mmask16 mask = left(size - i);
      const __m512 off = _mm512_maskz_sub_ps(mask, load(x + i, mask), mean);
      squares = _mm512_fmadd_ps(off, off, squares);
    }
    const __m512 by = _mm512_set1_ps(1 / __builtin_sqrtf(_mm512_reduce_add_ps(squares) / size + epsilon));
    for (int64_t i = 0; i < size; i += lanes) {
      const __mmask16 mask = left(size - i);
      const __m512 unit = _mm512_mul_ps(_mm512_sub_ps(load(x + i, mask), mean), by);
      store(scratch + i, mask, _mm512_fmadd_ps(unit, load(weight + i, mask), load(bias + i, mask)));
    }
    steps[row] = quantise(scratch, size, values + row * size);
  }
}

void activate_rows(const Sums &sums, int64_t first, int64_t end, bool quick, float *scratch, uint8_t *values, float *steps) {
  for (int64_t row = first; row < end; row++) {
    for (int64_t i = 0; i < sums.size; i += lanes) {
      const __mmask16 mask = left(sums.size - i);
      const __m512 x = scaled(sums, row, i, mask);
      store(scratch + i, mask, quick ? quick_gelu(x) : gelu(x));
    }
    steps[row] = quantise(scratch, sums.size, values + row * sums.size);
  }
}

template <class T>
void scale_rows(const Sums &sums, int64_t first, int64_t end, const float *residual, T *out) {
  for (int64_t row = first; row < end; row++)
    for (int64_t i = 0; i < sums.size; i += lanes) {
      const __mmask16 mask = left(sums.size - i);
      __m512 x = scaled(sums, row, i, mask);
      if (residual) x = _mm512_add_ps(x, load(residual + row * sums.size + i, mask));
      store(out + row * sums.size + i, mask, x);
    }
}
template void scale_rows<float>(const Sums &, int64_t, int64_t, const float *, float *);
template void scale_rows<bf16>(const Sums &, int64_t, int64_t, const float *, bf16 *);

}  // namespace acd::avx512

#endif
