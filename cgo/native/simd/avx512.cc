#if defined(__AVX512VNNI__)
#include "avx512.h"
//
#include "set.h"

const acd::Kernels acd::avx512 = set;
#endif
