#if defined(__AVX512BF16__)
#include "avx512.h"
//
#include "set.h"

const acd::Kernels acd::avx512_bf16 = set;
#endif
