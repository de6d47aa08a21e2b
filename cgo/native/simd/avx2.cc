#if defined(__AVX2__)
#include "avx2.h"
//
#include "set.h"

const acd::Kernels acd::avx2 = set;
#endif
