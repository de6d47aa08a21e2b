package torch

// #include "native.h"
import "C"

import (
	"fmt"
	"runtime"
	"unsafe"

	"github.com/wangkuiyi/gotorch"
)

// Tensor is a reference to a native tensor that a Scope owns. Copying it copies the
// reference. Its methods are the operations, which may be called only inside Do. A result
// belongs to the innermost open Scope of the running Do.
type Tensor struct{ h *handle }

// Defined reports whether t is not the zero Tensor.
func (t Tensor) Defined() bool { return t.h != nil }

// Shape returns the lengths of the dimensions; empty for a scalar.
func (t Tensor) Shape() []int64 {
	t.mustBeOpen("Shape")
	defer rethrow("Shape", nil)
	return t.gotorch().Shape()
}

// Dim returns the length of dimension i; negative i counts from the end.
func (t Tensor) Dim(i int) int64 {
	shape := t.Shape()
	if i < 0 {
		i += len(shape)
	}
	if i < 0 || i >= len(shape) {
		fail("Dim", fmt.Sprintf("no dimension %d", i), t)
	}
	return shape[i]
}

// NumElements returns the number of values.
func (t Tensor) NumElements() int64 { return elements(t.Shape()) }

// elements returns the number of values of a tensor of the given shape.
func elements(shape []int64) int64 {
	count := int64(1)
	for _, length := range shape {
		count *= length
	}
	return count
}

// shapeForError is like Shape but never fails, for use in messages.
func (t Tensor) shapeForError() (shape []int64) {
	defer func() {
		if recover() != nil {
			shape = nil
		}
	}()
	if t.h == nil || t.h.pointer == nil {
		return nil
	}
	return t.gotorch().Shape()
}

// gotorch passes t to gotorch for one call. The caller must have checked that t is open.
func (t Tensor) gotorch() gotorch.Tensor { return gotorch.Tensor{T: &t.h.pointer} }

// borrow calls an operation of gotorch and takes ownership of its result. It removes
// gotorch's finalizer, which could free the result at any time.
func borrow(op string, f func(in []gotorch.Tensor) gotorch.Tensor, inputs ...Tensor) Tensor {
	native := make([]gotorch.Tensor, len(inputs))
	for i, input := range inputs {
		input.mustBeOpen(op)
		native[i] = input.gotorch()
	}
	defer rethrow(op, inputs)
	result := f(native)
	runtime.SetFinalizer(result.T, nil)
	return inputs[0].h.scope.rt.adopt(*result.T)
}

// rethrow converts gotorch's panics, which are strings, to this package's *Error.
func rethrow(op string, inputs []Tensor) {
	switch cause := recover().(type) {
	case nil:
	case string:
		fail(op, cause, inputs...)
	default:
		panic(cause)
	}
}

// empty creates a tensor in the CPU's memory with undefined values. A device copies from and to
// pinned memory while the host goes on.
func (s *Scope) empty(op string, dtype DType, shape []int64, pinned bool) Tensor {
	s.mustBeOpen(op)
	values, rank := list(shape)
	kind, index := CPU.native()
	out := s.rt.make(fmt.Sprint(op, shape), nil, func(out *C.acd_tensor) C.acd_error {
		return C.acd_empty(values, rank, C.int32_t(dtype), kind, index, flag(pinned), out)
	})
	out.h.pinned = pinned
	return s.Keep(out)
}

// Full creates a float32 tensor on the Runtime's device, filled with one value.
func (s *Scope) Full(value float64, shape ...int64) Tensor {
	s.mustBeOpen("Full")
	values, rank := list(shape)
	kind, index := s.rt.device.native()
	out := s.rt.make(fmt.Sprint("Full", shape), nil, func(out *C.acd_tensor) C.acd_error {
		return C.acd_full(values, rank, C.double(value), C.int32_t(Float32), kind, index, out)
	})
	return s.Keep(out)
}

// FromFloat32 copies values, row-major, to the Runtime's device.
func (s *Scope) FromFloat32(values []float32, shape ...int64) Tensor {
	return fromSlice(s, "FromFloat32", Float32, values, shape)
}

