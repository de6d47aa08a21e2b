// Attention for AVX-512. For a few queries at a time all scores are computed, then their
// softmax, then the weighted sum of values. Both products have the same kernel.
#include "avx512.h"

#if defined(__AVX512BF16__)

#include <immintrin.h>

#include "avx512_lanes.h"

namespace acd::avx512 {
namespace {

constexpr int64_t block = 4 * lanes;  // keys of a block

int64_t padded(int64_t length) { return (length + block - 1) / block * block; }

// c [R, 16 V] = a [R, units] b [units, 16 V]. The R V sums, V registers of b and one of a fit
// into the 32 registers.
template <class T, int R, int V>
void product(const T *a, int64_t a_stride, const T *b, int64_t units, float *c, int64_t c_stride) {
  __m512 sum[R][V];
  for (int r = 0; r < R; r++)
    for (int v = 0; v < V; v++) sum[r][v] = _mm512_setzero_ps();
  for (int64_t u = 0; u < units; u++) {
    __m512i part[V];
    for (int v = 0; v < V; v++) part[v] = _mm512_loadu_si512(b + (u * V + v) * lanes * per_unit<T>);
    for (int r = 0; r < R; r++) {
      const __m512i all = broadcast(a + r * a_stride + u * per_unit<T>);
      for (int v = 0; v < V; v++) sum[r][v] = add_product(sum[r][v], all, part[v], T());
    }
  }
  for (int r = 0; r < R; r++)
    for (int v = 0; v < V; v++) _mm512_storeu_ps(c + r * c_stride + v * lanes, sum[r][v]);
}

// The product for `queries` rows.
template <class T, int V>
void products(const T *a, int64_t a_stride, const T *b, int64_t units, float *c, int64_t c_stride) {
  constexpr int R = V <= 4 ? 6 : 3;
  static_assert(queries % R == 0, "rows come in whole groups");
  for (int64_t r = 0; r < queries; r += R) product<T, R, V>(a + r * a_stride, a_stride, b, units, c + r * c_stride, c_stride);
}

template <class T>
using Products = void (*)(const T *, int64_t, const T *, int64_t, float *, int64_t);

template <class T>
constexpr Products<T> products_of[largest_head / lanes] = {products<T, 1>, products<T, 2>, products<T, 3>, products<T, 4>,
                                                           products<T, 5>, products<T, 6>, products<T, 7>, products<T, 8>};

void store(float *to, __m512 first, __m512 second) {
  _mm512_storeu_ps(to, first);
  _mm512_storeu_ps(to + lanes, second);
}
void store(bf16 *to, __m512 first, __m512 second) { _mm512_storeu_si512(to, (__m512i)_mm512_cvtne2ps_pbh(second, first)); }

void store(float *to, __m512 x) { _mm512_storeu_ps(to, x); }
void store(bf16 *to, __m512 x) { _mm256_storeu_si256((__m256i *)to, (__m256i)_mm512_cvtneps_pbh(x)); }

// Writes weights exp(scale (score - largest)) of scores [padded], and returns their sum. What
// is from length on is of no key and becomes nearly 0; the values there are 0. The weights may
// take the scores' place.
template <class T>
float exponentials(float *scores, int64_t length, float scale, T *weights) {
  const int64_t end = padded(length);
  for (int64_t i = length; i < end; i++) scores[i] = -__builtin_inff();
  __m512 top = _mm512_set1_ps(-__builtin_inff());
  for (int64_t i = 0; i < end; i += lanes) top = _mm512_max_ps(top, _mm512_loadu_ps(scores + i));
  const __m512 factor = _mm512_set1_ps(scale * log2e), shift = _mm512_mul_ps(_mm512_set1_ps(_mm512_reduce_max_ps(top)), factor);
  __m512 sum = _mm512_setzero_ps();
  for (int64_t i = 0; i < end; i += 2 * lanes) {
    const __m512 first = power(_mm512_fmsub_ps(_mm512_loadu_ps(scores + i), factor, shift));
    const __m512 second = power(_mm512_fmsub_ps(_mm512_loadu_ps(scores + i + lanes), factor, shift));
    sum = _mm512_add_ps(sum, _mm512_add_ps(first, second));
    store(weights + i, first, second);
  }
  return _mm512_reduce_add_ps(sum);
}

void pack_pair(float *to, const float *row, const float *next, int64_t size) {
  for (int64_t i = 0; i < size; i += lanes) {
    _mm512_storeu_ps(to + i, row ? _mm512_loadu_ps(row + i) : _mm512_setzero_ps());
    _mm512_storeu_ps(to + size + i, next ? _mm512_loadu_ps(next + i) : _mm512_setzero_ps());
  }
}

void pack_pair(bf16 *to, const bf16 *row, const bf16 *next, int64_t size) {
  const auto wide = [](const bf16 *from) {
    return from ? _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)from)) : _mm512_setzero_si512();
  };
  for (int64_t i = 0; i < size; i += lanes) {
    const __m512i low = wide(row ? row + i : row), high = wide(next ? next + i : next);
    _mm512_storeu_si512(to + 2 * i, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
  }
}

}  // namespace

