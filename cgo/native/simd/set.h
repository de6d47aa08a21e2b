// The set of kernels that the including file is compiled for, after the header of its registers.
#pragma once

#include "math.h"
//
#include "attention.h"
#include "product.h"
#include "rows.h"

namespace acd {
namespace {

// Attention in T whose products are of E.
template <class T, class E>
constexpr AttentionKernel<T> attention = {queries, packed<E>, attention_scratch, pack<E, T>, attend<E, T>};

constexpr Kernels set = {
    attention<float, float>,
#if defined(__AVX512BF16__)
    attention<bf16, bf16>,
#else
    {},
#endif
    {pack_panel<float>},
    {pack_panel<bf16>},
    {pack_panel<uint8_t>},
    {multiply<float, float>},
#if defined(__AVX512BF16__)
    {multiply<bf16, float>},
    {multiply<bf16, bf16>},
    {multiply<uint8_t, float>},
    {multiply<uint8_t, bf16>},
    {quantise_rows<float>},
    {quantise_rows<bf16>},
    {scale_rows<float>},
    {scale_rows<bf16>},
    {},
    true,
#else
    {},
    {},
    {multiply<uint8_t, float>},
    {},
    {quantise_rows<float>},
    {},
    {scale_rows<float>},
    {},
    attention<float, int16_t>,
    false,
#endif
    weight_steps == 127,
    weight_steps,
    tile,
    panel,
    chunk,
    product_scratch,
    normalise_rows,
    activate_rows,
};

}  // namespace
}  // namespace acd
