package torch

import (
	"context"
	"sync/atomic"
	"unsafe"
)

// live counts the native tensors of all Runtimes.
var live atomic.Int64

// LiveHandles returns the number of tensors not yet freed. Tests check that it is zero at
// the end.
func LiveHandles() int64 { return live.Load() }

// Scope owns tensors and frees them all when it closes.
type Scope struct {
	rt      *Runtime
	handles map[*handle]struct{}
	closed  bool
}

// handle is one native tensor and the Scope that frees it.
type handle struct {
	pointer unsafe.Pointer // at::Tensor*; nil once freed
	scope   *Scope
	pinned  bool // memory of the CPU from and to which a device copies
}

func newScope(rt *Runtime) *Scope {
	return &Scope{rt: rt, handles: map[*handle]struct{}{}}
}

// NewScope returns a Scope that outlives Do, for parameters and caches. The caller closes
// it. Keep moves tensors into it.
func (rt *Runtime) NewScope() *Scope { return newScope(rt) }

// Close frees the Scope's tensors, on the Runtime's thread. It may be called inside Do. A
// second Close does nothing.
func (s *Scope) Close() error {
	if s.rt.onWorker() {
		s.close()
		return nil
	}
	return s.rt.onThread(context.Background(), func() error { s.close(); return nil })
}

func (s *Scope) close() {
	if s.closed {
		return
	}
	s.closed = true
	for h := range s.handles {
		h.free()
	}
	s.handles = nil
}

// Within runs f with a new inner Scope. Tensors that f creates and does not Keep in another
// Scope are freed when Within returns. Use it for the iterations of a loop.
func (s *Scope) Within(f func(inner *Scope) error) error {
	s.mustBeOpen("Within")
	inner := newScope(s.rt)
	defer inner.close()
	previous := s.rt.current
	s.rt.current = inner
	defer func() { s.rt.current = previous }()
	return f(inner)
}

// Keep moves t from its own Scope to s, so that it lives as long as s, and returns it.
func (s *Scope) Keep(t Tensor) Tensor {
	s.mustBeOpen("Keep")
	h := t.mustBeOpen("Keep")
	if h.scope != s {
		delete(h.scope.handles, h)
		s.handles[h] = struct{}{}
		h.scope = s
	}
	return t
}

// Eval runs f with a new inner Scope and keeps its result in s. f's temporary tensors are
// freed.
func (s *Scope) Eval(f func() Tensor) Tensor {
	var result Tensor
	_ = s.Within(func(*Scope) error {
		result = s.Keep(f())
		return nil
	})
	return result
}

// Step is Eval of f(old) and then frees old if s owns it: one step of a chain of which only
// the last result is needed. A recorded graph keeps what it needs of old.
func (s *Scope) Step(old Tensor, f func(Tensor) Tensor) Tensor {
	next := s.Eval(func() Tensor { return f(old) })
	if h := old.h; h != next.h && h.scope == s {
		delete(s.handles, h)
		h.free()
	}
	return next
}

// NoGrad runs f without recording a graph and restores the previous mode.
func (s *Scope) NoGrad(f func() error) error {
	s.mustBeOpen("NoGrad")
	previous := setGradMode(false)
	defer setGradMode(previous)
	return f()
}

// Inference runs f in libtorch's inference mode, without a graph and its bookkeeping.
// Tensors that f creates can never be part of a graph.
func (s *Scope) Inference(f func() error) error {
	s.mustBeOpen("Inference")
	guard := beginInference()
	defer endInference(guard)
	return f()
}

func (s *Scope) mustBeOpen(op string) {
	s.rt.mustBeOnThread(op)
	if s.closed {
		failClosed(op, "the scope")
	}
}

// adopt adds a new native tensor to the innermost open Scope. The caller must have checked
// that it is open.
func (rt *Runtime) adopt(pointer unsafe.Pointer) Tensor {
	h := &handle{pointer: pointer, scope: rt.current}
	rt.current.handles[h] = struct{}{}
	live.Add(1)
	return Tensor{h}
}

func (h *handle) free() {
	// libtorch records an event as it frees pinned memory. On a device that has failed this
	// throws inside a destructor, which would end the process, so the memory is lost instead.
	if !h.pinned || h.scope.rt.device.works() {
		closeNative(h.pointer)
	}
	h.pointer = nil
	live.Add(-1)
}
