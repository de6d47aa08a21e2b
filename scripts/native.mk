# Compiles $(NATIVE)/libacdclip_native.so; build-native.sh runs it in the repository's root.
# NATIVE, TORCH and GOTORCH are folders. TORCH and GOTORCH may contain spaces, so they are
# used only in recipes, and NATIVE's name changes when they do.

LIBRARY  := $(NATIVE)/libacdclip_native.so
SOURCES  := $(wildcard cgo/native/*.cc)
OBJECTS  := $(NATIVE)/gotorch.o $(SOURCES:cgo/native/%.cc=$(NATIVE)/%.o)
# at::parallel_for is compiled here, and would be serial without OpenMP. Its library is the one
# that libtorch loads, so the link names none.
FLAGS    := -std=c++17 -fPIC -fopenmp -D_GLIBCXX_USE_CXX11_ABI=1
INCLUDES  = -isystem "$(TORCH)/include" -isystem "$(TORCH)/include/torch/csrc/api/include"

# Kernels for processors with AVX-512; avx512.h says when they are used. -O3 unrolls their
# loops. (g++ 12 warns of its own immintrin.h, and of libtorch's optional arguments.)
ifeq ($(shell uname -m),x86_64)
$(NATIVE)/avx512_%.o: FLAGS += -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni -mavx512bf16 -mfma
endif
$(NATIVE)/avx512_%.o: OPTIMISE = -O3 -Wno-uninitialized
OPTIMISE := -O2

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

-include $(wildcard $(NATIVE)/*.d)
