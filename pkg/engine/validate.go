package engine

import (
	"context"
	"fmt"
	"time"

	"acdclip/pkg/metrics"
	"acdclip/pkg/report"
)

// validationMemory bounds what the scores of pixels take beside a training; more go to disk.
const validationMemory = 256 << 20

// validate measures the adapters as they are on the held-out classes; nil without such.
// The target of an evaluation has no part in it.
func (r *run) validate(ctx context.Context) (*report.Validation, error) {
	if r.held == nil {
		return nil, nil
	}
	start := time.Now()
	e := &evaluation{base: r.base, EvaluateOptions: EvaluateOptions{
		Jobs:  []Job{{Set: r.held, Checkpoint: &Trained{Model: r.Config.Model}}},
		Batch: r.Config.Train.Batch, Load: r.Load, Pixels: metrics.Options{Memory: validationMemory},
		Emit: serialized(func(event report.Event) {
			if _, failed := event.(report.Warning); failed {
				r.Emit(event)
			}
		}),
	}}
	err := e.makePlan()
	if err == nil {
		err = e.findFinished()
	}
	if err == nil {
		err = e.job(ctx, &Detector{base: r.base, method: r.method}, 0)
	}
	if err != nil {
		return nil, fmt.Errorf("validation: %w", explain(err, "train.batch"))
	}
	result, _ := e.gather()
	mean := result.Results[0].Mean()
	v := &report.Validation{Epoch: r.at.Epoch, HeldOut: r.heldOut(), ImageAUROC: mean.ImageAUROC, PixelAUROC: mean.PixelAUROC, Seconds: time.Since(start).Seconds()}
	if v.ImageAUROC != nil && v.PixelAUROC != nil {
		v.Mean = new((*v.ImageAUROC + *v.PixelAUROC) / 2)
		v.Best = r.at.Best == nil || *v.Mean > r.at.Best.Mean
	}
	return v, nil
}

// heldOut names what is held out: its classes, or the share of all classes' pictures.
func (r *run) heldOut() []string {
	var names []string
	for _, class := range r.held.Classes {
		if _, learned := r.classOf[class.Name]; learned {
			return r.Config.Train.HoldOut
		}
		names = append(names, class.Name)
	}
	return names
}
