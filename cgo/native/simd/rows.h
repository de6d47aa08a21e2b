// Rows of 8-bit numbers, together with what comes before them (LayerNorm, GELU) or after their
// product (scales, bias, residual), so that each row is read and written once.
#pragma once

namespace acd {
namespace {

// Writes a row as whole numbers plus 128, and returns their step. A row with a NaN has the
// step NaN.
template <class T>
float quantise(const T *row, int64_t size, float largest, uint8_t *values) {
  Floats top = zero();
  bool unordered = false;
  for (int64_t i = 0; i < size; i += lanes) {
    const Floats x = magnitude(load(row + i, first_lanes(size - i)));
    unordered |= has_nan(x);
    top = max(top, x);
  }
  const float range = greatest(top), step = unordered ? __builtin_nanf("") : (range > 1e-12F ? range : 1e-12F) / largest;
  const Floats by = all(1 / step);
  for (int64_t i = 0; i < size; i += lanes) {
    const Mask mask = first_lanes(size - i);
    store_bytes(values + i, mask, rounded(load(row + i, mask) * by));
  }
  return step;
}

template <class T>
void quantise_rows(const T *rows, int64_t count, int64_t size, float largest, uint8_t *values, float *steps) {
  for (int64_t row = 0; row < count; row++) steps[row] = quantise(rows + row * size, size, largest, values + row * size);
}

void normalise_rows(const float *rows, int64_t count, int64_t size, const float *weight, const float *bias, float epsilon,
                    float *scratch, uint8_t *values, float *steps) {
  for (int64_t row = 0; row < count; row++) {
    const float *x = rows + row * size;
    Floats total = zero(), squares = zero();
    for (int64_t i = 0; i < size; i += lanes) total = total + load(x + i, first_lanes(size - i));
    const Floats mean = all(sum(total) / size);
    for (int64_t i = 0; i < size; i += lanes) {
      const Mask mask = first_lanes(size - i);
      const Floats off = only(mask, load(x + i, mask) - mean);
      squares = fma(off, off, squares);
    }
    const Floats by = all(1 / __builtin_sqrtf(sum(squares) / size + epsilon));
    for (int64_t i = 0; i < size; i += lanes) {
      const Mask mask = first_lanes(size - i);
      store(scratch + i, mask, fma((load(x + i, mask) - mean) * by, load(weight + i, mask), load(bias + i, mask)));
    }
    steps[row] = quantise(scratch, size, input_steps, values + row * size);
  }
}

// sums step + bias
Floats scaled(const Sums &s, int64_t row, int64_t i, Mask mask) {
  return fma(load(s.values + row * s.size + i, mask), all(s.steps[row]), load(s.bias + i, mask));
}

void activate_rows(const Sums &sums, int64_t first, int64_t end, bool quick, float *scratch, uint8_t *values, float *steps) {
  for (int64_t row = first; row < end; row++) {
    for (int64_t i = 0; i < sums.size; i += lanes) {
      const Mask mask = first_lanes(sums.size - i);
      const Floats x = scaled(sums, row, i, mask);
      store(scratch + i, mask, quick ? quick_gelu(x) : gelu(x));
    }
    steps[row] = quantise(scratch, sums.size, input_steps, values + row * sums.size);
  }
}

template <class T>
void scale_rows(const Sums &sums, int64_t first, int64_t end, const float *residual, T *out) {
  for (int64_t row = first; row < end; row++)
    for (int64_t i = 0; i < sums.size; i += lanes) {
      const Mask mask = first_lanes(sums.size - i);
      Floats x = scaled(sums, row, i, mask);
      if (residual) x = x + load(residual + row * sums.size + i, mask);
      store(out + row * sums.size + i, mask, x);
    }
}

}  // namespace
}  // namespace acd
