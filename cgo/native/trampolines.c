/* The program is linked with these trampolines instead of libtorch.
 *
 * For each C function that Go calls there is a trampoline: one jump through a slot.
 * torch.Open loads the real library and points the slots at its functions
 * (cgo/torch/loader.c). So the program depends only on libc, and a missing libtorch is an
 * ordinary error.
 *
 * slots.inc lists the functions; cgo/native/trampolines writes it from the headers. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define HIDDEN __attribute__((visibility("hidden")))

HIDDEN const char *const acdclip_slot_names[] = {
#define SLOT(index, name) #name,
#include "slots.inc"
#undef SLOT
};

HIDDEN const int acdclip_slot_count = sizeof acdclip_slot_names / sizeof acdclip_slot_names[0];

/* The target of an unfilled slot: reports a call into libtorch before it is loaded. */
HIDDEN __attribute__((used, noreturn)) void acdclip_unbound(int index) {
  fprintf(stderr, "acdclip: %s used before torch.Open\n", acdclip_slot_names[index]);
  abort();
}

#define SLOT(index, name) HIDDEN void acdclip_unbound_##index(void);
#include "slots.inc"
#undef SLOT

HIDDEN void *acdclip_slots[] = {
#define SLOT(index, name) (void *)acdclip_unbound_##index,
#include "slots.inc"
#undef SLOT
};

#if defined(__x86_64__)
#define JUMP_THROUGH(index) "jmp *acdclip_slots + 8 * " #index "(%rip)\n"
#define UNBOUND(index) "movl $" #index ", %edi\n jmp acdclip_unbound\n"
#define ENTRY "endbr64\n"
#define FUNCTION "@function"
#elif defined(__aarch64__)
#define JUMP_THROUGH(index)                            \
  "adrp x16, acdclip_slots + 8 * " #index "\n"         \
  "ldr x16, [x16, :lo12:acdclip_slots + 8 * " #index "]\n" \
  "br x16\n"
#define UNBOUND(index) "mov w0, #" #index "\n b acdclip_unbound\n"
#define ENTRY "hint #34\n" /* bti c */
#define FUNCTION "%function"
#else
#error "acdclip has trampolines for x86-64 and arm64 only"
#endif

/* Hidden: libtorch, loaded later, must never bind to a trampoline. */
#define CODE(symbol, body)                                                \
  __asm__(".text\n.balign 16\n.globl " symbol "\n.hidden " symbol "\n"    \
          ".type " symbol ", " FUNCTION "\n" symbol ":\n" ENTRY body     \
          ".size " symbol ", . - " symbol "\n");

#define SLOT(index, name) \
  CODE(#name, JUMP_THROUGH(index)) CODE("acdclip_unbound_" #index, UNBOUND(index))
#include "slots.inc"
#undef SLOT

/* gotorch calls these two, the first in its init function, before libtorch can be loaded,
 * the second with each new tensor. Runtime sets the number of threads and scopes free
 * tensors, so neither needs to do anything. */
HIDDEN void SetNumThreads(int32_t threads) { (void)threads; }
HIDDEN uint8_t GCPrepared(void) { return 0; }
