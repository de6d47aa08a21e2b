// Rows of 8-bit numbers for AVX-512, together with what comes before them (LayerNorm, GELU)
// or after their product (scales, bias, residual), so that each row is read and written once.
#include "avx512.h"

#if defined(__AVX512BF16__)

#include <immintrin.h>

#include "avx512_lanes.h"

namespace acd::avx512 {
namespace {

// Writes a row as whole numbers plus 128, and returns their step. A row with a NaN has the
// step NaN.
template <class T>
float quantise(const T *row, int64_t size, uint8_t *values) {
  __m512 largest = _mm512_setzero_ps();
  __mmask16 unordered = 0;
  for (int64_t i = 0; i < size; i += lanes) {
    const __m512 x = _mm512_abs_ps(load(row + i, first_lanes(size - i)));
    unordered |= _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
    largest = _mm512_max_ps(largest, x);
  }
  const float top = _mm512_reduce_max_ps(largest), step = unordered ? __builtin_nanf("") : (top > 1e-12F ? top : 1e-12F) / 127;
  const __m512 by = _mm512_set1_ps(1 / step);
  for (int64_t i = 0; i < size; i += lanes) {
    const __mmask16 mask = first_lanes(size - i);
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
    for (int64_t i = 0; i < size; i += lanes) sum = _mm512_add_ps(sum, load(x + i, first_lanes(size - i)));
    const __m512 mean = _mm512_set1_ps(_mm512_reduce_add_ps(sum) / size);
    for (int64_t i = 0; i < size; i += lanes) {
      const __mmask16 mask = first_lanes(size - i);
      const __m512 off = _mm512_maskz_sub_ps(mask, load(x + i, mask), mean);
      squares = _mm512_fmadd_ps(off, off, squares);
    }
    const __m512 by = _mm512_set1_ps(1 / __builtin_sqrtf(_mm512_reduce_add_ps(squares) / size + epsilon));
    for (int64_t i = 0; i < size; i += lanes) {
      const __mmask16 mask = first_lanes(size - i);
      const __m512 unit = _mm512_mul_ps(_mm512_sub_ps(load(x + i, mask), mean), by);
      store(scratch + i, mask, _mm512_fmadd_ps(unit, load(weight + i, mask), load(bias + i, mask)));
    }
    steps[row] = quantise(scratch, size, values + row * size);
  }
}

void activate_rows(const Sums &sums, int64_t first, int64_t end, bool quick, float *scratch, uint8_t *values, float *steps) {
  for (int64_t row = first; row < end; row++) {
    for (int64_t i = 0; i < sums.size; i += lanes) {
      const __mmask16 mask = first_lanes(sums.size - i);
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
      const __mmask16 mask = first_lanes(sums.size - i);
      __m512 x = scaled(sums, row, i, mask);
      if (residual) x = _mm512_add_ps(x, load(residual + row * sums.size + i, mask));
      store(out + row * sums.size + i, mask, x);
    }
}
template void scale_rows<float>(const Sums &, int64_t, int64_t, const float *, float *);
template void scale_rows<bf16>(const Sums &, int64_t, int64_t, const float *, bf16 *);

}  // namespace acd::avx512

#endif
