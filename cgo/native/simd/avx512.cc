#if defined(__x86_64__)
#include "avx512.h"
// which has the registers of:
#include "set.h"

const acd::Kernels acd::avx512 = set;
#endif