int64_t packed(const Head &head) { return padded(head.length) * head.size; }

// Scores and weights, then sums and queries.
int64_t scratch(const Head &head) { return queries * (padded(head.length) + head.size) * 2 * static_cast<int64_t>(sizeof(float)); }

// Blocks of 64 keys, [units, 64] each.
template <class T>
void pack_keys(const Head &head, const T *keys, int64_t stride, T *packed) {
  const __m512i places = _mm512_mullo_epi32(_mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
                                            _mm512_set1_epi32(static_cast<int32_t>(stride * sizeof(T))));
  for (int64_t first = 0; first < padded(head.length); first += lanes) {
    const __mmask16 mask = first_lanes(head.length - first);
    T *to = packed + first / block * block * head.size + first % block * per_unit<T>;
    for (int64_t i = 0; i < head.size; i += per_unit<T>, to += block * per_unit<T>)
      _mm512_storeu_si512(to, _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), mask, places, keys + first * stride + i, 1));
  }
}

// [L / per_unit, size] units.
template <class T>
void pack_values(const Head &head, const T *values, int64_t stride, T *packed) {
  const auto row = [&](int64_t i) { return i < head.length ? values + i * stride : nullptr; };
  for (int64_t i = 0; i < padded(head.length); i += 2) pack_pair(packed + i * head.size, row(i), row(i + 1), head.size);
}

template <class T>
void attend(const Head &head, const T *q, int64_t q_stride, int64_t count, const T *keys, const T *values, float scale,
            void *scratch, T *out, int64_t out_stride) {
  const int64_t length = padded(head.length), size = head.size;
  float *scores = static_cast<float *>(scratch), *sums = scores + queries * length;
  T *weights = reinterpret_cast<T *>(sums + queries * size), *rows = weights + queries * length;
  __builtin_memset(rows, 0, queries * size * sizeof(T));
  for (int64_t i = 0; i < count; i++) __builtin_memcpy(rows + i * size, q + i * q_stride, size * sizeof(T));

  for (int64_t key = 0; key < length; key += block)
    products<T, block / lanes>(rows, size, keys + key * size, size / per_unit<T>, scores + key, length);
  float total[queries];
  for (int64_t i = 0; i < queries; i++) total[i] = exponentials(scores + i * length, head.length, scale, weights + i * length);
  products_of<T>[size / lanes - 1](weights, length, values, length / per_unit<T>, sums, size);
  for (int64_t i = 0; i < count; i++)
    for (int64_t column = 0; column < size; column += lanes)
      store(out + i * out_stride + column, _mm512_div_ps(_mm512_loadu_ps(sums + i * size + column), _mm512_set1_ps(total[i])));
}

#define ACD_ATTENTION(T)                                                     \
  template void pack_keys<T>(const Head &, const T *, int64_t, T *);         \
  template void pack_values<T>(const Head &, const T *, int64_t, T *);       \
  template void attend<T>(const Head &, const T *, int64_t, int64_t, const T *, const T *, float, void *, T *, int64_t);
ACD_ATTENTION(float)
ACD_ATTENTION(bf16)

}  // namespace acd::avx512

#endif
