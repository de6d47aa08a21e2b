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

// ErrDiverged reports a training whose adapters nothing can be learned with any more.
var ErrDiverged = errors.New("these adapters learn nothing any more; begin again with a lower train.lr, from fresh ones or with train.init_from a good epoch's")

// Trainer is the training step: loss, gradients, their limits, Adam.
type Trainer struct {
	method model.Trainable
	adam   *torch.Adam
	decay  float64
	names  []string // of the parameter groups
}

// NewTrainer lets a method's parameters take gradients and prepares the optimiser
// for them; its state lives in s. It is called inside Do.
func NewTrainer(s *torch.Scope, method model.Trainable, recipe config.Train) *Trainer {
	t := &Trainer{method: method, adam: &torch.Adam{Beta1: config.AdamBeta1, Beta2: config.AdamBeta2, Epsilon: config.AdamEpsilon}, decay: recipe.LRDecay}
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

// Step computes the loss of the batches together, as of one large batch, and
// moves the parameters once. It returns the loss from before the move. Where the
// loss, or the square of the gradient, is not finite in float32, nothing moves
// and the error is ErrNotFinite. It is called inside Do.
func (t *Trainer) Step(ctx context.Context, s *torch.Scope, batches ...model.Batch) (loss float64, parts events.Values, err error) {
	loss, parts, norm, err := t.differentiate(ctx, s, batches)
	switch {
	case err != nil:
		return 0, nil, err
	case !finite(loss):
		return loss, parts, fmt.Errorf("the loss is %g, %w", loss, ErrNotFinite)
	case !finite(float64(float32(norm * norm))): // Adam keeps squares
		return loss, parts, fmt.Errorf("the gradient's length is %g, whose square is %w", norm, ErrNotFinite)
	}
	if limiter, ok := t.method.(model.GradientLimiter); ok {
		limiter.LimitGradients()
	}
	t.adam.Step()
	return loss, parts, nil
}

// differentiate leaves the gradients of the batches' loss, each weighted by its
// share of the pictures. It returns the loss, its parts and the gradient's
// length, which no value of the gradient exceeds.
func (t *Trainer) differentiate(ctx context.Context, s *torch.Scope, batches []model.Batch) (loss float64, parts events.Values, norm float64, err error) {
	t.adam.ClearGrads()
	total := 0
	for _, batch := range batches {
		total += len(batch.Labels)
	}
	var measured []torch.Tensor // [1 + parts] of each batch, weighted; then the length [1]
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
	values := torch.Cat(0, measured...).Float64s() // one reading for all: on CUDA each waits for the device
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

// measure joins a loss and its parts to one tensor [1 + parts] without a graph.
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

// Moves is how often the parameters were moved, counting a move that failed on the way.
func (t *Trainer) Moves() int64 { return t.adam.Steps() }

// parameters copies the parameters, in the order of the method's groups.
func (t *Trainer) parameters() []weights.Value {
	var list []weights.Value
	for _, group := range t.method.Groups() {
		for _, p := range group.Parameters {
			list = append(list, weights.Value{Name: p.Name, Shape: p.Tensor.Shape(), Float32: p.Tensor.Float32s()})
		}
	}
	return list
}

// save puts parameters and optimiser into a state.
func (t *Trainer) save(state *checkpoint.State) {
	adam := t.adam.State()
	state.Rates, state.Moves, state.Parameters = adam.Rates, adam.Steps, t.parameters()
	for i, p := range state.Parameters {
		state.Means = append(state.Means, weights.Value{Name: p.Name, Shape: p.Shape, Float32: adam.Means[i]})
		state.Squares = append(state.Squares, weights.Value{Name: p.Name, Shape: p.Shape, Float32: adam.Squares[i]})
	}
}

// restore makes the optimiser, whose memory lives in s, remember what the state holds.
func (t *Trainer) restore(s *torch.Scope, state *checkpoint.State) {
	places := map[string]int{}
	for i, p := range state.Parameters {
		places[p.Name] = i
	}
	adam := torch.AdamState{Steps: state.Moves, Rates: state.Rates}
	for _, group := range t.method.Groups() {
		for _, p := range group.Parameters {
			i := places[p.Name]
			adam.Means = append(adam.Means, state.Means[i].Float32)
			adam.Squares = append(adam.Squares, state.Squares[i].Float32)
		}
	}
	t.adam.Restore(s, adam)
}

// EndEpoch lowers the learning rates as the recipe says.
func (t *Trainer) EndEpoch() { t.adam.ScaleRates(t.decay) }

// LearningRates gives each parameter group's.
func (t *Trainer) LearningRates() events.Values {
	var rates events.Values
	for i, rate := range t.adam.Rates() {
		rates = append(rates, events.Value{Name: t.names[i], Value: rate})
	}
	return rates
}
