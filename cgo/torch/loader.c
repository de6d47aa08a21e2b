#define _GNU_SOURCE
#include "loader.h"

#include <dlfcn.h>
#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>

/* Written by cgo/native/trampolines: one slot per function, filled here. */
extern void *acdclip_slots[];
extern const char *const acdclip_slot_names[];
extern const int acdclip_slot_count;

static void *last; /* our own library, which contains the functions */

#if defined(__GLIBC__)
static void prefer(int parameter, int value, const char *variable) {
  if (getenv(variable) == NULL) mallopt(parameter, value);
}

/* Freed memory is kept for the next tensors, because new memory costs page faults: all threads
 * share one heap, which has the blocks below 32 MiB and keeps 64 MiB at its end. glibc would
 * raise its limits to these, and give each thread a heap unless it is told so before the first
 * one starts. */
__attribute__((constructor)) static void keep_memory(void) {
  prefer(M_MMAP_THRESHOLD, 32 << 20, "MALLOC_MMAP_THRESHOLD_");
  prefer(M_TRIM_THRESHOLD, 64 << 20, "MALLOC_TRIM_THRESHOLD_");
  prefer(M_ARENA_MAX, 1, "MALLOC_ARENA_MAX");
}
#endif

const char *acdclip_load(const char *path) {
  void *library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
  if (library == NULL) return dlerror();
  last = library;
  return NULL;
}

/* Two passes, so that either all slots change or none. */
const char *acdclip_bind(void) {
  for (int i = 0; i < acdclip_slot_count; i++)
    if (last == NULL || dlsym(last, acdclip_slot_names[i]) == NULL) return acdclip_slot_names[i];
  for (int i = 0; i < acdclip_slot_count; i++) acdclip_slots[i] = dlsym(last, acdclip_slot_names[i]);
  return NULL;
}
