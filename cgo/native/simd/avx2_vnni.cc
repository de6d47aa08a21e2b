#if defined(__x86_64__)
#include "avx2.h"

#include "set.h"

const acd::Kernels acd::avx2_vnni = set;
#endif
