// Kernels for x86 processors with AVX-512, VNNI and BF16. Their files use neither libtorch nor
// other headers with inline functions: the linker could take such a function, compiled for
// AVX-512, for the whole program.
#pragma once

#include <stdint.h>

namespace acd::avx512 {

// Whether this processor can run the kernels.
bool available();

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

// Rows of whole numbers from -127 to 127, stored plus 128, each with its step: a value is its
// number times the step.
template <class T>
void quantise_rows(const T *rows, int64_t count, int64_t size, uint8_t *values, float *steps);

// The same for LayerNorms of the rows. Scratch has size values.
void normalise_rows(const float *rows, int64_t count, int64_t size, const float *weight, const float *bias, float epsilon,
                    float *scratch, uint8_t *values, float *steps);

// A product of such rows before its rows' steps and the bias: values [rows, size].
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
