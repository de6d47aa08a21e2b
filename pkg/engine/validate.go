package engine

import (
	"context"
	"fmt"
	"time"

	"acdclip/pkg/events"
	"acdclip/pkg/metrics"
	"acdclip/pkg/model"
	"acdclip/pkg/report"
)

// validationMemory bounds what the scores of pixels take beside a training; more go to disk.
const validationMemory = 256 << 20

// validate measures the adapters as they are on the held-out classes; nil without such.
// The target of an evaluation has no part in it.
func (r *run) validate(ctx context.Context) (*events.Validation, error) {
	if r.held == nil {
		return nil, nil
	}
	start, stage := time.Now(), "validate on "+r.Set.Name
	r.Emit(events.StageStarted{Stage: stage, Unit: "pictures", Total: len(r.held.Items), Within: r.stage()})
	result := report.Result{Target: r.held.Name, Classes: rows(r.held)}
	if err := r.scoreHeld(ctx, stage, result); err != nil {
		return nil, fmt.Errorf("validation: %w", err)
	}
	r.Emit(events.StageDone{Stage: stage, Seconds: time.Since(start).Seconds()})
	mean := result.Mean()
	if mean.Failed > 0 && !r.Config.Data.SkipBad {
		return nil, fmt.Errorf("validation: %d of the held-out pictures could not be scored, as warned above; set data.skip_bad to leave such pictures out, or mend them and begin again", mean.Failed)
	}
	v := &events.Validation{
		Epoch: r.at.Epoch, HeldOut: r.heldOut(), ImageAUROC: mean.ImageAUROC, PixelAUROC: mean.PixelAUROC, Skipped: mean.Failed, Seconds: time.Since(start).Seconds(),
	}
	if v.ImageAUROC != nil && v.PixelAUROC != nil {
		v.Mean = new((*v.ImageAUROC + *v.PixelAUROC) / 2)
		v.Best = r.at.Best == nil || *v.Mean > r.at.Best.Mean
	}
	return v, nil
}

// scoreHeld fills in the result of the held-out classes.
func (r *run) scoreHeld(ctx context.Context, stage string, result report.Result) error {
	var classes []classBatches
	for i := range r.held.Classes {
		classes = append(classes, batchesOf(r.held, i, r.Config.Train.Batch))
	}
	// Its own scope: what it prepares is of the adapters as they are now.
	detector := &Detector{base: r.base, scope: r.base.runtime.NewScope(), method: r.method, prepared: map[model.Class]model.Prepared{}}
	defer detector.free()
	emit, done := serialized(r.Emit), 0
	s := scorer{
		detector: detector, set: r.held, load: r.Load, batch: r.Config.Train.Batch, batchKey: "train.batch",
		pixels: metrics.Options{Memory: validationMemory}, result: result, costs: &costs{},
		warn: func(warning events.Warning) { // once and not after each epoch
			if !r.told[warning.Text] {
				r.told[warning.Text] = true
				emit(warning)
			}
		},
		scored: func(scored Scored) {
			done++
			emit(events.Progress{Stage: stage, Done: done, Total: len(r.held.Items), Detail: r.held.Name + "/" + scored.Picture.Item.Class})
		},
		finished: func(c *classTally) error {
			err := c.metrics()
			result.Classes[c.class] = c.Row
			return err
		},
	}
	return s.run(ctx, classes)
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
