// The set of kernels that the including file is compiled for, after the header of its registers.
#pragma once

#include "math.h"

#include "attention.h"
#include "product.h"
#include "rows.h"

namespace acd {
namespace {

template <class T>
constexpr AttentionKernel<T> attention = {queries, packed<T>, attention_scratch, pack<T>, attend<T>};

constexpr Kernels set = {
    attention<float>,
#if defined(__AVX512BF16__)
    attention<bf16>,
    {pack_panel<float>},
    {pack_panel<bf16>},
    {pack_panel<uint8_t>},
    {multiply<float, float>},
    {multiply<bf16, float>},
    {multiply<bf16, bf16>},
    {multiply<uint8_t, float>},
    {multiply<uint8_t, bf16>},
    {quantise_rows<float>},
    {quantise_rows<bf16>},
    {scale_rows<float>},
    {scale_rows<bf16>},
    true,
#else
    {},
    {pack_panel<float>},
    {},
    {pack_panel<uint8_t>},
    {multiply<float, float>},
    {},
    {},
    {multiply<uint8_t, float>},
    {},
    {quantise_rows<float>},
    {},
    {scale_rows<float>},
    {},
    false,
#endif
    vnni,
    tile,
    panel,
    chunk,
    product_scratch,
    quantise_weights,
    suit,
    normalise_rows,
    activate_rows,
};

}  // namespace
}  // namespace acd
