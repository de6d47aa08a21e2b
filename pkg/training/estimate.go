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
)

// Estimate says what a training will take.
type Estimate struct {
	Conditions     string // what was measured on
	Steps          int    // of the whole training
	Left           int    // of them
	Measured       int    // steps that were taken for it
	SecondsPerStep float64
	Cache          int64 // bytes of decoded pictures that will be kept beyond those kept now

	HeldOut              int // pictures of a validation; 0 for none
	Validations          int // that are left
	SecondsPerValidation float64
}

// Estimate takes the first few steps of a training, or of what is left of
// one, validates on a few pictures, and throws all that away. It writes nothing;
// o.Folder is not used.
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
	// Saving takes memory, too.
	err = r.backbone.Runtime.Do(context.WithoutCancel(ctx), func(*torch.Scope) error {
		r.trainer.save(&checkpoint.State{})
		return nil
	})
	estimate.Measured, estimate.SecondsPerStep = len(watch.taken)-1, watch.perStep()
	if pictures, bytes := r.cache.Held(); pictures > 0 {
		all := float64(bytes) / float64(pictures) * float64(len(r.Set.Items))
		estimate.Cache = max(0, int64(min(all, float64(r.Config.Data.Cache)))-bytes)
	}
	return estimate, err
}

// tryValidation is how many seconds a validation will take, by two batches of its
// pictures. From then on the run validates nothing.
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

// stopwatch is a Folder that writes nothing and notes when steps end, and says when there were enough.
type stopwatch struct {
	taken  []time.Time // the beginning, then the steps' ends
	enough func()
}

// measuredSteps are few because one of ViT-L/14 takes a minute on a slow CPU; the
// first, which also waits for the first pictures, counts only where it is alone.
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
