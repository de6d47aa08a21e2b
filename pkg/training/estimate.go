package training

import (
	"context"
	"errors"
	"io"
	"math"
	"time"

	"acdclip/cgo/torch"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/events"
	"acdclip/pkg/model"
)

// Estimate predicts the time and memory that a training will need.
type Estimate struct {
	Conditions     string // device, threads and precision of the measurement
	Steps          int    // of the whole training
	Left           int    // remaining steps
	Measured       int    // steps taken for the measurement
	SecondsPerStep float64
	Cache          int64 // bytes of decoded pictures that will be cached in addition to those cached now

	Features int64 // bytes of vision features that the method will keep in addition to those kept now

	HeldOut              int // pictures per validation; 0 for none
	Validations          int // remaining validations
	SecondsPerValidation float64
}

// Estimate measures a few steps of a training, or of the rest of a training to resume, and
// a validation on a few pictures, and discards the results. It writes nothing; o.Folder is
// not used.
func (o Options) Estimate(ctx context.Context) (Estimate, error) {
	stepping, cancel := context.WithCancel(ctx)
	defer cancel()
	watch := &stopwatch{enough: cancel}
	emit := o.Emit
	o.Folder, o.Config.Train.SaveMinutes = watch, math.Inf(1)
	o.Emit = func(event events.Event) {
		if warning, ok := event.(events.Warning); ok {
			emit(warning)
		}
	}
	r, err := newRun(ctx, o)
	if err != nil {
		return Estimate{}, err
	}
	defer r.backbone.Close()
	estimate := Estimate{
		Conditions: r.backbone.Conditions().Text, Steps: r.steps(), Left: max(0, r.steps()-r.at.Step),
	}
	if r.held != nil {
		estimate.HeldOut, estimate.Validations = len(r.held.Items), r.Config.Train.Epochs-r.at.Epoch+1
		if estimate.SecondsPerValidation, err = r.tryValidation(ctx); err != nil {
			return Estimate{}, err
		}
	}
	watch.taken = []time.Time{time.Now()}
	for r.at.Epoch <= r.Config.Train.Epochs && !watch.done() {
		if err := r.epoch(stepping); err != nil && (!errors.Is(err, context.Canceled) || !watch.done()) {
			return Estimate{}, err
		}
	}
	// Saving also needs memory, which the caller measures.
	err = r.backbone.Runtime.Do(context.WithoutCancel(ctx), func(*torch.Scope) error {
		r.trainer.save(&checkpoint.State{})
		return nil
	})
	estimate.Measured, estimate.SecondsPerStep = len(watch.taken)-1, watch.perStep()
	if pictures, bytes := r.cache.Held(); pictures > 0 {
		all := float64(bytes) / float64(pictures) * float64(len(r.Set.Items))
		estimate.Cache = max(0, int64(min(all, float64(r.Config.Data.Cache)))-bytes)
	}
	if keeper, ok := r.method.(model.FeatureKeeper); ok {
		if pictures, bytes := keeper.KeptFeatures(); pictures > 0 {
			all := float64(bytes) / float64(pictures) * float64(len(r.Set.Items))
			estimate.Features = max(0, int64(min(all, float64(r.Config.Train.FeatureCache)))-bytes)
		}
	}
	return estimate, err
}

// tryValidation estimates the seconds per validation from two batches of held-out
// pictures. After it the run has no validation split.
func (r *run) tryValidation(ctx context.Context) (seconds float64, err error) {
	all := len(r.held.Items)
	if r.held, err = r.held.Select(nil, 2*r.Config.Train.Batch); err != nil {
		return 0, err
	}
	v, err := r.validate(ctx)
	if err != nil {
		return 0, err
	}
	seconds = v.Seconds / float64(len(r.held.Items)) * float64(all)
	r.held = nil
	return seconds, nil
}

// stopwatch is a Folder that writes nothing. It records when steps end and calls enough
// after measuredSteps.
type stopwatch struct {
	taken  []time.Time // start of the first step, then the end of each step
	enough func()
}

// measuredSteps is small because a step of ViT-L/14 takes a minute on a slow CPU. The first
// step also waits for the first pictures, so it counts only if there is no other.
const measuredSteps = 3

func (w *stopwatch) Begin(int) error { return nil }

func (w *stopwatch) Log(event events.Event) error {
	if _, step := event.(events.TrainStep); step {
		w.taken = append(w.taken, time.Now())
	}
	if w.done() {
		w.enough()
	}
	return nil
}

func (w *stopwatch) SyncLog() error { return nil }

func (w *stopwatch) WriteEpoch(int, bool, func(io.Writer) error) error { return nil }

func (w *stopwatch) WriteState(func(io.Writer) error) error { return nil }

func (w *stopwatch) done() bool { return len(w.taken) > measuredSteps }

func (w *stopwatch) perStep() float64 {
	from, to := 0, len(w.taken)-1
	if to > 1 {
		from = 1
	}
	return w.taken[to].Sub(w.taken[from]).Seconds() / float64(max(1, to-from))
}
