#if defined(__x86_64__)
#include "avx512.h"

#include "set.h"

const acd::Kernels acd::avx512_bf16 = set;
#endif
