package torch

// #cgo LDFLAGS: -lcgotorch
// #include <stdlib.h>
// #include "loader.h"
// #include "native.h"
import "C"

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// DType is the type of a tensor's values, by libtorch's numbers.
type DType int8

// The types that this package reads and writes.
const (
	Uint8    DType = 0
	Int8     DType = 1
	Int64    DType = 4
	Float16  DType = 5 // IEEE 754 half precision
	Float32  DType = 6
	Float64  DType = 7
	BFloat16 DType = 15 // the upper half of a float32
)

// openLibrary loads one shared library into the process.
func openLibrary(path string) error {
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	if text := C.acdclip_load(name); text != nil {
		return fmt.Errorf("%s", C.GoString(text))
	}
	return nil
}

// bindSlots fills the trampolines from the library loaded last.
func bindSlots() error {
	if name := C.acdclip_bind(); name != nil {
		return fmt.Errorf("it has no function %s: it was built from other sources than this program", C.GoString(name))
	}
	return nil
}

// problem takes over a message of native code; "" is success.
func problem(message C.acd_error) string {
	if message == nil {
		return ""
	}
	defer C.acd_free_message(message)
	return C.GoString(message)
}

// Version is the version of the libtorch in use, as in "2.11.0". It loads libtorch.
func Version() (string, error) {
	if err := load(); err != nil {
		return "", err
	}
	_, found, err := versions()
	return found, err
}

// versions gives the version that our library was built with, and that of the
// libtorch that is loaded.
func versions() (built, found string, err error) {
	var text [64]C.char
	if problem := problem(C.acd_version(&text[0], C.int64_t(len(text)))); problem != "" {
		return "", "", fmt.Errorf("asking for libtorch's version: %s", problem)
	}
	return C.GoString(C.acd_built_for()), C.GoString(&text[0]), nil
}

// Hardware names what a device computes with: the instructions of the processor
// that libtorch uses, as in "AVX512", or a CUDA device's name. Other hardware may
// give other bits. It loads libtorch.
func Hardware(device Device) (string, error) {
	if device.CUDA {
		name, _, err := DescribeCUDA(device.Index)
		return name, err
	}
	if err := load(); err != nil {
		return "", err
	}
	var text [64]C.char
	if problem := problem(C.acd_instructions(&text[0], C.int64_t(len(text)))); problem != "" {
		return "", fmt.Errorf("asking for the processor's instructions: %s", problem)
	}
	return C.GoString(&text[0]), nil
}

// CUDACount is the number of CUDA devices that can be used; 0 without a driver,
// with a libtorch for the CPU alone, or with a CUDAProblem. It loads libtorch.
func CUDACount() (int, error) {
	if err := load(); err != nil || CUDAProblem() != nil {
		return 0, err
	}
	var count C.int64_t
	if text := problem(C.acd_cuda_count(&count)); text != "" {
		return 0, fmt.Errorf("counting CUDA devices: %s", text)
	}
	return int(count), nil
}

// DescribeCUDA gives a CUDA device's name and its memory in bytes.
func DescribeCUDA(index int) (name string, memory int64, err error) {
	if err := load(); err != nil {
		return "", 0, err
	}
	var text [256]C.char
	var bytes C.int64_t
	if text := problem(C.acd_cuda_describe(C.int64_t(index), &text[0], C.int64_t(len(text)), &bytes)); text != "" {
		return "", 0, fmt.Errorf("asking for cuda:%d: %s", index, text)
	}
	return C.GoString(&text[0]), int64(bytes), nil
}

// prepare sets up the worker's thread.
func (rt *Runtime) prepare() error {
	if text := problem(C.acd_set_threads(C.int64_t(rt.threads))); text != "" {
		return fmt.Errorf("setting %d threads: %s", rt.threads, text)
	}
	if text := problem(C.acd_set_exact()); text != "" {
		return fmt.Errorf("setting full precision: %s", text)
	}
	return nil
}

func (rt *Runtime) onWorker() bool { return int64(unix.Gettid()) == rt.thread.Load() }

// mustBeOnThread stops an operation that was called outside Do.
func (rt *Runtime) mustBeOnThread(op string) {
	if !rt.onWorker() || rt.current == nil {
		fail(op, "called outside Runtime.Do")
	}
	if rt.current.closed {
		failClosed(op, "the running scope")
	}
}

// mustBeOpen checks that t can be used here and now.
func (t Tensor) mustBeOpen(op string) *handle {
	if t.h == nil {
		fail(op, "the tensor is the zero Tensor")
	}
	t.h.scope.rt.mustBeOnThread(op)
	if t.h.pointer == nil {
		failClosed(op, "a tensor's scope")
	}
	return t.h
}

func closeNative(pointer unsafe.Pointer) { C.acd_close(C.acd_tensor(pointer)) }

func setGradMode(enabled bool) bool {
	var previous C.int32_t
	must("GradMode", C.acd_grad_mode(flag(enabled), &previous))
	return previous != 0
}

func beginInference() unsafe.Pointer {
	var guard unsafe.Pointer
	must("Inference", C.acd_inference_begin(&guard))
	return guard
}

func endInference(guard unsafe.Pointer) { must("Inference", C.acd_inference_end(guard)) }

// must stops the operation when native code reports a problem.
func must(op string, message C.acd_error, inputs ...Tensor) {
	if text := problem(message); text != "" {
		fail(op, text, inputs...)
	}
}

// make runs a native function that makes one tensor.
func (rt *Runtime) make(op string, inputs []Tensor, f func(out *C.acd_tensor) C.acd_error) Tensor {
	var out C.acd_tensor
	must(op, f(&out), inputs...)
	return rt.adopt(unsafe.Pointer(out))
}

// own runs one of our native functions on inputs, the first of which says where.
func own(op string, f func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error, inputs ...Tensor) Tensor {
	native := pointers(op, inputs)
	return inputs[0].h.scope.rt.make(op, inputs, func(out *C.acd_tensor) C.acd_error { return f(native, out) })
}

// apply runs one of our native functions that changes its inputs and makes nothing.
func apply(op string, f func(in []C.acd_tensor) C.acd_error, inputs ...Tensor) {
	must(op, f(pointers(op, inputs)), inputs...)
}

// pointers gives tensors, all of which must be open, to C.
func pointers(op string, tensors []Tensor) []C.acd_tensor {
	native := make([]C.acd_tensor, len(tensors))
	for i, t := range tensors {
		native[i] = C.acd_tensor(t.mustBeOpen(op).pointer)
	}
	return native
}

func flag(on bool) C.int32_t {
	if on {
		return 1
	}
	return 0
}

// list gives a slice of int64 to C for the length of one call.
func list(values []int64) (*C.int64_t, C.int64_t) {
	return (*C.int64_t)(unsafe.Pointer(unsafe.SliceData(values))), C.int64_t(len(values))
}

func (d Device) native() (C.int32_t, C.int64_t) { return flag(d.CUDA), C.int64_t(d.Index) }
