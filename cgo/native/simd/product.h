// Matrix products. A tile of rows and a panel of outputs are summed in registers over a block of
// inputs, for which the rows of a few tiles are packed so that they and the panel are read in
// order from the second-level cache (Goto and van de Geijn, 2008).
#pragma once

namespace acd {
namespace {

constexpr int64_t panel = columns * lanes;
constexpr int64_t ahead = 32;  // units that are fetched before they are used, unless fetch_early

// Whole numbers are stored plus 128, and their sums begin with what that adds, negative. It is
// the first row of a panel.
template <class T>
constexpr bool starts = sizeof(T) == 1;

// Without VNNI, products of bytes are added in 16 bits, of some units together, before they are
// added to sums in 32 bits (rows.h, weight_step).
template <class T>
constexpr int64_t units_together = sizeof(T) == 1 && !vnni ? 2 : 1;

// Sums of a type: floats or, of bytes, whole numbers. Memory for either is of int32_t.
template <class T>
struct SumOf {
  using type = Floats;
};
template <>
struct SumOf<uint8_t> {
  using type = Counts;
};

void put(int32_t *to, Floats sums) { store(reinterpret_cast<float *>(to), sums); }
void put(int32_t *to, Counts sums) { store_whole(to, (Whole)sums); }

void get(const int32_t *from, Floats &sums) { sums = load(reinterpret_cast<const float *>(from)); }
void get(const int32_t *from, Counts &sums) { sums = (Counts)load_whole(from); }

// Sums of some rows of a tile.
template <class T, int64_t rows>
using SumsOf = typename SumOf<T>::type[rows][columns];

// Begins to load values into the caches.
void fetch(const int32_t *from, int64_t count) {
  for (int64_t i = 0; i < count; i += 16) _mm_prefetch(from + i, _MM_HINT_T0);
}

// Adds the products of one unit. It is inlined so that the sums stay in registers.
template <class T, int64_t rows>
[[gnu::always_inline]] inline void add_unit(const int32_t *a, const int32_t *b, SumsOf<T, rows> &sum) {
  Whole line[columns];
  for (int v = 0; v < columns; v++) line[v] = load_whole(b + v * lanes);
  if (!fetch_early) fetch(b + ahead * panel, panel);
#pragma GCC unroll 16
  for (int r = 0; r < rows; r++) {
    const Whole unit = broadcast(a + r);
    for (int v = 0; v < columns; v++) sum[r][v] = add_product(sum[r][v], unit, line[v], T());
  }
}

// Adds the products of some units of bytes together.
template <int64_t together, int64_t rows>
[[gnu::always_inline]] inline void add_units(const int32_t *a, const int32_t *b, SumsOf<uint8_t, rows> &sum) {
  SumsOf<uint8_t, rows> products;
#pragma GCC unroll 16
  for (int u = 0; u < together; u++, a += tile, b += panel) {
    Whole line[columns];
    for (int v = 0; v < columns; v++) line[v] = load_whole(b + v * lanes);
    if (!fetch_early) fetch(b + ahead * panel, panel);
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) {
      const Whole unit = broadcast(a + r);
      for (int v = 0; v < columns; v++) {
        const Counts now = products_16(unit, line[v]);
        products[r][v] = u == 0 ? now : add_16(products[r][v], now);
        asm("" : "+v"(products[r][v]));  // g++ would add in another order, which takes more registers
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < rows; r++)
    for (int v = 0; v < columns; v++) sum[r][v] = add_to_32(sum[r][v], products[r][v]);
}

// c [tile, panel] = a [units, tile] b [units, panel], plus start [panel] if it is not null, or
// plus c if more. The sums are added to c at the end: short sums are rounded less.
//
// The sums fit into the registers with one line of b and one value of a; and those of half the
// rows with as many sums of some units together.
template <class T, int64_t together = units_together<T>>
void product(const int32_t *a, const int32_t *b, int64_t units, const int32_t *start, bool more, int32_t *c) {
  constexpr int64_t rows = together > 1 ? tile / 2 : tile;
  static_assert(tile % rows == 0, "the rows are a part of a tile");
  for (int64_t row = 0; row < tile; row += rows, a += rows, c += rows * panel) {
    SumsOf<T, rows> sum = {};
    if (start) {
#pragma GCC unroll 16
      for (int r = 0; r < rows; r++)
        for (int v = 0; v < columns; v++) get(start + v * lanes, sum[r][v]);
    }
    int64_t u = 0;
    if constexpr (together > 1)
      for (; u + together <= units; u += together) add_units<together, rows>(a + u * tile, b + u * panel, sum);
    for (; u < units; u++) add_unit<T, rows>(a + u * tile, b + u * panel, sum);
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++)
      for (int v = 0; v < columns; v++) {
        int32_t *const to = c + r * panel + v * lanes;
        typename SumOf<T>::type before = {};
        if (more) get(to, before);
        put(to, sum[r][v] + before);
      }
  }
}

// The outputs of a row from column on, before the activation.
template <class T, class Out>
Floats scaled(const Product<T, Out> &p, const int32_t *sums, int64_t, int64_t column, Mask mask) {
  return load(reinterpret_cast<const float *>(sums)) + load(static_cast<const T *>(p.bias) + column, mask);
}
template <class Out>
Floats scaled(const Product<uint8_t, Out> &p, const int32_t *sums, int64_t row, int64_t column, Mask mask) {
  const Floats scale = load(p.scales + column, mask) * all(p.steps[row]);
  return fma(to_floats(load_whole(sums)), scale, load(static_cast<const float *>(p.bias) + column, mask));
}

Floats activated(Floats x, Activation activation) {
  if (activation == Activation::none) return x;
  return activation == Activation::gelu ? gelu(x) : quick_gelu(x);
}

// Writes the output of a tile and a panel from its sums [tile, panel].
template <class T, class Out>
void finish(const Product<T, Out> &p, const int32_t *sums, int64_t row, int64_t column) {
  const int64_t rows = least(tile, p.count - row);
  for (int64_t r = 0; r < rows; r++, row++)
    for (int64_t v = 0; v < panel && column + v < p.outputs; v += lanes) {
      const Mask mask = first_lanes(p.outputs - column - v);
      const int64_t place = row * p.outputs + column + v;
      Floats x = activated(scaled(p, sums + r * panel + v, row, column + v, mask), p.activation);
      if (p.residual) x = x + load(p.residual + place, mask);
      store(p.out + place, mask, x);
    }
}

constexpr int64_t packed_units = chunk * tile * depth + lanes;

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
  for (int64_t r = 0; r < panel; r += lanes) pack_units(from + r * units, units, count - r, units, to + r, panel);
}

int64_t product_scratch(int64_t units, int64_t panels) {
  const int64_t tiles = units > depth ? chunk * panels : 1;
  return (packed_units + tiles * tile * panel) * static_cast<int64_t>(sizeof(int32_t));
}

template <class T, class Out>
void multiply(const Product<T, Out> &p, const Part &part, void *scratch) {
  const int64_t units = p.inputs / per_unit<T>, begin = starts<T> ? 1 : 0;  // of a panel's units
  int32_t *const packed = static_cast<int32_t *>(scratch), *const sums = packed + packed_units;
  for (int64_t first = part.first_tile; first < part.end_tile; first += chunk) {
    const int64_t tiles = least(chunk, part.end_tile - first);
    for (int64_t u = 0; u < units; u += depth) {
      const int64_t now = least(depth, units - u);
      for (int64_t i = 0; i < tiles; i++) {
        const int64_t row = (first + i) * tile;
        pack_units(reinterpret_cast<const int32_t *>(p.rows) + row * units + u, units, least(tile, p.count - row), now,
                   packed + i * tile * now, tile);
      }
      for (int64_t n = part.first_panel; n < part.end_panel; n++) {
        const int32_t *const whole = reinterpret_cast<const int32_t *>(p.panels) + n * (units + begin) * panel;
        const int32_t *const block = whole + (begin + u) * panel, *const next = block + (units + begin) * panel;
        const int64_t share = (now * panel + tiles - 1) / tiles;  // of the next block, that a tile fetches
        for (int64_t i = 0; i < tiles; i++) {
          // Sums are kept only if there is another block for them.
          int32_t *const c = sums + (units > depth ? ((n - part.first_panel) * chunk + i) * tile * panel : 0);
          if (fetch_early) {
            fetch(next + i * share, share);
            if (u > 0) fetch(c, tile * panel);
          }
          product<T>(packed + i * tile * now, block, now, starts<T> && u == 0 ? whole : nullptr, u > 0, c);
          if (u + now == units) finish(p, c, (first + i) * tile, n * panel);
        }
      }
    }
  }
}

}  // namespace
}  // namespace acd
