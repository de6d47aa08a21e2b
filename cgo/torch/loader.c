#define _GNU_SOURCE
#include "loader.h"

#include <dlfcn.h>
#include <stddef.h>

/* Written by cgo/native/trampolines: one slot per function, filled here. */
extern void *acdclip_slots[];
extern const char *const acdclip_slot_names[];
extern const int acdclip_slot_count;

static void *last; /* our own library, which contains the functions */

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
