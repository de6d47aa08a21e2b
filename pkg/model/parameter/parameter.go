// Package parameter declares a method's trainable parameters: each is declared once, with
// its name, shape, initial values and the field that holds its tensor.
package parameter

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"

	"acdclip/cgo/torch"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/model"
)

// Parameter is one trainable parameter.
type Parameter struct {
	checkpoint.Spec
	Side    model.Side
	Initial Initial
	Tensor  *torch.Tensor // the field of the method that holds it
}

// NumElements is the number of values.
func (p Parameter) NumElements() int64 {
	count := int64(1)
	for _, length := range p.Shape {
		count *= length
	}
	return count
}

// Initialize fills values with the parameter's initial values, which depend only on seed
// and the parameter's name.
func (p Parameter) Initialize(seed uint64, values []float32) {
	name := fnv.New64a()
	name.Write([]byte(p.Name))
	random := rand.New(rand.NewPCG(seed, name.Sum64()))
	for i := range values {
		values[i] = p.Initial(random)
	}
}

// List lists all parameters of a method, in a fixed order.
type List []Parameter

// Add declares a parameter whose tensor is stored in into.
func (l *List) Add(into *torch.Tensor, side model.Side, initial Initial, name string, shape ...int64) {
	*l = append(*l, Parameter{checkpoint.Spec{Name: name, Shape: shape}, side, initial, into})
}

// Specs returns the names and shapes.
func (l List) Specs() []checkpoint.Spec {
	specs := make([]checkpoint.Spec, len(l))
	for i, p := range l {
		specs[i] = p.Spec
	}
	return specs
}

// Load creates the tensors, which belong to s, with the values of a source that matches
// Specs, or if values is nil, with the initial values. It must be called inside Do.
func (l List) Load(s *torch.Scope, values model.Values, seed uint64) error {
	for _, p := range l {
		t, err := s.LoadFloat32(func(memory []float32) error {
			if values != nil {
				return values.Read(p.Name, memory)
			}
			p.Initialize(seed, memory)
			return nil
		}, p.Shape...)
		if err != nil {
			return fmt.Errorf("parameter %s: %w", p.Name, err)
		}
		*p.Tensor = t
	}
	return nil
}

// Groups returns the text side's parameters, then the vision side's. A side without
// parameters has no group.
func (l List) Groups() []model.ParameterGroup {
	var groups []model.ParameterGroup
	for _, side := range []model.Side{model.TextSide, model.VisionSide} {
		group := model.ParameterGroup{Side: side}
		for _, p := range l {
			if p.Side == side {
				group.Parameters = append(group.Parameters, model.Parameter{Name: p.Name, Tensor: *p.Tensor})
			}
		}
		if group.Parameters != nil {
			groups = append(groups, group)
		}
	}
	return groups
}
