#include "panels.h"

#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "quantized.h"
#include "tasks.h"

using acd::Activation;
using acd::bf16;
using acd::Inputs;
using acd::Kernels;
using acd::Matrix;
using acd::Product;
using acd::ProductKernel;

namespace {

int64_t ceiling(int64_t a, int64_t b) { return (a + b - 1) / b; }

// oneDNN's products of 8 and 16 bits use AMX, where the processor has it. To compare, a user can
// choose oneDNN's products of all types.
bool onednn_is_faster(at::ScalarType type) {
  static const char *const chosen = std::getenv("LIBACDCLIP_PRODUCTS");
  return (type != at::kFloat && acd::has_tiles()) || (chosen && std::string_view(chosen) == "onednn");
}

// The values of a contiguous tensor.
template <class T>
const T *values(const at::Tensor &t) {
  return t.defined() ? static_cast<const T *>(t.const_data_ptr()) : nullptr;
}
template <class T>
T *values(at::Tensor &t) {
  return static_cast<T *>(t.data_ptr());
}

// Each thread computes some tiles for all panels, or if there are few tiles, for a group of
// panels: packing the rows again for a second group costs time.
template <class T, class Out>
void multiply(const Product<T, Out> &p) {
  constexpr int64_t parts = 8;  // at least, for each thread
  const Kernels &all = *acd::kernels();
  const ProductKernel<T, Out> &kernel = all;
  const int64_t tile = all.tile, panel = all.panel;
  const int64_t tiles = ceiling(p.count, tile), panels = ceiling(p.outputs, panel);
  const int64_t each = ceiling(panels, std::min(panels, ceiling(parts * at::get_num_threads(), tiles)));
  acd::in_turn(tiles * ceiling(panels, each), all.chunk / 4, all.chunk, [&] {
    const at::Tensor scratch = at::empty({all.product_scratch(p.inputs / acd::per_unit<T>, each)}, at::kByte);
    return [&, scratch](int64_t begin, int64_t end) {
      while (begin < end) {
        const int64_t group = begin / tiles, stop = std::min(end, (group + 1) * tiles), first = group * each;
        kernel.multiply(p, {begin - group * tiles, stop - group * tiles, first, std::min(panels, first + each)}, scratch.data_ptr());
        begin = stop;
      }
    };
  });
}

// The product of x's contiguous rows with m, before there is an output.
template <class T, class Out>
Product<T, Out> product_of(const Inputs &x, const Matrix &m, Activation activation) {
  const int64_t inputs = x.values.size(-1);
  return {values<T>(x.values), x.values.numel() / inputs, inputs, values<T>(m.weight), m.bias.const_data_ptr(), m.bias.size(0),
          values<float>(x.steps), values<float>(m.scale), activation, nullptr, nullptr};
}

template <class T, class Out>
at::Tensor product(const Inputs &x, const Matrix &m, Activation activation, const at::Tensor &residual) {
  auto shape = x.values.sizes().vec();
  shape.back() = m.bias.size(0);
  const at::Tensor also = residual.defined() ? residual.contiguous() : residual;
  TORCH_CHECK(!also.defined() || also.sizes() == shape, "the residual has another shape than the product");
  at::Tensor out = at::empty(shape, std::is_same_v<Out, float> ? at::kFloat : at::kBFloat16);
  auto p = product_of<T, Out>(x, m, activation);
  p.residual = values<Out>(also);
  p.out = values<Out>(out);
  multiply(p);
  return out;
}

Inputs checked(const Inputs &x, const Matrix &m) {
  const at::Tensor &rows = x.values;
  const auto type = m.weight.scalar_type();
  const int64_t inputs = rows.size(-1), size = type == at::kByte ? acd::panel_rows<uint8_t>(inputs) : inputs;
  TORCH_CHECK(!(at::GradMode::is_enabled() && rows.requires_grad()), "a packed matrix has no gradient");
  TORCH_CHECK(rows.is_cpu() && rows.numel() > 0 && rows.scalar_type() == type && m.weight.size(1) == size,
              "the matrix takes other rows than of ", inputs, " values");
  return {rows.contiguous(), x.steps};
}

}  // namespace

