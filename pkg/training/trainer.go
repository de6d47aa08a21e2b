package training

import (
	"context"
	"errors"
	"fmt"
	"math"

	"acdclip/cgo/torch"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/config"
	"acdclip/pkg/events"
	"acdclip/pkg/model"
	"acdclip/pkg/weights"
)

// ErrNotFinite reports a loss or a gradient that is NaN or infinite.
var ErrNotFinite = errors.New("not a finite number")

// ErrDiverged reports a training that can no longer make progress.
var ErrDiverged = errors.New("training has diverged; start again with a lower train.lr, from scratch or with train.init_from set to the checkpoint of an earlier epoch")

// Trainer takes training steps: loss, gradients, gradient limits and Adam.
type Trainer struct {
	method model.Trainable
	adam   *torch.Adam
	decay  float64
	names  []string // of the parameter groups
}

// NewTrainer enables gradients for a method's parameters and creates their optimiser,
// whose state belongs to s. It must be called inside Do.
func NewTrainer(s *torch.Scope, method model.Trainable, recipe config.Train) *Trainer {
	t := &Trainer{method: method, decay: recipe.LRDecay,
		adam: &torch.Adam{Beta1: recipe.Beta1, Beta2: config.AdamBeta2, Epsilon: config.AdamEpsilon, WeightDecay: recipe.Decay}}
	for _, group := range method.Groups() {
		rate := recipe.LR.Vision
		if group.Side == model.TextSide {
			rate = recipe.LR.Text
		}
		parameters := make([]torch.Tensor, len(group.Parameters))
		for i, p := range group.Parameters {
			p.Tensor.RequireGrad(true)
			parameters[i] = p.Tensor
		}
		t.adam.AddGroup(s, rate, parameters)
		t.names = append(t.names, string(group.Side))
	}
	return t
}

// Step computes the loss of the batches as if they were one large batch and updates the
// parameters once. It returns the loss before the update. If the loss, or the square of
// the gradient norm, is not finite in float32, nothing is updated and the error wraps
// ErrNotFinite. It must be called inside Do.
func (t *Trainer) Step(ctx context.Context, s *torch.Scope, batches ...model.Batch) (loss float64, parts events.Values, err error) {
	loss, parts, norm, err := t.differentiate(ctx, s, batches)
	switch {
	case err != nil:
		return 0, nil, err
	case !finite(loss):
		return loss, parts, fmt.Errorf("the loss is %g, %w", loss, ErrNotFinite)
	case !finite(float64(float32(norm * norm))): // Adam stores squares of gradients
		return loss, parts, fmt.Errorf("the gradient norm is %g, whose square is %w", norm, ErrNotFinite)
	}
	if limiter, ok := t.method.(model.GradientLimiter); ok {
		limiter.LimitGradients()
	}
	t.adam.Step()
	return loss, parts, nil
}

// differentiate computes the gradients of the batches' losses, weighted by each batch's
// share of the pictures, and leaves them in the parameters. It returns the loss, its parts
// and the gradient norm, which bounds every element of the gradient.
func (t *Trainer) differentiate(ctx context.Context, s *torch.Scope, batches []model.Batch) (loss float64, parts events.Values, norm float64, err error) {
	t.adam.ClearGrads()
	total := 0
	for _, batch := range batches {
		total += len(batch.Labels)
	}
	var measured []torch.Tensor // [1 + parts] for each batch, weighted; then the norm, [1]
	for _, batch := range batches {
		share := float64(len(batch.Labels)) / float64(total)
		err := s.Within(func(inner *torch.Scope) error {
			computed, err := t.method.Loss(ctx, inner, batch)
			if err != nil {
				return err
			}
			computed.Total.MulScalar(share).Backward()
			if parts == nil {
				parts = make(events.Values, len(computed.Parts))
				for i, part := range computed.Parts {
					parts[i].Name = part.Name
				}
			}
			measured = append(measured, s.Keep(measure(inner, computed).MulScalar(share)))
			return nil
		})
		if err != nil {
			return 0, nil, 0, err
		}
	}
	measured = append(measured, torch.GradNorm(t.adam.Parameters()...).Reshape(1))
	values := torch.Cat(0, measured...).Float64s() // read once, because on CUDA each read waits for the device
	for range batches {
		loss += values[0]
		for i := range parts {
			parts[i].Value += values[1+i]
		}
		values = values[1+len(parts):]
	}
	return loss, parts, values[0], nil
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// measure stacks a loss and its parts to one tensor [1 + parts] without a graph.
func measure(s *torch.Scope, loss model.Loss) (row torch.Tensor) {
	values := []torch.Tensor{loss.Total}
	for _, part := range loss.Parts {
		values = append(values, part.Value)
	}
	_ = s.NoGrad(func() error {
		row = torch.Stack(0, values...)
		return nil
	})
	return row
}

// Moves returns the number of parameter updates, including an update that failed midway.
func (t *Trainer) Moves() int64 { return t.adam.Steps() }

// parameters returns copies of the parameters, in the order of the method's groups.
func (t *Trainer) parameters() []weights.Value {
	var list []weights.Value
	for _, group := range t.method.Groups() {
		for _, p := range group.Parameters {
			list = append(list, weights.Value{Name: p.Name, Shape: p.Tensor.Shape(), Float32: p.Tensor.Float32s()})
		}
	}
	return list
}

// save copies the parameters and the optimiser's state into state.
func (t *Trainer) save(state *checkpoint.State) {
	adam := t.adam.State()
	state.Rates, state.Moves, state.Parameters = adam.Rates, adam.Steps, t.parameters()
	for i, p := range state.Parameters {
		state.Means = append(state.Means, weights.Value{Name: p.Name, Shape: p.Shape, Float32: adam.Means[i]})
		state.Squares = append(state.Squares, weights.Value{Name: p.Name, Shape: p.Shape, Float32: adam.Squares[i]})
	}
}

// restore sets the optimiser's state, which belongs to s, from state.
func (t *Trainer) restore(s *torch.Scope, state *checkpoint.State) {
	indexes := map[string]int{}
	for i, p := range state.Parameters {
		indexes[p.Name] = i
	}
	adam := torch.AdamState{Steps: state.Moves, Rates: state.Rates}
	for _, group := range t.method.Groups() {
		for _, p := range group.Parameters {
			i := indexes[p.Name]
			adam.Means = append(adam.Means, state.Means[i].Float32)
			adam.Squares = append(adam.Squares, state.Squares[i].Float32)
		}
	}
	t.adam.Restore(s, adam)
}

// EndEpoch multiplies the learning rates by the recipe's LRDecay.
func (t *Trainer) EndEpoch() { t.adam.ScaleRates(t.decay) }

// LearningRates returns the learning rate of each parameter group.
func (t *Trainer) LearningRates() events.Values {
	var rates events.Values
	for i, rate := range t.adam.Rates() {
		rates = append(rates, events.Value{Name: t.names[i], Value: rate})
	}
	return rates
}
