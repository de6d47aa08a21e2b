// Attention. For a few queries at a time all scores are computed, then their softmax, then the
// weighted sum of values. Both products have the same kernel.
#pragma once

namespace acd {
namespace {

constexpr int64_t block = wide * lanes;  // keys, or columns of values, that are computed at a time

int64_t padded(int64_t length) { return (length + block - 1) / block * block; }

// c [group, lanes V] = a [group, units] b [units, lanes V], or plus that if more. The sums, V
// registers of b and one of a fit into all registers.
template <class T, int V>
void attention_product(const T *a, int64_t a_stride, const T *b, int64_t units, bool more, float *c, int64_t c_stride) {
  Floats sum[group][V];
#pragma GCC unroll 8
  for (int r = 0; r < group; r++)
    for (int v = 0; v < V; v++) sum[r][v] = more ? load(c + r * c_stride + v * lanes) : zero();
  for (int64_t u = 0; u < units; u++) {
    Whole row[V];
    for (int v = 0; v < V; v++) row[v] = load_whole(reinterpret_cast<const int32_t *>(b) + (u * V + v) * lanes);
#pragma GCC unroll 8
    for (int r = 0; r < group; r++) {
      const Whole unit = broadcast(reinterpret_cast<const int32_t *>(a + r * a_stride) + u);
      for (int v = 0; v < V; v++) sum[r][v] = add_product(sum[r][v], unit, row[v], T());
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < group; r++)
    for (int v = 0; v < V; v++) store(c + r * c_stride + v * lanes, sum[r][v]);
}

// The product for `queries` rows.
template <class T, int V>
void attention_products(const T *a, int64_t a_stride, const T *b, int64_t units, bool more, float *c, int64_t c_stride) {
  static_assert(queries % group == 0, "rows come in whole groups");
  for (int64_t r = 0; r < queries; r += group)
    attention_product<T, V>(a + r * a_stride, a_stride, b, units, more, c + r * c_stride, c_stride);
}

template <class T>
using Products = void (*)(const T *, int64_t, const T *, int64_t, bool, float *, int64_t);

template <class T>
constexpr Products<T> products_of[] = {attention_products<T, 1>, attention_products<T, 2>
#if defined(__AVX512F__)
                                       , attention_products<T, 3>, attention_products<T, 4>
#endif
};
static_assert(sizeof products_of<float> / sizeof *products_of<float> == wide, "there is a product for each number of registers");

void store_weights(float *to, Floats first, Floats second) {
  store(to, first);
  store(to + lanes, second);
}

void store_pairs(float *to, const float *first, const float *second, int64_t size) {
  for (int64_t i = 0; i < size; i += lanes) {
    store(to + i, first ? load(first + i) : zero());
    store(to + size + i, second ? load(second + i) : zero());
  }
}

// Writes weights exp(scale (score - largest)) of scores [padded], and returns their sum. What
// is from length on is of no key and becomes nearly 0; the values there are 0. The weights may
// take the scores' place.
template <class T>
float exponentials(float *scores, int64_t length, float scale, T *weights) {
  const int64_t end = padded(length);
  for (int64_t i = length; i < end; i++) scores[i] = -__builtin_inff();
  Floats top = all(-__builtin_inff());
  for (int64_t i = 0; i < end; i += lanes) top = max(top, load(scores + i));
  const float factor = scale * log2e;
  const Floats by = all(factor), shift = all(-greatest(top) * factor);
  Floats total = zero();
  for (int64_t i = 0; i < end; i += 2 * lanes) {
    const Floats first = power(fma(load(scores + i), by, shift)), second = power(fma(load(scores + i + lanes), by, shift));
    total = total + (first + second);
    store_weights(weights + i, first, second);
  }
  return sum(total);
}

int64_t packed(const Head &head) { return padded(head.length) * head.size; }

// Scores and weights, then sums and queries.
int64_t attention_scratch(const Head &head) {
  return queries * (padded(head.length) + head.size) * 2 * static_cast<int64_t>(sizeof(float));
}

// Blocks of keys, [units, block] each.
template <class T>
void pack_keys(const Head &head, const T *keys, int64_t stride, T *packed) {
  const int64_t units = head.size / per_unit<T>, step = stride / per_unit<T>;
  for (int64_t first = 0; first < padded(head.length); first += lanes)
    pack_units(reinterpret_cast<const int32_t *>(keys) + first * step, step, head.length - first, units,
               reinterpret_cast<int32_t *>(packed) + first / block * block * units + first % block, block);
}

// Blocks of columns of values, [L / per_unit, block] units each; the last may be narrower.
template <class T>
void pack_values(const Head &head, const T *values, int64_t stride, T *packed) {
  const int64_t length = padded(head.length);
  for (int64_t column = 0; column < head.size; column += block) {
    const int64_t now = least(block, head.size - column);
    const auto row = [&](int64_t i) { return i < head.length ? values + i * stride + column : nullptr; };
    for (int64_t i = 0; i < length; i += 2) store_pairs(packed + column * length + i * now, row(i), row(i + 1), now);
  }
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
    attention_products<T, wide>(rows, size, keys + key * size, size / per_unit<T>, false, scores + key, length);
  float total[queries];
  for (int64_t i = 0; i < queries; i++) total[i] = exponentials(scores + i * length, head.length, scale, weights + i * length);
  for (int64_t column = 0; column < size; column += block) {
    const int64_t now = least(block, size - column), units = length / per_unit<T>;
    for (int64_t u = 0; u < units; u += values_at_once)
      products_of<T>[now / lanes - 1](weights + u * per_unit<T>, length, values + column * length + u * now * per_unit<T>,
                                      least(values_at_once, units - u), u > 0, sums + column, size);
  }
  for (int64_t i = 0; i < count; i++)
    for (int64_t column = 0; column < size; column += lanes)
      store(out + i * out_stride + column, load(sums + i * size + column) / all(total[i]));
}

}  // namespace
}  // namespace acd
