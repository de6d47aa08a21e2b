package torch

// #include "native.h"
import "C"

import (
	"unsafe"
)

// RequireGrad sets whether t is a parameter, whose gradient Backward computes.
func (t Tensor) RequireGrad(required bool) {
	apply("RequireGrad", func(in []C.acd_tensor) C.acd_error { return C.acd_require_grad(in[0], flag(required)) }, t)
}

// Backward computes the gradients of t, which must have one value, and adds them to the
// parameters that t was computed from.
func (t Tensor) Backward() {
	apply("Backward", func(in []C.acd_tensor) C.acd_error { return C.acd_backward(in[0]) }, t)
}

// Grad returns the gradient of a parameter, or false if it has none.
func (t Tensor) Grad() (Tensor, bool) {
	h := t.mustBeOpen("Grad")
	var out C.acd_tensor
	must("Grad", C.acd_grad(C.acd_tensor(h.pointer), &out), t)
	if out == nil {
		return Tensor{}, false
	}
	return h.scope.rt.adopt(unsafe.Pointer(out)), true
}

// ClearGrad removes the gradient of a parameter.
func (t Tensor) ClearGrad() {
	apply("ClearGrad", func(in []C.acd_tensor) C.acd_error { return C.acd_clear_grad(in[0]) }, t)
}

// ClipGradNorm clips the gradient of one parameter to a Euclidean norm of at most limit:
// g * min(1, limit/(|g| + 1e-6)), like torch.nn.utils.clip_grad_norm_.
func (t Tensor) ClipGradNorm(limit float64) {
	apply("ClipGradNorm", func(in []C.acd_tensor) C.acd_error { return C.acd_clip_grad_norm(in[0], C.double(limit)) }, t)
}

// GradNorm returns the Euclidean norm of the gradients of all parameters together, one
// value on the device. It is not finite if any gradient is not.
func GradNorm(parameters ...Tensor) Tensor {
	if len(parameters) == 0 {
		fail("GradNorm", "no parameters were given")
	}
	return own("GradNorm", func(in []C.acd_tensor, out *C.acd_tensor) C.acd_error {
		return C.acd_grad_norm(&in[0], C.int64_t(len(in)), out)
	}, parameters...)
}

// Adam is the optimiser of Kingma and Ba as torch.optim.Adam computes it, or with a
// WeightDecay, torch.optim.AdamW.
type Adam struct {
	Beta1, Beta2, Epsilon float64 // typically 0.9, 0.999 and 1e-8
	WeightDecay           float64 // decoupled; not applied to parameters without a gradient
	groups                []adamGroup
	step                  int64
}

type adamGroup struct {
	rate    float64
	entries []adamEntry
}

type adamEntry struct{ parameter, mean, square Tensor }

// AddGroup adds parameters with a common learning rate. Their running means belong to s.
func (a *Adam) AddGroup(s *Scope, rate float64, parameters []Tensor) {
	group := adamGroup{rate: rate}
	for _, parameter := range parameters {
		shape := parameter.Shape()
		group.entries = append(group.entries, adamEntry{parameter, s.Full(0, shape...), s.Full(0, shape...)})
	}
	a.groups = append(a.groups, group)
}

// Rates returns the groups' learning rates.
func (a *Adam) Rates() []float64 {
	rates := make([]float64, len(a.groups))
	for i, group := range a.groups {
		rates[i] = group.rate
	}
	return rates
}

// ScaleRates multiplies every learning rate by factor.
func (a *Adam) ScaleRates(factor float64) {
	for i := range a.groups {
		a.groups[i].rate *= factor
	}
}

// Steps returns the number of steps that were started.
func (a *Adam) Steps() int64 { return a.step }

// Parameters lists the parameters of all groups, in the order in which they were added.
func (a *Adam) Parameters() []Tensor {
	var list []Tensor
	for _, group := range a.groups {
		for _, e := range group.entries {
			list = append(list, e.parameter)
		}
	}
	return list
}

// AdamState is the state of an Adam between steps.
type AdamState struct {
	Steps   int64
	Rates   []float64   // of each group
	Means   [][]float32 // running mean of each parameter's gradient, row-major, in the order of Parameters
	Squares [][]float32 // running mean of each gradient's square, in the same order
}

// State returns a copy of the optimiser's state.
func (a *Adam) State() AdamState {
	state := AdamState{Steps: a.step, Rates: a.Rates()}
	for _, group := range a.groups {
		for _, e := range group.entries {
			state.Means = append(state.Means, e.mean.Float32s())
			state.Squares = append(state.Squares, e.square.Float32s())
		}
	}
	return state
}

// Restore sets the optimiser's state to one from an optimiser with the same groups. s is
// the Scope that the groups were added with. Other numbers of parameters or other lengths
// fail.
func (a *Adam) Restore(s *Scope, state AdamState) {
	if count := len(a.Parameters()); len(state.Rates) != len(a.groups) || len(state.Means) != count || len(state.Squares) != count {
		fail("AdamRestore", "the state belongs to other parameters")
	}
	index := 0
	for i := range a.groups {
		a.groups[i].rate = state.Rates[i]
		for j := range a.groups[i].entries {
			e := &a.groups[i].entries[j]
			shape := e.parameter.Shape()
			e.mean = s.Step(e.mean, func(Tensor) Tensor { return s.FromFloat32(state.Means[index], shape...) })
			e.square = s.Step(e.square, func(Tensor) Tensor { return s.FromFloat32(state.Squares[index], shape...) })
			index++
		}
	}
	a.step = state.Steps
}

// Step updates every parameter that has a gradient.
func (a *Adam) Step() {
	a.step++
	for _, group := range a.groups {
		for _, e := range group.entries {
			apply("AdamStep", func(in []C.acd_tensor) C.acd_error {
				return C.acd_adam_step(in[0], in[1], in[2], C.int64_t(a.step), C.double(group.rate),
					C.double(a.Beta1), C.double(a.Beta2), C.double(a.Epsilon), C.double(a.WeightDecay))
			}, e.parameter, e.mean, e.square)
		}
	}
}

// ClearGrads removes every parameter's gradient.
func (a *Adam) ClearGrads() {
	for _, group := range a.groups {
		for _, e := range group.entries {
			e.parameter.ClearGrad()
		}
	}
}
