// Matrix products for AVX-512. A tile of rows and a panel of outputs are summed in registers
// over a block of inputs, for which the rows of a few tiles are packed so that they and the
// panel are read in order from the second-level cache (Goto and van de Geijn, 2008).
#include "avx512.h"

#if defined(__AVX512BF16__)

#include <immintrin.h>

#include "avx512_lanes.h"

namespace acd::avx512 {
namespace {

constexpr int64_t depth = 1024;  // units of a block
constexpr int64_t chunk = 4;     // tiles that are packed at a time
constexpr int64_t columns = panel / lanes;
constexpr int64_t ahead = 32;  // units that are fetched before they are used

int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

void transpose(__m512i row[lanes]) {
  __m512i t[lanes];
  for (int i = 0; i < lanes; i += 2) {
    t[i] = _mm512_unpacklo_epi32(row[i], row[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(row[i], row[i + 1]);
  }
  for (int i = 0; i < lanes; i += 4)
    for (int j = 0; j < 2; j++) {
      row[i + 2 * j] = _mm512_unpacklo_epi64(t[i + j], t[i + j + 2]);
      row[i + 2 * j + 1] = _mm512_unpackhi_epi64(t[i + j], t[i + j + 2]);
    }
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

// Writes units [units, count] of rows [count <= 16], whose units are stride apart, to lines that
// are step units apart. A line is written as 16 units, which the next line overwrites; those of
// no row are 0.
void pack(const int32_t *rows, int64_t stride, int64_t count, int64_t units, int32_t *to, int64_t step) {
  for (int64_t u = 0; u < units; u += lanes) {
    const __mmask16 mask = first_lanes(units - u);
    __m512i block[lanes];
    for (int64_t r = 0; r < lanes; r++)
      block[r] = r < count ? _mm512_maskz_loadu_epi32(mask, rows + r * stride + u) : _mm512_setzero_si512();
    transpose(block);
    for (int64_t i = 0; i < least(lanes, units - u); i++) _mm512_storeu_si512(to + (u + i) * step, block[i]);
  }
}

// Whole numbers are stored plus 128, and their sums begin with what that adds, negative. It is
// the first row of a panel.
template <class T>
constexpr bool starts = sizeof(T) == 1;

// Sums of a type: 16 floats, or whole numbers.
template <class T>
struct Sums {
  using type = __m512;
};
template <>
struct Sums<uint8_t> {
  using type = __v16si;
};

void put(void *to, __m512 sums) { _mm512_storeu_ps(to, sums); }
void put(void *to, __v16si sums) { _mm512_storeu_si512(to, (__m512i)sums); }

void get(const void *from, __m512 &sums) { sums = _mm512_loadu_ps(from); }
void get(const void *from, __v16si &sums) { sums = (__v16si)_mm512_loadu_si512(from); }

// c [tile, panel] = a [units, tile] b [units, panel], plus start [panel] if it is not null, or
// plus c if more. The sums, one row of b and one value of a fit into the 32 registers. They are
// added to c at the end: short sums are rounded less.
template <class T>
void product(const int32_t *a, const T *b, int64_t units, const T *start, bool more, int32_t *c) {
  typename Sums<T>::type sum[tile][columns] = {};
  if (start) {
#pragma GCC unroll 14
    for (int r = 0; r < tile; r++)
      for (int v = 0; v < columns; v++) get(start + v * lanes * per_unit<T>, sum[r][v]);
  }
  for (int64_t u = 0; u < units; u++, a += tile, b += panel * per_unit<T>) {
    __m512i part[columns];
    for (int v = 0; v < columns; v++) {
      part[v] = _mm512_loadu_si512(b + v * lanes * per_unit<T>);
      _mm_prefetch(b + (ahead * panel + v * lanes) * per_unit<T>, _MM_HINT_T0);
    }
#pragma GCC unroll 14
    for (int r = 0; r < tile; r++) {
      const __m512i all = broadcast(a + r);
      for (int v = 0; v < columns; v++) sum[r][v] = add_product(sum[r][v], all, part[v], T());
    }
  }
#pragma GCC unroll 14
  for (int r = 0; r < tile; r++)
    for (int v = 0; v < columns; v++) {
      int32_t *const to = c + r * panel + v * lanes;
      typename Sums<T>::type before = {};
      if (more) get(to, before);
      put(to, sum[r][v] + before);
    }
}

// The outputs of a row from column on, before the activation.
template <class T, class Out>
__m512 scaled(const Product<T, Out> &p, const int32_t *sums, int64_t, int64_t column, __mmask16 mask) {
  return _mm512_add_ps(_mm512_loadu_ps(sums), load(static_cast<const T *>(p.bias) + column, mask));
}
template <class Out>
__m512 scaled(const Product<uint8_t, Out> &p, const int32_t *sums, int64_t row, int64_t column, __mmask16 mask) {
  const __m512 scale = _mm512_mul_ps(load(p.scales + column, mask), _mm512_set1_ps(p.steps[row]));
  return _mm512_fmadd_ps(_mm512_cvtepi32_ps(_mm512_loadu_si512(sums)), scale, load(static_cast<const float *>(p.bias) + column, mask));
}

__m512 activated(__m512 x, Activation activation) {
  if (activation == Activation::none) return x;
  return activation == Activation::gelu ? gelu(x) : quick_gelu(x);
}

// Writes the output of a tile and a panel from its sums [tile, panel].
template <class T, class Out>
void finish(const Product<T, Out> &p, const int32_t *sums, int64_t row, int64_t column) {
  const int64_t rows = least(tile, p.count - row);
  for (int64_t r = 0; r < rows; r++, row++)
    for (int64_t v = 0; v < panel && column + v < p.outputs; v += lanes) {
      const __mmask16 mask = first_lanes(p.outputs - column - v);
      const int64_t place = row * p.outputs + column + v;
      __m512 x = activated(scaled(p, sums + r * panel + v, row, column + v, mask), p.activation);
      if (p.residual) x = _mm512_add_ps(x, load(p.residual + place, mask));
      store(p.out + place, mask, x);
    }
}

constexpr int64_t packed_units = chunk * tile * depth + lanes;

}  // namespace

template <class T>
void pack_panel(const T *rows, int64_t count, int64_t inputs, T *packed) {
  const int64_t units = inputs / per_unit<T>;
  const auto from = reinterpret_cast<const int32_t *>(rows);
  auto to = reinterpret_cast<int32_t *>(packed);
  if (starts<T>) {
    for (int64_t r = 0; r < panel; r++) {
      int32_t sum = 0;
      for (int64_t i = 0; r < count && i < inputs; i++) sum += reinterpret_cast<const int8_t *>(rows)[r * inputs + i];
      *to++ = -128 * sum;
    }
  }
  for (int64_t r = 0; r < panel; r += lanes) pack(from + r * units, units, count - r, units, to + r, panel);
}

int64_t scratch(int64_t inputs, int64_t panels) {
  const int64_t tiles = inputs > depth ? chunk * panels : 1;
  return (packed_units + tiles * tile * panel) * static_cast<int64_t>(sizeof(int32_t));
}

template <class T, class Out>
void multiply(const Product<T, Out> &p, const Part &part, void *scratch) {
  const int64_t units = p.inputs / per_unit<T>, step = panel_rows<T>(p.inputs) * panel;
  int32_t *const packed = static_cast<int32_t *>(scratch), *const sums = packed + packed_units;
  for (int64_t first = part.first_tile; first < part.end_tile; first += chunk) {
    const int64_t tiles = least(chunk, part.end_tile - first);
    for (int64_t u = 0; u < units; u += depth) {
      const int64_t now = least(depth, units - u);
      for (int64_t i = 0; i < tiles; i++) {
        const int64_t row = (first + i) * tile;
        pack(reinterpret_cast<const int32_t *>(p.rows) + row * units + u, units, least(tile, p.count - row), now,
             packed + i * tile * now, tile);
      }
      for (int64_t n = part.first_panel; n < part.end_panel; n++) {
        const T *const whole = p.panels + n * step, *const first_unit = whole + (panel_rows<T>(0) + u * per_unit<T>) * panel;
        for (int64_t i = 0; i < tiles; i++) {
          // Sums are kept only if there is another block for them.
          int32_t *const c = sums + (units > depth ? ((n - part.first_panel) * chunk + i) * tile * panel : 0);
          product(packed + i * tile * now, first_unit, now, starts<T> && u == 0 ? whole : nullptr, u > 0, c);
          if (u + now == units) finish(p, c, (first + i) * tile, n * panel);
        }
      }
    }
  }
}

template void pack_panel(const float *, int64_t, int64_t, float *);
template void pack_panel(const bf16 *, int64_t, int64_t, bf16 *);
template void pack_panel(const uint8_t *, int64_t, int64_t, uint8_t *);
template void multiply(const Product<float, float> &, const Part &, void *);
template void multiply(const Product<bf16, float> &, const Part &, void *);
template void multiply(const Product<bf16, bf16> &, const Part &, void *);
template void multiply(const Product<uint8_t, float> &, const Part &, void *);
template void multiply(const Product<uint8_t, bf16> &, const Part &, void *);

}  // namespace acd::avx512

#endif
