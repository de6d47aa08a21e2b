// Functions of registers, and the packing of rows.
#pragma once

namespace acd {
namespace {

constexpr float log2e = 1.44269504088896F;

inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

// 2^x for x <= 0 with a relative error below 2e-7; NaN stays NaN. The terms are ln(2)^n / n!.
inline Floats power(Floats x) {
  constexpr float terms[] = {1.33335581e-3F, 9.61812911e-3F, 5.55041087e-2F, 2.40226507e-1F, 6.93147181e-1F, 1};
  x = max(all(-126), x);
  const Floats whole = nearest(x), rest = x - whole;
  Floats y = all(1.54035304e-4F);
  for (const float term : terms) y = fma(y, rest, all(term));
  return times_power(y, whole);
}

// The normal distribution function times x, with an error below 2e-7 |x| (Abramowitz and
// Stegun, 7.1.26).
inline Floats gelu(Floats x) {
  constexpr float terms[] = {-1.453152027F, 1.421413741F, -0.284496736F, 0.254829592F};
  const Floats one = all(1), z = magnitude(x) * all(0.707106781F);
  const Floats t = one / fma(z, all(0.3275911F), one);
  Floats y = all(1.061405429F);
  for (const float term : terms) y = fma(y, t, all(term));
  const Floats density = power(z * z * all(-log2e));
  const Floats tail = all(0.5F) * y * (t * density);  // of the smaller side
  return x * if_negative(x, tail, one - tail);
}

// x sigmoid(1.702 x)
inline Floats quick_gelu(Floats x) {
  const Floats one = all(1), e = power(magnitude(x) * all(-1.702F * log2e));
  return x * (if_negative(x, e, one) / (one + e));
}

inline void transpose(Whole row[lanes]) {
  Whole t[lanes];
  for (int i = 0; i < lanes; i += 2) {
    t[i] = low_32(row[i], row[i + 1]);
    t[i + 1] = high_32(row[i], row[i + 1]);
  }
  for (int i = 0; i < lanes; i += 4)
    for (int j = 0; j < 2; j++) {
      row[i + 2 * j] = low_64(t[i + j], t[i + j + 2]);
      row[i + 2 * j + 1] = high_64(t[i + j], t[i + j + 2]);
    }
  place_groups(row);
}

// Writes units [units, count] of rows [count <= lanes], whose units are stride apart, to lines
// that are step units apart. A line is written as one register, which the next line overwrites;
// units of no row are 0.
inline void pack_units(const int32_t *rows, int64_t stride, int64_t count, int64_t units, int32_t *to, int64_t step) {
  for (int64_t u = 0; u < units; u += lanes) {
    const Mask mask = first_lanes(units - u);
    Whole block[lanes];
    for (int64_t r = 0; r < lanes; r++) block[r] = r < count ? load_whole(rows + r * stride + u, mask) : whole_zero();
    transpose(block);
    for (int64_t i = 0; i < least(lanes, units - u); i++) store_whole(to + (u + i) * step, block[i]);
  }
}

}  // namespace
}  // namespace acd
