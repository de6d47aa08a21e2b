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
  Floats sum[group][V] = {};
  if (more) {
#pragma GCC unroll 8
    for (int r = 0; r < group; r++)
      for (int v = 0; v < V; v++) sum[r][v] = load(c + r * c_stride + v * lanes);
  }
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

// Writes two lines of units of one row each, or one of units of both. Null is zeros.
void store_rows(const float *first, const float *second, int64_t size, float *to) {
  for (int64_t i = 0; i < size; i += lanes) {
    store(to + i, first ? load(first + i) : zero());
    store(to + size + i, second ? load(second + i) : zero());
  }
}
#if defined(__AVX512BF16__)
void store_rows(const bf16 *first, const bf16 *second, int64_t size, bf16 *to) {
  const auto whole = [](const bf16 *from, int64_t i) { return from ? load_whole(from + i) : whole_zero(); };
  for (int64_t i = 0; i < size; i += lanes) store_whole(reinterpret_cast<int32_t *>(to + 2 * i), pairs(whole(first, i), whole(second, i)));
}
#endif

// Writes weights exp(factor (score - largest)) of scores [padded], and 0 for those from length
// on, which are of no key. It returns the weights' sum.
template <class T>
float exponentials(float *scores, int64_t length, float factor, T *weights) {
  const int64_t end = padded(length), full = length / lanes * lanes;
  for (int64_t i = length; i < end; i++) scores[i] = scores[0];
  Floats top = load(scores);
  for (int64_t i = lanes; i < end; i += lanes) top = max(top, load(scores + i));
  const Floats by = all(factor * log2e), shift = all(-greatest(top) * (factor * log2e));
  Floats total = zero();
  for (int64_t i = 0; i < end; i += lanes) {
    Floats weight = power(fma(load(scores + i), by, shift));
    if (i >= full) weight = only(first_lanes(length - i), weight);
    total = total + weight;
    store(weights + i, weight);
  }
  return sum(total);
}

// Packed keys, then values.
template <class T>
int64_t packed(const Head &head) {
  return 2 * padded(head.length) * head.size * static_cast<int64_t>(sizeof(T));
}

// Scores and weights, then sums and queries.
int64_t attention_scratch(const Head &head) {
  return queries * (padded(head.length) + head.size) * 2 * static_cast<int64_t>(sizeof(float));
}

// Blocks of keys, [units, block] each.
template <class T>
void pack_keys(const Head &head, const T *keys, int64_t stride, T *packed) {
  const int64_t units = head.size / per_unit<T>;
  for (int64_t first = 0; first < padded(head.length); first += lanes) {
    const int64_t count = least(lanes, head.length - first);
    int32_t rows[lanes * largest_head];
    for (int64_t i = 0; i < count; i++) __builtin_memcpy(rows + i * units, keys + (first + i) * stride, head.size * sizeof(T));
    pack_units(rows, units, count, units, reinterpret_cast<int32_t *>(packed) + first / block * block * units + first % block, block);
  }
}

// Blocks of columns of values, [L / per_unit, block] units each; the last may be narrower.
template <class T>
void pack_values(const Head &head, const T *values, int64_t stride, T *packed) {
  const int64_t length = padded(head.length);
  for (int64_t column = 0; column < head.size; column += block) {
    const int64_t now = least(block, head.size - column);
    const auto row = [&](int64_t i) { return i < head.length ? values + i * stride + column : nullptr; };
    for (int64_t i = 0; i < length; i += 2) store_rows(row(i), row(i + 1), now, packed + column * length + i * now);
  }
}

template <class T>
void pack(const Head &head, const T *keys, int64_t keys_stride, const T *values, int64_t values_stride, void *packed) {
  pack_keys(head, keys, keys_stride, static_cast<T *>(packed));
  pack_values(head, values, values_stride, static_cast<T *>(packed) + padded(head.length) * head.size);
}

template <class T>
void attend(const Head &head, const T *q, int64_t q_stride, int64_t count, const void *packed, float scale, void *scratch, T *out,
            int64_t out_stride) {
  const int64_t length = padded(head.length), size = head.size, units = length / per_unit<T>;
  const T *const keys = static_cast<const T *>(packed), *const values = keys + length * size;
  float *const scores = static_cast<float *>(scratch), *const sums = scores + queries * length;
  T *const weights = reinterpret_cast<T *>(sums + queries * size), *const rows = weights + queries * length;
  __builtin_memset(rows, 0, queries * size * sizeof(T));
  for (int64_t i = 0; i < count; i++) __builtin_memcpy(rows + i * size, q + i * q_stride, size * sizeof(T));

  for (int64_t key = 0; key < length; key += block)
    attention_products<T, wide>(rows, size, keys + key * size, size / per_unit<T>, false, scores + key, length);
  float total[queries];
  for (int64_t i = 0; i < queries; i++) total[i] = exponentials(scores + i * length, head.length, scale, weights + i * length);
  for (int64_t u = 0; u < units; u += values_at_once)
    for (int64_t column = 0; column < size; column += block) {
      const int64_t now = least(block, size - column);
      products_of<T>[now / lanes - 1](weights + u * per_unit<T>, length, values + column * length + u * now * per_unit<T>,
                                      least(values_at_once, units - u), u > 0, sums + column, size);
    }
  for (int64_t i = 0; i < count; i++)
    for (int64_t column = 0; column < size; column += lanes)
      store(out + i * out_stride + column, load(sums + i * size + column) / all(total[i]));
}

}  // namespace
}  // namespace acd
