package torch

// #include "native.h"
import "C"

import "unsafe"

// Readback is a copy of tensors' values to the host. On CUDA the device makes it after the
// operations that were started before, while the host does other work.
type Readback struct {
	scope *Scope         // owns host
	host  []Tensor       // on the CPU; the zero Tensor for a zero Tensor
	done  unsafe.Pointer // the event after the copies; nil on the CPU
}

// ReadBack starts to copy the values of tensors, some of which may be the zero Tensor, to the
// host. It must be called inside Do. The tensors may be freed when it returns. The caller
// closes the Readback.
func (rt *Runtime) ReadBack(tensors ...Tensor) *Readback {
	rt.mustBeOnThread("ReadBack")
	r := &Readback{scope: rt.NewScope()}
	started := false
	defer func() {
		if !started {
			_ = r.Close() // inside Do it does not fail
		}
	}()
	for _, t := range tensors {
		if t.Defined() {
			t = own("ReadBack", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error { return C.acd_read_back(in[0], out) }, t)
			t.h.pinned = rt.device.CUDA
			r.scope.Keep(t)
		}
		r.host = append(r.host, t)
	}
	if rt.device.CUDA {
		var done unsafe.Pointer
		must("ReadBack", C.acd_event_record(C.int64_t(rt.device.Index), &done))
		r.done = done
	}
	started = true
	return r
}

// Float32s waits for the copies and returns each tensor's values, row-major; nil for the zero
// Tensor. It must be called inside Do. On CUDA, an operation before ReadBack that failed on the
// device may be reported here first.
func (r *Readback) Float32s() [][]float32 {
	r.scope.mustBeOpen("Readback.Float32s")
	if r.done != nil {
		must("Readback.Float32s", C.acd_event_wait(r.done))
	}
	values := make([][]float32, len(r.host))
	for i, t := range r.host {
		if t.Defined() {
			values[i] = t.Float32s()
		}
	}
	return values
}

// Close frees the copies, also those under way. It may be called inside Do. A second Close
// does nothing.
func (r *Readback) Close() error {
	if r.done != nil {
		C.acd_event_free(r.done)
		r.done = nil
	}
	return r.scope.Close()
}
