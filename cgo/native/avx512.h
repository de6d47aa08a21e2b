// Kernels for x86 processors with AVX-512, VNNI and BF16. Their files use neither libtorch nor
// other headers with inline functions: the linker could take such a function, compiled for
// AVX-512, for the whole program.
#pragma once

#include <stdint.h>

namespace acd::avx512 {

// Whether this processor can run the kernels.
bool available();

// Whether it also has instructions for products of tiles of bf16 (AMX), which are faster.
bool has_tiles();

// A number of 16 bits, the upper half of a float's.
struct bf16 {
  uint16_t bits;
};

// Attention of one head in float or bf16. Its keys and values are packed once for all queries.
struct Head {
  int64_t length;  // L, of keys and values
  int64_t size;    // of a head: a multiple of 16, at most 128
};

constexpr int64_t head_lanes = 16, largest_head = 128;  // limits of size

// Queries that are attended at a time.
constexpr int64_t queries = 12;

// The number of values of packed keys, and of packed values.
int64_t packed(const Head &head);

// The bytes of scratch memory of attend. It begins at a multiple of 64.
int64_t scratch(const Head &head);

// Packs keys, or values, [L, size], whose rows are stride values apart.
template <class T>
void pack_keys(const Head &head, const T *keys, int64_t stride, T *packed);
template <class T>
void pack_values(const Head &head, const T *values, int64_t stride, T *packed);

// Writes softmax(scale q k^T) v of count <= queries rows q [count, size]. Products are summed
// in float; with bf16 the softmax's weights are rounded to bf16 before they are multiplied.
template <class T>
void attend(const Head &head, const T *q, int64_t q_stride, int64_t count, const T *keys, const T *values, float scale,
            void *scratch, T *out, int64_t out_stride);

// A matrix product of rows in float, bf16 or bytes, whose weight is packed in panels of some
// outputs each. Bytes are whole numbers plus 128, as below, and the weight's are signed.
constexpr int64_t tile = 14, panel = 32;  // rows and outputs that are computed at a time

enum class Activation { none, gelu, quick_gelu };

template <class T, class Out>
struct Product {
  const T *rows;  // [count, inputs]
  int64_t count, inputs;
  const T *panels;
  const void *bias;  // of outputs: floats, or bf16 for rows of bf16
  int64_t outputs;
  const float *steps, *scales;  // only for bytes: the products' factors, of rows and of outputs
  Activation activation;
  const Out *residual;  // [count, outputs], to be added last, or null
  Out *out;             // [count, outputs]
};

// The inputs of products are read in units of 32 bits: one float, or two bf16 or four bytes that
// are multiplied and added at once. The number of inputs is a multiple of this.
template <class T>
constexpr int64_t per_unit = 4 / sizeof(T);

// The number of values of a panel is panel times this: those of bytes also have sums to start from.
template <class T>
constexpr int64_t panel_rows(int64_t inputs) {
  return inputs + (sizeof(T) == 1 ? 4 : 0);
}

// Packs a panel from its rows [count <= panel, inputs] of a weight.
template <class T>
void pack_panel(const T *rows, int64_t count, int64_t inputs, T *packed);

// The bytes of scratch memory of multiply for some panels. It begins at a multiple of 64.
int64_t scratch(int64_t inputs, int64_t panels);

// Computes the tiles and panels from first to before end.
struct Part {
  int64_t first_tile, end_tile, first_panel, end_panel;
};
template <class T, class Out>
void multiply(const Product<T, Out> &product, const Part &part, void *scratch);

// Rows of whole numbers from -127 to 127, stored plus 128, each with its step: a value is its
// number times the step.
template <class T>
void quantise_rows(const T *rows, int64_t count, int64_t size, uint8_t *values, float *steps);

// The same for LayerNorms of the rows. Scratch has size values.
void normalise_rows(const float *rows, int64_t count, int64_t size, const float *weight, const float *bias, float epsilon,
                    float *scratch, uint8_t *values, float *steps);

// Such a product before its rows' steps and the bias: values [rows, size].
struct Sums {
  const float *values, *steps, *bias;
  int64_t size;
};

// Writes GELU, or quick GELU, of the rows from first to before end as such rows. Scratch has
// size values.
void activate_rows(const Sums &sums, int64_t first, int64_t end, bool quick, float *scratch, uint8_t *values, float *steps);

// Writes the rows from first to before end, plus residual if it is not null.
template <class T>
void scale_rows(const Sums &sums, int64_t first, int64_t end, const float *residual, T *out);

}  // namespace acd::avx512
