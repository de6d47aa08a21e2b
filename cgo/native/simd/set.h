// The set of kernels that the including file is compiled for, after the header of its registers.
#pragma once

#include "math.h"

#include "product.h"
#include "rows.h"

#include "attention.h"

namespace acd {
namespace {

template <class T, class Score = T>
constexpr AttentionKernel<T, Score> attention = {queries, packed<T, Score>, attention_scratch, pack<T, Score>, attend<T, Score>};

constexpr Kernels set = {
    attention<float>,
    attention<float, uint8_t>,
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
    quantise_weights<units_together<uint8_t>>,
    suit,
    normalise_rows,
    activate_rows,
};

}  // namespace
}  // namespace acd