// FromInt64 copies values, row-major, to the Runtime's device.
func (s *Scope) FromInt64(values []int64, shape ...int64) Tensor {
	return fromSlice(s, "FromInt64", Int64, values, shape)
}

// FromUint8 copies values, row-major, to the Runtime's device.
func (s *Scope) FromUint8(values []uint8, shape ...int64) Tensor {
	return fromSlice(s, "FromUint8", Uint8, values, shape)
}

func fromSlice[T float32 | int64 | uint8](s *Scope, op string, dtype DType, values []T, shape []int64) Tensor {
	t, err := fill(s, op, dtype, shape, s.rt.device.CUDA, func(memory []T) error {
		if len(memory) != len(values) {
			return fmt.Errorf("%d values for shape %v", len(values), shape)
		}
		copy(memory, values)
		return nil
	})
	if err != nil {
		fail(op, err.Error())
	}
	return t
}

// LoadFloat32 creates a tensor whose values read writes, row-major, directly into its
// memory, without a second copy on the CPU. It returns read's error unchanged. It is for
// weights: on CUDA it uses no pinned memory, which libtorch would keep.
func (s *Scope) LoadFloat32(read func(memory []float32) error, shape ...int64) (Tensor, error) {
	return fill(s, "LoadFloat32", Float32, shape, false, read)
}

// LoadUint8 is like LoadFloat32, for what is copied again and again: on CUDA it does not wait
// for the device.
func (s *Scope) LoadUint8(read func(memory []uint8) error, shape ...int64) (Tensor, error) {
	return fill(s, "LoadUint8", Uint8, shape, s.rt.device.CUDA, read)
}

// fill creates a CPU tensor, lets write fill its memory and moves it to the device. From pinned
// memory it does not wait for the device.
func fill[T float32 | int64 | uint8](s *Scope, op string, dtype DType, shape []int64, pinned bool, write func([]T) error) (Tensor, error) {
	t := s.empty(op, dtype, shape, pinned)
	if err := write(memory[T](op, t)); err != nil {
		return Tensor{}, err
	}
	if s.rt.device == CPU {
		return t, nil
	}
	// Step frees the CPU copy at once; s may live as long as the weights. libtorch does not use
	// pinned memory again before the device has copied from it.
	return s.Step(t, func(t Tensor) Tensor { return t.to(op, dtype, s.rt.device, pinned) }), nil
}

// memory returns the values of a contiguous CPU tensor, as long as t lives.
func memory[T float32 | int64 | uint8](op string, t Tensor) []T {
	var data unsafe.Pointer
	var bytes C.int64_t
	must(op, C.acd_data(C.acd_tensor(t.h.pointer), &data, &bytes), t)
	var one T
	return unsafe.Slice((*T)(data), int(bytes)/int(unsafe.Sizeof(one)))
}

// To converts t's values to another type.
func (t Tensor) To(dtype DType) Tensor {
	t.mustBeOpen("To")
	return t.to("To", dtype, t.h.scope.rt.device, false)
}

func (t Tensor) to(op string, dtype DType, device Device, nonBlocking bool) Tensor {
	kind, index := device.native()
	return own(op, func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		return C.acd_to(in[0], C.int32_t(dtype), kind, index, flag(nonBlocking), out)
	}, t)
}

// Float32s copies the values, row-major, to Go. On CUDA it waits for the device.
func (t Tensor) Float32s() []float32 { return copyOut[float32](t, "Float32s", Float32) }

// Float64s is like Float32s, in float64.
func (t Tensor) Float64s() []float64 { return copyOut[float64](t, "Float64s", Float64) }

// Item returns the value of a tensor with one value. On CUDA it waits for the device.
func (t Tensor) Item() float64 {
	values := t.Float64s()
	if len(values) != 1 {
		fail("Item", "the tensor does not have one value", t)
	}
	return values[0]
}

func copyOut[T float32 | float64](t Tensor, op string, dtype DType) []T {
	values := make([]T, t.NumElements())
	apply(op, func(in []C.acd_tensor) C.acd_error {
		return C.acd_copy_out(in[0], C.int32_t(dtype), unsafe.Pointer(unsafe.SliceData(values)), C.int64_t(len(values)))
	}, t)
	return values
}
