# Compiles $(NATIVE)/libacdclip_native.so; build-native.sh runs it in the repository's root.
# NATIVE, TORCH and GOTORCH are folders. TORCH and GOTORCH may contain spaces, so they are
# used only in recipes, and NATIVE's name changes when they do.

LIBRARY  := $(NATIVE)/libacdclip_native.so
SOURCES  := $(wildcard cgo/native/*.cc)
KERNELS  := $(wildcard cgo/native/simd/*.cc)
OBJECTS  := $(NATIVE)/gotorch.o $(SOURCES:cgo/native/%.cc=$(NATIVE)/%.o) $(KERNELS:cgo/native/simd/%.cc=$(NATIVE)/simd_%.o)
# at::parallel_for is compiled here, and would be serial without OpenMP. Its library is the one
# that libtorch loads, so the link names none.
FLAGS    := -std=c++17 -fPIC -fopenmp -D_GLIBCXX_USE_CXX11_ABI=1
INCLUDES  = -isystem "$(TORCH)/include" -isystem "$(TORCH)/include/torch/csrc/api/include"

OPTIMISE := -O2

# Kernels for processors with some instructions; kernels.cc says which are used. -O3 unrolls
# their loops. (g++ 12 warns of its own immintrin.h.)
ISA :=
ifeq ($(shell uname -m),x86_64)
AVX512 := -mavx512f -mavx512bw -mavx512vl -mavx512dq -mfma
$(NATIVE)/simd_avx2.o: ISA = -mavx2 -mfma
$(NATIVE)/simd_avx2_vnni.o: ISA = -mavx2 -mfma -mavxvnni
$(NATIVE)/simd_avx512.o: ISA = $(AVX512)
$(NATIVE)/simd_avx512_vnni.o: ISA = $(AVX512) -mavx512vnni
$(NATIVE)/simd_avx512_bf16.o: ISA = $(AVX512) -mavx512vnni -mavx512bf16
endif

# The library prefers its own functions (-Bsymbolic). libtorch is loaded before it, so it
# does not contain libtorch's folder.
$(LIBRARY): $(OBJECTS)
	$(CXX) -shared -Wl,-Bsymbolic -Wl,--as-needed -o $@.part $^ -L"$(TORCH)/lib" -ltorch_cpu -lc10
	mv $@.part $@

# All of gotorch's C++ part in one file, so that libtorch's headers, most of the work, are read once.
$(NATIVE)/gotorch.o:
	for source in "$(GOTORCH)"/cgotorch/*.cc; do echo "#include \"cgotorch/$${source##*/}\""; done > $(NATIVE)/gotorch.cc
	$(CXX) $(FLAGS) -O1 -I"$(GOTORCH)" $(INCLUDES) -c -o $@.part $(NATIVE)/gotorch.cc
	mv $@.part $@

$(NATIVE)/%.o: cgo/native/%.cc scripts/native.mk
	$(CXX) $(FLAGS) -Wall -Wextra -Wno-maybe-uninitialized $(OPTIMISE) -Icgo/torch $(INCLUDES) -MMD -MP -MF $(NATIVE)/$*.d -MT $@ -c -o $@.part $<
	mv $@.part $@

$(NATIVE)/simd_%.o: cgo/native/simd/%.cc scripts/native.mk
	$(CXX) $(FLAGS) -Wall -Wextra -Wno-uninitialized -O3 $(ISA) -MMD -MP -MF $(NATIVE)/simd_$*.d -MT $@ -c -o $@.part $<
	mv $@.part $@

-include $(wildcard $(NATIVE)/*.d)
