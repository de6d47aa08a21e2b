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

// DType is the type of a tensor's values, with libtorch's numbering.
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
		return fmt.Errorf("function %s is missing: it was built from other sources than this program", C.GoString(name))
	}
	return nil
}

// problem returns and frees a message of native code; "" means success.
func problem(message C.acd_error) string {
	if message == nil {
		return ""
	}
	defer C.acd_free_message(message)
	return C.GoString(message)
}

// Version returns the version of the libtorch in use, as in "2.11.0". It loads libtorch.
func Version() (string, error) {
	if err := load(); err != nil {
		return "", err
	}
	_, found, err := versions()
	return found, err
}

// versions returns the libtorch version that our library was built with, and the version
// of the loaded libtorch.
func versions() (built, found string, err error) {
	var text [64]C.char
	if problem := problem(C.acd_version(&text[0], C.int64_t(len(text)))); problem != "" {
		return "", "", fmt.Errorf("reading libtorch's version: %s", problem)
	}
	return C.GoString(C.acd_built_for()), C.GoString(&text[0]), nil
}

// Hardware names the hardware of a device: the instruction set of the CPU that libtorch
// uses, as in "AVX512", or a CUDA device's name. Results on other hardware may differ in
// the last bits. It loads libtorch.
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
		return "", fmt.Errorf("reading the CPU's instruction set: %s", problem)
	}
	return C.GoString(&text[0]), nil
}

// CUDACount returns the number of usable CUDA devices. It is 0 without a driver, with a
// CPU-only libtorch, and if there is a CUDAProblem. It loads libtorch.
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

// DescribeCUDA returns a CUDA device's name and its memory in bytes.
func DescribeCUDA(index int) (name string, memory int64, err error) {
	if err := load(); err != nil {
		return "", 0, err
	}
	var text [256]C.char
	var bytes C.int64_t
	if text := problem(C.acd_cuda_describe(C.int64_t(index), &text[0], C.int64_t(len(text)), &bytes)); text != "" {
		return "", 0, fmt.Errorf("describing cuda:%d: %s", index, text)
	}
	return C.GoString(&text[0]), int64(bytes), nil
}

// works reports whether a CUDA device can go on: after some errors every operation fails.
func (d Device) works() bool { return problem(C.acd_cuda_check(C.int64_t(d.Index))) == "" }

// prepare configures libtorch on the worker's thread.
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

// mustBeOnThread fails for an operation that is called outside Do.
func (rt *Runtime) mustBeOnThread(op string) {
	if !rt.onWorker() || rt.current == nil {
		fail(op, "called outside Runtime.Do")
	}
	if rt.current.closed {
		failClosed(op, "the running scope")
	}
}

// mustBeOpen fails if t is undefined or closed or if the caller is outside Do.
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

// must fails if native code has reported a problem.
func must(op string, message C.acd_error, inputs ...Tensor) {
	if text := problem(message); text != "" {
		fail(op, text, inputs...)
	}
}

// make calls a native function that creates one tensor.
func (rt *Runtime) make(op string, inputs []Tensor, f func(out *C.acd_tensor) C.acd_error) Tensor {
	var out C.acd_tensor
	must(op, f(&out), inputs...)
	return rt.adopt(unsafe.Pointer(out))
}

// trim gives freed CPU memory back to the system.
func trim() { C.acd_trim() }

// own calls one of our native functions that creates a tensor. The first input determines
// the Runtime.
func own(op string, f func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error, inputs ...Tensor) Tensor {
	native := pointers(op, inputs)
	return inputs[0].h.scope.rt.make(op, inputs, func(out *C.acd_tensor) C.acd_error { return f(native, out) })
}

// apply calls one of our native functions that changes its inputs and returns no tensor.
func apply(op string, f func(in []C.acd_tensor) C.acd_error, inputs ...Tensor) {
	must(op, f(pointers(op, inputs)), inputs...)
}

// pointers returns the native pointers of tensors, which must all be open.
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

// list passes a slice of int64 to C for one call.
func list(values []int64) (*C.int64_t, C.int64_t) {
	return (*C.int64_t)(unsafe.Pointer(unsafe.SliceData(values))), C.int64_t(len(values))
}

func (d Device) native() (C.int32_t, C.int64_t) { return flag(d.CUDA), C.int64_t(d.Index) }
