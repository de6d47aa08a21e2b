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
	start, stage := time.Now(), "validate on "+r.Set.Name
	e := &evaluation{base: r.base, EvaluateOptions: EvaluateOptions{
		Jobs:  []Job{{Set: r.held, Checkpoint: &Trained{Model: r.Config.Model}}},
		Batch: r.Config.Train.Batch, Load: r.Load, Pixels: metrics.Options{Memory: validationMemory},
		Emit: serialized(func(event report.Event) {
			switch event := event.(type) {
			case report.Progress:
				event.Stage = stage
				r.Emit(event)
			case report.Warning: // of a picture that cannot be read, once and not after each epoch
				if !r.told[event.Text] {
					r.told[event.Text] = true
					r.Emit(event)
				}
			}
		}),
	}}
	err := e.makePlan()
	if err == nil {
		err = e.findFinished()
	}
	if err == nil {
		r.Emit(report.StageStarted{Stage: stage, Unit: "pictures", Total: e.total, Within: r.stage()})
		err = e.job(ctx, &Detector{base: r.base, method: r.method, batchKey: "train.batch"}, 0)
	}
	if err != nil {
		return nil, fmt.Errorf("validation: %w", err)
	}
	r.Emit(report.StageDone{Stage: stage, Seconds: time.Since(start).Seconds()})
	result, _ := e.gather()
	mean := result.Results[0].Mean()
	v := &report.Validation{
		Epoch: r.at.Epoch, HeldOut: r.heldOut(), ImageAUROC: mean.ImageAUROC, PixelAUROC: mean.PixelAUROC, Skipped: mean.Failed, Seconds: time.Since(start).Seconds(),
	}
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
