// Kernels for one processor core, in sets for different instructions. simd/ contains one source,
// which is compiled for each set; its files use neither libtorch nor other headers with inline
// functions: the linker could take such a function, compiled for AVX-512, for the whole program.
#pragma once

#include <stdint.h>

namespace acd {

// A number of 16 bits, the upper half of a float's.
struct bf16 {
  uint16_t bits;
};

// Attention of one head in float or bf16. Its keys and values are packed once for all queries.
// Products of queries and keys are of the same type, or of bytes.
struct Head {
  int64_t length;  // L, of keys and values
  int64_t size;    // of a head: a multiple of head_step, at most largest_head
};
constexpr int64_t head_step = 16, largest_head = 128;

template <class T, class Score = T>
struct AttentionKernel {
  int64_t queries;  // that are attended at a time

  // The bytes of packed keys and values, and of attend's scratch memory. Both begin at multiples of 64.
  int64_t (*packed)(const Head &);
  int64_t (*scratch)(const Head &);

  // Packs keys and values [L, size], whose rows are stride values apart.
  void (*pack)(const Head &, const T *keys, int64_t keys_stride, const T *values, int64_t values_stride, void *packed);

  // Writes softmax(scale q k^T) v of count <= queries rows q [count, size].
  void (*attend)(const Head &, const T *q, int64_t q_stride, int64_t count, const void *packed, float scale, void *scratch, T *out,
                 int64_t out_stride);
};

enum class Activation { none, gelu, quick_gelu };

// A matrix product of rows in float, bf16 or bytes, whose weight is packed in panels of some
// outputs each. Bytes are whole numbers plus 128, as below, and the weight's are signed.
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

// The tiles of rows and panels of outputs from first to before end.
struct Part {
  int64_t first_tile, end_tile, first_panel, end_panel;
};

// The inputs of products are read in units of 32 bits: one float, or two bf16 or four bytes that
// are multiplied and added at once. The number of inputs is a multiple of this.
template <class T>
constexpr int64_t per_unit = 4 / sizeof(T);

// The number of values of a panel is its outputs times this: those of bytes also have sums to
// start from.
template <class T>
constexpr int64_t panel_rows(int64_t inputs) {
  return inputs + (sizeof(T) == 1 ? 4 : 0);
}

// Packs a panel from its rows [count, inputs] of a weight; count may be less than a panel has.
template <class T>
struct PanelKernel {
  void (*pack)(const T *rows, int64_t count, int64_t inputs, T *packed);
};

template <class T, class Out>
struct ProductKernel {
  void (*multiply)(const Product<T, Out> &, const Part &, void *scratch);
};

// Rows of whole numbers from -largest_number to largest_number, stored plus 128, each with its
// step: a value is its number times the step.
template <class T>
struct QuantiseKernel {
  void (*rows)(const T *rows, int64_t count, int64_t size, uint8_t *values, float *steps);
};
constexpr float largest_number = 127;

// Sums of a product of bytes before its rows' steps and the bias: values [rows, size].
struct Sums {
  const float *values, *steps, *bias;
  int64_t size;
};

template <class T>
struct ScaleKernel {
  // Writes the rows from first to before end, plus residual if it is not null.
  void (*rows)(const Sums &, int64_t first, int64_t end, const float *residual, T *out);
};

// The kernels of a set are its bases: a `const ProductKernel<float, float> &` can be any set.
// Products are summed in float, or of bytes in whole numbers; what bf16 is multiplied with in
// attention, the softmax's weights, is rounded to it before.
struct Kernels : AttentionKernel<float>,
                 AttentionKernel<float, uint8_t>,
                 AttentionKernel<bf16>,
                 PanelKernel<float>,
                 PanelKernel<bf16>,
                 PanelKernel<uint8_t>,
                 ProductKernel<float, float>,
                 ProductKernel<bf16, float>,
                 ProductKernel<bf16, bf16>,
                 ProductKernel<uint8_t, float>,
                 ProductKernel<uint8_t, bf16>,
                 QuantiseKernel<float>,
                 QuantiseKernel<bf16>,
                 ScaleKernel<float>,
                 ScaleKernel<bf16> {
  bool has_bf16;  // whether the kernels with bf16 are not null
  bool has_vnni;  // whether products of bytes are added in 32 bits, oneDNN's too; else in 16

  int64_t tile, panel;  // rows and outputs that a product computes at a time
  int64_t chunk;        // tiles whose rows a product packs at a time

  // The bytes of scratch memory of multiply for some panels and units of inputs. It begins at a
  // multiple of 64.
  int64_t (*product_scratch)(int64_t units, int64_t panels);

  // Writes rows of a weight as whole numbers. Without VNNI the steps are larger, for sums in 16 bits.
  void (*quantise_weights)(const float *rows, int64_t count, int64_t size, uint8_t *values, float *steps);

  // Whether sums of the products of these weights, whole numbers, cannot be too large for multiply.
  bool (*suit)(const int8_t *rows, int64_t count, int64_t size);

  // Writes LayerNorms of float rows as rows of whole numbers. Scratch has size values.
  void (*normalise_rows)(const float *rows, int64_t count, int64_t size, const float *weight, const float *bias, float epsilon,
                         float *scratch, uint8_t *values, float *steps);

  // Writes GELU, or quick GELU, of the rows from first to before end as rows of whole numbers.
  // Scratch has size values.
  void (*activate_rows)(const Sums &, int64_t first, int64_t end, bool quick, float *scratch, uint8_t *values, float *steps);
};

// The sets, in the files of their names in simd/, on x86.
extern const Kernels avx2, avx2_vnni, avx512, avx512_vnni, avx512_bf16;

// The fastest set that this processor can run, or null. $LIBACDCLIP_KERNELS can name another to
// compare with; it is null if the processor cannot run that.
const Kernels *kernels();

// Whether the processor also has instructions for products of tiles of bf16 and bytes (AMX),
// which are faster.
bool has_tiles();

}  // namespace acd
