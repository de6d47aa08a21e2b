// Rows of 8-bit numbers, together with what comes before them (LayerNorm, GELU) or after their
// product (scales, bias, residual), so that each row is read and written once.
#pragma once

namespace acd {
namespace {

// The smallest step of a row whose whole numbers are of at most largest_number in magnitude. A row with a NaN has
// the step NaN.
template <class T>
float step_of(const T *row, int64_t size) {
  Floats top = zero();
  bool unordered = false;
  for (int64_t i = 0; i < size; i += lanes) {
    const Floats x = magnitude(load(row + i, first_lanes(size - i)));
    unordered |= has_nan(x);
    top = max(top, x);
  }
  const float range = greatest(top);
  return unordered ? __builtin_nanf("") : (range > 1e-12F ? range : 1e-12F) / largest_number;
}

// Writes a row as whole numbers plus 128.
template <class T>
void quantise(const T *row, int64_t size, float step, uint8_t *values) {
  const Floats by = all(1 / step);
  for (int64_t i = 0; i < size; i += lanes) {
    const Mask mask = first_lanes(size - i);
    store_bytes(values + i, mask, rounded(load(row + i, mask) * by));
  }
}

template <class T>
void quantise_rows(const T *rows, int64_t count, int64_t size, uint8_t *values, float *steps) {
  for (int64_t row = 0; row < count; row++, rows += size, values += size) {
    steps[row] = step_of(rows, size);
    quantise(rows, size, steps[row], values);
  }
}

// The largest magnitude of a sum of weights of one sign whose products are added in 16 bits: of
// two units' 8 weights, for example, these are 0, 1, 4 and 5, and the others.
template <int64_t together, class T>
float largest_sum(const T *row, int64_t size) {
  float largest = 0;  // twice the sum
  const auto add = [&](const T *weights, int64_t count) {
    float magnitudes[2] = {}, sums[2] = {};
    for (int64_t i = 0; i < count; i++) {
      const float x = weights[i];
      magnitudes[i % 4 / 2] += __builtin_fabsf(x);
      sums[i % 4 / 2] += x;
    }
    for (int h = 0; h < 2; h++) {
      const float both = magnitudes[h] + __builtin_fabsf(sums[h]);
      largest = both > largest ? both : largest;
    }
  };
  int64_t i = 0;
  for (; i + 4 * together <= size; i += 4 * together) add(row + i, 4 * together);
  add(row + i, size - i);
  return largest / 2;
}

// Inputs are stored as 255 at most: products with weights of up to this sum fit into 16 bits.
constexpr float largest_weight_sum = 128;

template <int64_t together>
float weight_step(const float *row, int64_t size) {
  const float step = step_of(row, size);
  if (vnni) return step;
  // Rounding adds a half at most to each of 2 weights of a unit.
  const float larger = largest_sum<together>(row, size) / (largest_weight_sum - together);
  return larger > step ? larger : step;
}

template <int64_t together>
void quantise_weights(const float *rows, int64_t count, int64_t size, uint8_t *values, float *steps) {
  for (int64_t row = 0; row < count; row++, rows += size, values += size) {
    steps[row] = weight_step<together>(rows, size);
    quantise(rows, size, steps[row], values);
  }
}

bool suit(const int8_t *rows, int64_t count, int64_t size) {
  for (int64_t row = 0; !vnni && row < count; row++)
    if (largest_sum<units_together<uint8_t>>(rows + row * size, size) > largest_weight_sum) return false;
  return true;
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
    quantise_rows(scratch, 1, size, values + row * size, steps + row);
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
    quantise_rows(scratch, 1, sums.size, values + row * sums.size, steps + row);
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
