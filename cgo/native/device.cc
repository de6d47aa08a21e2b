// Devices, threads and the settings of the calling thread.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/Event.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>
#include <malloc.h>
#include <torch/version.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "guard.h"
#include "kernels.h"

void acd_free_message(acd_error text) {
  if (text != acd::no_memory) free(const_cast<char *>(text));
}

const char *acd_built_for(void) { return TORCH_VERSION; }

// libtorch has no function for its version; it is part of the build description.
acd_error acd_version(char *version, int64_t size) {
  ACD_GUARD(
      const std::string text = at::show_config();
      const std::string key = "TORCH_VERSION=";
      const size_t start = text.find(key);
      TORCH_CHECK(start != std::string::npos, "libtorch does not say its version");
      const std::string found = text.substr(start + key.size(), text.find_first_of(",; \n", start) - start - key.size());
      snprintf(version, static_cast<size_t>(size), "%s", found.c_str()))
}

acd_error acd_instructions(char *text, int64_t size) {
  ACD_GUARD(
      const acd::Kernels *const all = acd::kernels();
      const char *const also = all && all->has_bf16 ? " with BF16 and VNNI" : all && all->has_vnni ? " with VNNI" : "";
      snprintf(text, static_cast<size_t>(size), "%s%s", at::get_cpu_capability().c_str(), also))
}

acd_error acd_cuda_count(int64_t *count) {
  ACD_GUARD(*count = at::hasCUDA() ? at::detail::getCUDAHooks().deviceCount() : 0)
}

// Calls the driver directly, because libtorch_cpu has no function for a device's name.
acd_error acd_cuda_describe(int64_t index, char *name, int64_t size, int64_t *total_bytes) {
  ACD_GUARD(
      void *driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL);
      TORCH_CHECK(driver != nullptr, "no CUDA driver: ", dlerror());
      auto init = reinterpret_cast<int (*)(unsigned)>(dlsym(driver, "cuInit"));
      auto get = reinterpret_cast<int (*)(int *, int)>(dlsym(driver, "cuDeviceGet"));
      auto get_name = reinterpret_cast<int (*)(char *, int, int)>(dlsym(driver, "cuDeviceGetName"));
      auto get_total = reinterpret_cast<int (*)(size_t *, int)>(dlsym(driver, "cuDeviceTotalMem_v2"));
      TORCH_CHECK(init && get && get_name && get_total, "the CUDA driver has no function that is needed");
      int handle = 0;
      size_t bytes = 0;
      TORCH_CHECK(init(0) == 0 && get(&handle, static_cast<int>(index)) == 0 &&
                      get_name(name, static_cast<int>(size), handle) == 0 && get_total(&bytes, handle) == 0,
                  "the CUDA driver does not describe device ", index);
      *total_bytes = static_cast<int64_t>(bytes))
}

namespace {

// The stream to which the calling thread sends the work of a CUDA device.
c10::Stream stream(int64_t index) {
  return c10::impl::VirtualGuardImpl(at::kCUDA).getStream(acd::device(1, index));
}

}  // namespace

acd_error acd_cuda_check(int64_t index) { ACD_GUARD(c10::impl::VirtualGuardImpl(at::kCUDA).queryStream(stream(index))) }

acd_error acd_event_record(int64_t index, void **event) {
  ACD_GUARD(
      auto recorded = std::make_unique<c10::Event>(at::kCUDA);
      recorded->record(stream(index));
      *event = recorded.release())
}

acd_error acd_event_wait(void *event) { ACD_GUARD(static_cast<c10::Event *>(event)->synchronize()) }

void acd_event_free(void *event) { delete static_cast<c10::Event *>(event); }

acd_error acd_set_threads(int64_t threads) { ACD_GUARD(at::set_num_threads(static_cast<int>(threads))) }

// float32 products stay in float32 (no TF32), products of bfloat16 and float16 are summed
// in float32, and cuDNN does not choose algorithms by timing.
acd_error acd_set_exact(void) {
  ACD_GUARD(
      auto &context = at::globalContext();
      context.setBenchmarkCuDNN(false);
      context.setDeterministicCuDNN(true);
      context.setAllowTF32CuBLAS(false);
      context.setAllowBF16ReductionCuBLAS(false);
      context.setAllowFP16ReductionCuBLAS(false);
      context.setAllowTF32CuDNN(false))
}

void acd_trim(void) {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

acd_error acd_grad_mode(int32_t enabled, int32_t *previous) {
  ACD_GUARD(
      *previous = c10::GradMode::is_enabled();
      c10::GradMode::set_enabled(enabled != 0))
}

acd_error acd_inference_begin(void **guard) { ACD_GUARD(*guard = new c10::InferenceMode(true)) }

acd_error acd_inference_end(void *guard) { ACD_GUARD(delete static_cast<c10::InferenceMode *>(guard)) }