int64_t acd::panels::outputs() { return kernels()->panel; }

bool acd::panels::suits(const Matrix &m) {
  const auto type = m.weight.scalar_type();
  if (!kernels() || onednn_is_faster(type) || m.weight.numel() == 0) return false;
  if (m.scale.defined()) return quantized::suits(m) && m.weight.size(1) % per_unit<uint8_t> == 0;
  if (m.bias.scalar_type() != type) return false;
  return type == at::kFloat || (type == at::kBFloat16 && kernels()->has_bf16 && m.weight.size(1) % per_unit<bf16> == 0);
}

at::Tensor acd::panels::pack(const at::Tensor &weight) {
  const at::Tensor rows = weight.scalar_type() == at::kChar ? weight.contiguous().view(at::kByte) : weight.contiguous();
  const Kernels &all = *kernels();
  const int64_t panel = all.panel, outputs = rows.size(0), inputs = rows.size(1), panels = ceiling(outputs, panel);
  const auto packed = [&](auto none) {
    using T = decltype(none);
    const PanelKernel<T> &kernel = all;
    const int64_t size = panel_rows<T>(inputs);
    at::Tensor out = at::empty({panels, size, panel}, rows.options());
    const T *const from = values<T>(rows);
    T *const to = values<T>(out);
    at::parallel_for(0, panels, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++)
        kernel.pack(from + i * panel * inputs, std::min(panel, outputs - i * panel), inputs, to + i * panel * size);
    });
    return out;
  };
  switch (rows.scalar_type()) {
    case at::kFloat: return packed(float());
    case at::kBFloat16: return packed(bf16());
    default: return packed(uint8_t());
  }
}

at::Tensor acd::panels::product(const Inputs &inputs, const Matrix &m, Activation activation, const at::Tensor &residual,
                                at::ScalarType type) {
  const Inputs x = checked(inputs, m);
  const bool wide = type == at::kFloat;
  TORCH_CHECK(!residual.defined() || (wide && residual.scalar_type() == at::kFloat), "the residual is not float32");
  switch (x.values.scalar_type()) {
    case at::kFloat: return ::product<float, float>(x, m, activation, residual);
    case at::kBFloat16: return wide ? ::product<bf16, float>(x, m, activation, residual) : ::product<bf16, bf16>(x, m, activation, {});
    default: return wide ? ::product<uint8_t, float>(x, m, activation, residual) : ::product<uint8_t, bf16>(x, m, activation, {});
  }
}

// The rows of some tiles at a time are computed in float32 and rounded.
Inputs acd::panels::activated(const Inputs &inputs, const Matrix &m, Activation activation) {
  const Kernels &all = *kernels();
  const ProductKernel<uint8_t, float> &product = all;
  const QuantiseKernel<float> &quantise = all;
  const Inputs x = checked(inputs, m);
  const auto whole = product_of<uint8_t, float>(x, m, activation);
  const int64_t step = all.chunk, panels = ceiling(whole.outputs, all.panel);
  auto shape = x.values.sizes().vec();
  shape.back() = whole.outputs;
  const Inputs out{at::empty(shape, at::kByte), at::empty({whole.count}, at::kFloat)};
  uint8_t *const to = out.values.data_ptr<uint8_t>();
  float *const steps = out.steps.data_ptr<float>();
  in_turn(ceiling(whole.count, all.tile), step / 4, step, [&] {
    const at::Tensor scratch = at::empty({all.product_scratch(whole.inputs / per_unit<uint8_t>, panels)}, at::kByte);
    const at::Tensor rows = at::empty({step * all.tile, whole.outputs});
    return [&, scratch, rows](int64_t begin, int64_t end) {
      const int64_t row = begin * all.tile;
      auto p = whole;
      p.rows += row * whole.inputs;
      p.steps += row;
      p.count = std::min((end - begin) * all.tile, whole.count - row);
      p.out = static_cast<float *>(rows.data_ptr());
      product.multiply(p, {0, end - begin, 0, panels}, scratch.data_ptr());
      quantise.rows(p.out, p.count, whole.outputs, to + row * whole.outputs, steps + row);
    };
  });
  return out;
}
