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
void attention_product(const T *a, int64_t a_stride, const T *b, int64_t units, bool more, int32_t *c, int64_t c_stride) {
  typename SumOf<T>::type sum[group][V] = {};
  if (more) {
#pragma GCC unroll 8
    for (int r = 0; r < group; r++)
      for (int v = 0; v < V; v++) get(c + r * c_stride + v * lanes, sum[r][v]);
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
    for (int v = 0; v < V; v++) put(c + r * c_stride + v * lanes, sum[r][v]);
}

// The product for `queries` rows.
template <class T, int V>
void attention_products(const T *a, int64_t a_stride, const T *b, int64_t units, bool more, int32_t *c, int64_t c_stride) {
  static_assert(queries % group == 0, "rows come in whole groups");
  for (int64_t r = 0; r < queries; r += group)
    attention_product<T, V>(a + r * a_stride, a_stride, b, units, more, c + r * c_stride, c_stride);
}

template <class T>
using Products = void (*)(const T *, int64_t, const T *, int64_t, bool, int32_t *, int64_t);

template <class T>
constexpr Products<T> products_of[] = {attention_products<T, 1>, attention_products<T, 2>
#if defined(__AVX512F__)
                                       , attention_products<T, 3>, attention_products<T, 4>
#endif
};
static_assert(sizeof products_of<float> / sizeof *products_of<float> == wide, "there is a product for each number of registers");

// The values of a head, whose size is a multiple of a register's, become numbers of E: the same
// in float and bf16, or whole numbers of 16 bits, up to most and with a step. A product of a
// query and a key with numbers up to most_score fits into 32 bits, and so does one of weights,
// whose sum is most_value, and values.
constexpr float most_score = 4000, most_value = 32767;
static_assert(largest_head * most_score * most_score < 2147483647.0F, "scores fit into 32 bits");

template <class E>
constexpr bool is_whole = false;
template <>
constexpr bool is_whole<int16_t> = true;

// The step of rows' values: 1, or NaN if one is NaN.
template <class E, class T>
float step_of(const T *rows, int64_t count, int64_t size, int64_t stride, float most) {
  if constexpr (is_whole<E>) {
    Floats top = zero();
    bool unordered = false;
    for (int64_t r = 0; r < count; r++)
      for (int64_t i = 0; i < size; i += lanes) {
        const Floats x = magnitude(load(rows + r * stride + i));
        unordered |= has_nan(x);
        top = max(top, x);
      }
    const float range = greatest(top);
    return unordered ? __builtin_nanf("") : (range > 1e-12F ? range : 1e-12F) / most;
  }
  return 1;
}

// Writes a row of a head as numbers of E.
template <class T>
void convert(const T *row, int64_t size, float, T *to) {
  __builtin_memcpy(to, row, size * sizeof(T));
}
inline void convert(const float *row, int64_t size, float step, int16_t *to) {
  for (int64_t i = 0; i < size; i += lanes) store(to + i, load(row + i) * all(1 / step));
}

// Writes two lines of units of one row each, or one of units of both. Null is zeros.
void convert_two(const float *first, const float *second, int64_t size, float, float *to) {
  for (int64_t i = 0; i < size; i += lanes) {
    store(to + i, first ? load(first + i) : zero());
    store(to + size + i, second ? load(second + i) : zero());
  }
}
inline void convert_two(const float *first, const float *second, int64_t size, float step, int16_t *to) {
  const auto whole = [&](const float *from, int64_t i) { return from ? rounded(load(from + i) * all(1 / step)) : whole_zero(); };
  for (int64_t i = 0; i < size; i += lanes) store_whole(reinterpret_cast<int32_t *>(to + 2 * i), pairs(whole(first, i), whole(second, i)));
}
#if defined(__AVX512BF16__)
void convert_two(const bf16 *first, const bf16 *second, int64_t size, float, bf16 *to) {
  const auto whole = [](const bf16 *from, int64_t i) { return from ? load_whole(from + i) : whole_zero(); };
  for (int64_t i = 0; i < size; i += lanes) store_whole(reinterpret_cast<int32_t *>(to + 2 * i), pairs(whole(first, i), whole(second, i)));
}
#endif

inline Floats score(const float *from) { return load(from); }
inline Floats score(const int32_t *from) { return to_floats(load_whole(from)); }

// Writes exp(factor (score - largest)) of scores [padded], floats or whole numbers, and 0 for
// those from length on, which are of no key. It returns their sum. They may take the scores' place.
template <class Score, class To>
float exponentials(Score *scores, int64_t length, float factor, To *to) {
  const int64_t end = padded(length), full = length / lanes * lanes;
  for (int64_t i = length; i < end; i++) scores[i] = scores[0];
  Floats top = score(scores);
  for (int64_t i = lanes; i < end; i += lanes) top = max(top, score(scores + i));
  const Floats by = all(factor * log2e), shift = all(-greatest(top) * (factor * log2e));
  const auto weight = [&](int64_t i) { return power(fma(score(scores + i), by, shift)); };
  Floats total = zero();
  int64_t i = 0;
  for (; i < full; i += lanes) {
    const Floats x = weight(i);
    total = total + x;
    store(to + i, x);
  }
  for (; i < end; i += lanes) {
    const Floats x = only(first_lanes(length - i), weight(i));
    total = total + x;
    store(to + i, x);
  }
  return sum(total);
}

// The weights of scores, which may lose their values, and their sum.
template <class E>
float weigh(int32_t *scores, int64_t length, float factor, E *weights) {
  float *const floats = reinterpret_cast<float *>(scores);
  if constexpr (!is_whole<E>) return exponentials(floats, length, factor, weights);
  else {
    const Floats times = all(most_value / exponentials(scores, length, factor, floats));
    Counts total = {};
    for (int64_t i = 0; i < padded(length); i += lanes) {
      const Floats weight = load(floats + i) * times;
      total += (Counts)rounded(weight);
      store(weights + i, weight);
    }
    return sum(to_floats((Whole)total));
  }
}

// Packed keys and values, after the steps of both.
constexpr int64_t steps_bytes = 64;

template <class E>
int64_t packed(const Head &head) {
  return steps_bytes + 2 * padded(head.length) * head.size * static_cast<int64_t>(sizeof(E));
}

// Scores and weights, then sums and queries.
int64_t attention_scratch(const Head &head) {
  return queries * (padded(head.length) + head.size) * 2 * static_cast<int64_t>(sizeof(float));
}

// Blocks of keys, [units, block] each.
template <class E, class T>
void pack_keys(const Head &head, const T *keys, int64_t stride, float step, E *packed) {
  const int64_t units = head.size / per_unit<E>;
  for (int64_t first = 0; first < padded(head.length); first += lanes) {
    const int64_t count = least(lanes, head.length - first);
    int32_t rows[lanes * largest_head];
    for (int64_t i = 0; i < count; i++)
      convert(keys + (first + i) * stride, head.size, step, reinterpret_cast<E *>(rows) + i * head.size);
    pack_units(rows, units, count, units, reinterpret_cast<int32_t *>(packed) + first / block * block * units + first % block, block);
  }
}

// Blocks of columns of values, [L / per_unit, block] units each; the last may be narrower.
template <class E, class T>
void pack_values(const Head &head, const T *values, int64_t stride, float step, E *packed) {
  const int64_t length = padded(head.length);
  for (int64_t column = 0; column < head.size; column += block) {
    const int64_t now = least(block, head.size - column);
    const auto row = [&](int64_t i) { return i < head.length ? values + i * stride + column : nullptr; };
    for (int64_t i = 0; i < length; i += 2) convert_two(row(i), row(i + 1), now, step, packed + column * length + i * now);
  }
}

template <class E, class T>
void pack(const Head &head, const T *keys, int64_t keys_stride, const T *values, int64_t values_stride, void *packed) {
  float *const steps = static_cast<float *>(packed);
  steps[0] = step_of<E>(keys, head.length, head.size, keys_stride, most_score);
  steps[1] = step_of<E>(values, head.length, head.size, values_stride, most_value);
  E *const to = reinterpret_cast<E *>(static_cast<char *>(packed) + steps_bytes);
  pack_keys(head, keys, keys_stride, steps[0], to);
  pack_values(head, values, values_stride, steps[1], to + padded(head.length) * head.size);
}

// The weighted sum of values from the sum of their numbers.
template <class E>
Floats weighted(const int32_t *sums, float step, float total) {
  if constexpr (is_whole<E>) return to_floats(load_whole(sums)) * all(step / total);
  return load(reinterpret_cast<const float *>(sums)) / all(total);
}

template <class E, class T>
void attend(const Head &head, const T *q, int64_t q_stride, int64_t count, const void *packed, float scale, void *scratch, T *out,
            int64_t out_stride) {
  const int64_t length = padded(head.length), size = head.size;
  const float *const steps = static_cast<const float *>(packed);
  const E *const keys = reinterpret_cast<const E *>(static_cast<const char *>(packed) + steps_bytes), *const values = keys + length * size;
  int32_t *const scores = static_cast<int32_t *>(scratch), *const sums = scores + queries * length;
  E *const weights = reinterpret_cast<E *>(sums + queries * size), *const rows = weights + queries * length;

  float factors[queries] = {};
  __builtin_memset(rows, 0, queries * size * sizeof(E));
  for (int64_t i = 0; i < count; i++) {
    const T *const row = q + i * q_stride;
    const float step = step_of<E>(row, 1, size, size, most_score);
    convert(row, size, step, rows + i * size);
    factors[i] = is_whole<E> ? scale * (step * steps[0]) : scale;
  }
  for (int64_t key = 0; key < length; key += block)
    attention_products<E, wide>(rows, size, keys + key * size, size / per_unit<E>, false, scores + key, length);

  float total[queries];
  for (int64_t i = 0; i < queries; i++)
    total[i] = weigh(scores + i * length, head.length, factors[i], weights + i * length);
  const int64_t units = length / per_unit<E>;
  for (int64_t u = 0; u < units; u += values_at_once)
    for (int64_t column = 0; column < size; column += block) {
      const int64_t now = least(block, size - column);
      products_of<E>[now / lanes - 1](weights + u * per_unit<E>, length, values + column * length + u * now * per_unit<E>,
                                      least(values_at_once, units - u), u > 0, sums + column, size);
    }
  for (int64_t i = 0; i < count; i++)
    for (int64_t column = 0; column < size; column += lanes)
      store(out + i * out_stride + column, weighted<E>(sums + i * size + column, steps[1], total[i]));
}

}  // namespace
}  // namespace acd
