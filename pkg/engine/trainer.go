package engine

import (
	"context"
	"errors"
	"fmt"
	"math"

	"acdclip/cgo/torch"
	"acdclip/pkg/config"
	"acdclip/pkg/model"
	"acdclip/pkg/report"
)

// ErrNotFinite reports a loss that is NaN or infinite.
var ErrNotFinite = errors.New("the loss is not a finite number")

// Trainer is the training step: loss, gradients, their limits, Adam.
type Trainer struct {
	method model.Trainable
	adam   *torch.Adam
	decay  float64
	names  []string // of the parameter groups
}

// NewTrainer prepares the optimiser for a method's parameters; its state lives
// in s. It is called inside Do.
func NewTrainer(s *torch.Scope, method model.Trainable, recipe config.Train) *Trainer {
	t := &Trainer{method: method, adam: &torch.Adam{Beta1: config.AdamBeta1, Beta2: config.AdamBeta2, Epsilon: config.AdamEpsilon}, decay: recipe.LRDecay}
	for _, group := range method.Groups() {
		rate := recipe.LR.Vision
		if group.Side == model.TextSide {
			rate = recipe.LR.Text
		}
		parameters := make([]torch.Tensor, len(group.Parameters))
		for i, p := range group.Parameters {
			parameters[i] = p.Tensor
		}
		t.adam.AddGroup(s, rate, parameters)
		t.names = append(t.names, string(group.Side))
	}
	return t
}

// Step computes the loss of a batch and moves the parameters once. It returns
// the loss from before the move. A loss that is not finite moves nothing and is
// ErrNotFinite. It is called inside Do.
func (t *Trainer) Step(ctx context.Context, s *torch.Scope, batch model.Batch) (loss float64, parts report.Values, err error) {
	t.adam.ClearGrads()
	computed, err := t.method.Loss(ctx, s, batch)
	if err != nil {
		return 0, nil, err
	}
	loss = computed.Total.Item()
	for _, part := range computed.Parts {
		parts = append(parts, report.Value{Name: part.Name, Value: part.Value.Item()})
	}
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		return loss, parts, fmt.Errorf("%w: %g", ErrNotFinite, loss)
	}
	computed.Total.Backward()
	t.method.LimitGradients()
	t.adam.Step()
	return loss, parts, nil
}

// EndEpoch lowers the learning rates as the recipe says.
func (t *Trainer) EndEpoch() { t.adam.ScaleRates(t.decay) }

// LearningRates gives each parameter group's.
func (t *Trainer) LearningRates() report.Values {
	var rates report.Values
	for i, rate := range t.adam.Rates() {
		rates = append(rates, report.Value{Name: t.names[i], Value: rate})
	}
	return rates
}
