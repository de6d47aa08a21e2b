/* Loads libtorch and our shared library into a program that is linked with neither. */
#pragma once

/* Loads one shared library for the whole process. Returns NULL, or the loader's
 * message, which is valid until the next call on this thread. */
const char *acdclip_load(const char *path);

/* Points every trampoline at its function in the loaded libraries. Returns NULL, or the
 * name of the first function that is missing. */
const char *acdclip_bind(void);
