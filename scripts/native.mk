# Compiles $(NATIVE)/libacdclip_native.so; run by build-native.sh at the repository's
# root. NATIVE, TORCH and GOTORCH are folders; the last two may have spaces, so
# they stand in recipes only, and NATIVE's name changes when they do.

LIBRARY  := $(NATIVE)/libacdclip_native.so
SOURCES  := $(wildcard cgo/native/*.cc)
OBJECTS  := $(NATIVE)/gotorch.o $(SOURCES:cgo/native/%.cc=$(NATIVE)/%.o)
FLAGS    := -std=c++17 -fPIC -D_GLIBCXX_USE_CXX11_ABI=1
INCLUDES  = -isystem "$(TORCH)/include" -isystem "$(TORCH)/include/torch/csrc/api/include"

# Bound to its own functions first; libtorch is there before it is loaded, so it
# names no folder for it.
$(LIBRARY): $(OBJECTS)
	$(CXX) -shared -Wl,-Bsymbolic -Wl,--as-needed -o $@.part $^ -L"$(TORCH)/lib" -ltorch_cpu -lc10
	mv $@.part $@

# gotorch's C++ half in one piece: libtorch's headers are most of the work, and are read once.
$(NATIVE)/gotorch.o:
	for source in "$(GOTORCH)"/cgotorch/*.cc; do echo "#include \"cgotorch/$${source##*/}\""; done > $(NATIVE)/gotorch.cc
	$(CXX) $(FLAGS) -O1 -I"$(GOTORCH)" $(INCLUDES) -c -o $@.part $(NATIVE)/gotorch.cc
	mv $@.part $@

$(NATIVE)/%.o: cgo/native/%.cc scripts/native.mk
	$(CXX) $(FLAGS) -O2 -Wall -Wextra -Icgo/torch $(INCLUDES) -MMD -MP -MF $(NATIVE)/$*.d -MT $@ -c -o $@.part $<
	mv $@.part $@

-include $(wildcard $(NATIVE)/*.d)
