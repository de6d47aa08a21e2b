// Attention. For a few queries at a time all scores are computed, then their softmax, then the
// weighted sum of values. Both products have the same kernel, unless scores are of bytes.
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

// Scores of queries with keys in their type T, or as bytes in Scores<uint8_t>.
template <class T>
struct Scores {
  static int64_t packed(const Head &head) { return padded(head.length) * head.size * static_cast<int64_t>(sizeof(T)); }

  // Blocks of keys, [units, block] each.
  static void pack(const Head &head, const T *keys, int64_t stride, char *packed) {
    const int64_t units = head.size / per_unit<T>;
    for (int64_t first = 0; first < padded(head.length); first += lanes) {
      const int64_t count = least(lanes, head.length - first);
      int32_t rows[lanes * largest_head];
      for (int64_t i = 0; i < count; i++) __builtin_memcpy(rows + i * units, keys + (first + i) * stride, head.size * sizeof(T));
      pack_units(rows, units, count, units, reinterpret_cast<int32_t *>(packed) + first / block * block * units + first % block, block);
    }
  }

  static void compute(const Head &head, const T *q, int64_t stride, int64_t count, const char *packed, float *scores) {
    const int64_t length = padded(head.length), size = head.size;
    T rows[queries * largest_head];
    __builtin_memset(rows, 0, sizeof rows);
    for (int64_t i = 0; i < count; i++) __builtin_memcpy(rows + i * size, q + i * stride, size * sizeof(T));
    for (int64_t key = 0; key < length; key += block)
      attention_products<T, wide>(rows, size, reinterpret_cast<const T *>(packed) + key * size, size / per_unit<T>, false, scores + key, length);
  }
};

// Queries are rounded as a product's inputs, keys as its weights, but with one unit together,
// which allows smaller steps. The keys' mean is taken away before: it changes all scores of a
// query by the same, so not their softmax (SageAttention, Zhang et al., 2025).
template <>
struct Scores<uint8_t> {
  static_assert(block % panel == 0, "padded keys are whole panels");

  static int64_t panel_size(const Head &head) { return (head.size / per_unit<uint8_t> + 1) * panel; }

  // Panels, then steps.
  static int64_t packed(const Head &head) {
    return (padded(head.length) / panel * panel_size(head) + padded(head.length)) * static_cast<int64_t>(sizeof(int32_t));
  }

  static void pack(const Head &head, const float *keys, int64_t stride, char *packed) {
    const int64_t size = head.size, length = padded(head.length);
    float mean[largest_head] = {};
    for (int64_t key = 0; key < head.length; key++)
      for (int64_t i = 0; i < size; i++) mean[i] += keys[key * stride + i];
    for (int64_t i = 0; i < size; i++) mean[i] /= static_cast<float>(head.length);

    int32_t *to = reinterpret_cast<int32_t *>(packed);
    float *const steps = reinterpret_cast<float *>(to + length / panel * panel_size(head));
    for (int64_t first = 0; first < length; first += panel, to += panel_size(head)) {
      uint8_t rows[panel * largest_head];
      int64_t count = 0;
      for (; count < panel && first + count < head.length; count++) {
        float row[largest_head];
        for (int64_t i = 0; i < size; i++) row[i] = keys[(first + count) * stride + i] - mean[i];
        quantise_weights<1>(row, 1, size, rows + count * size, steps + first + count);
      }
      for (int64_t i = 0; i < count * size; i++) rows[i] ^= 128;  // signed
      for (int64_t i = count; i < panel; i++) steps[first + i] = 0;
      pack_panel(rows, count, size, reinterpret_cast<uint8_t *>(to));
    }
  }

  static void compute(const Head &head, const float *q, int64_t stride, int64_t count, const char *packed, float *scores) {
    const int64_t size = head.size, units = size / per_unit<uint8_t>, length = padded(head.length);
    uint8_t rows[queries * largest_head] = {};
    float row_steps[queries] = {};
    for (int64_t i = 0; i < count; i++) quantise_rows(q + i * stride, 1, size, rows + i * size, row_steps + i);
    constexpr int64_t tiles = (queries + tile - 1) / tile;
    int32_t a[tiles * tile * largest_head / per_unit<uint8_t> + lanes], sums[tile * panel];
    for (int64_t t = 0; t < tiles; t++)
      pack_units(reinterpret_cast<const int32_t *>(rows) + t * tile * units, units, least(tile, queries - t * tile), units,
                 a + t * tile * units, tile);

    const int32_t *keys = reinterpret_cast<const int32_t *>(packed);
    const float *const steps = reinterpret_cast<const float *>(keys + length / panel * panel_size(head));
    for (int64_t key = 0; key < length; key += panel, keys += panel_size(head))
      for (int64_t t = 0; t < tiles; t++) {
        product<uint8_t, 1>(a + t * tile * units, keys + panel, units, keys, false, sums);
        for (int64_t r = 0; r < least(tile, queries - t * tile); r++)
          for (int64_t v = 0; v < panel; v += lanes)
            store(scores + (t * tile + r) * length + key + v,
                  to_floats(load_whole(sums + r * panel + v)) * (all(row_steps[t * tile + r]) * load(steps + key + v)));
      }
  }
};

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

// The bytes of packed values, which keys follow.
template <class T>
int64_t values_size(const Head &head) {
  return padded(head.length) * head.size * static_cast<int64_t>(sizeof(T));
}

template <class T, class Score>
int64_t packed(const Head &head) {
  return values_size<T>(head) + Scores<Score>::packed(head);
}

template <class T, class Score>
void pack(const Head &head, const T *keys, int64_t keys_stride, const T *values, int64_t values_stride, void *packed) {
  pack_values(head, values, values_stride, static_cast<T *>(packed));
  Scores<Score>::pack(head, keys, keys_stride, static_cast<char *>(packed) + values_size<T>(head));
}

// Scores and weights, then sums.
int64_t attention_scratch(const Head &head) {
  return queries * (padded(head.length) * 2 + head.size) * static_cast<int64_t>(sizeof(float));
}

template <class T, class Score>
void attend(const Head &head, const T *q, int64_t q_stride, int64_t count, const void *packed, float scale, void *scratch, T *out,
            int64_t out_stride) {
  const int64_t length = padded(head.length), size = head.size, units = length / per_unit<T>;
  const T *const values = static_cast<const T *>(packed);
  float *const scores = static_cast<float *>(scratch), *const sums = scores + queries * length;
  T *const weights = reinterpret_cast<T *>(sums + queries * size);

  Scores<Score>::compute(head, q, q_stride, count, static_cast<const char *>(packed) + values_size<T>(head), scores);
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
