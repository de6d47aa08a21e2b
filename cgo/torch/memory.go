package torch

// #include <malloc.h>
import "C"

// releaseMemory returns freed memory to the system. Without it the C library keeps much of
// what the weights of a closed model took, because each of their tensors is too small to be
// returned by itself, and a program that opens model after model grows.
func releaseMemory() { C.malloc_trim(0) }
