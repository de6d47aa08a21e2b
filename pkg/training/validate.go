package training

import (
	"context"
	"fmt"
	"sync"
	"time"

	"acdclip/pkg/evaluation"
	"acdclip/pkg/events"
	"acdclip/pkg/metrics"
	"acdclip/pkg/report"
	"acdclip/pkg/scoring"
)

// validationMemory is the memory for pixel scores during a training, in bytes; the rest goes to disk.
const validationMemory = 256 << 20

// validate scores the held-out pictures with the current parameters; it returns nil without
// a validation split. Targets of evaluations are never used.
func (r *run) validate(ctx context.Context) (*events.Validation, error) {
	if r.held == nil {
		return nil, nil
	}
	start, stage := time.Now(), "validate on "+r.Set.Name
	r.Emit(events.StageStarted{Stage: stage, Unit: "pictures", Total: len(r.held.Items), Within: r.stage()})
	result := report.Result{Target: r.held.Name, Classes: evaluation.Rows(r.held, r.Config.Model)}
	if err := r.scoreHeld(ctx, stage, result); err != nil {
		return nil, fmt.Errorf("validation: %w", err)
	}
	r.Emit(events.StageDone{Stage: stage, Seconds: time.Since(start).Seconds()})
	mean := result.Mean()
	if mean.Failed > 0 && !r.Config.Data.SkipBad {
		return nil, fmt.Errorf("validation: %d of the held-out pictures could not be scored, as warned above; set data.skip_bad=true to skip such pictures, or repair them and start again", mean.Failed)
	}
	v := &events.Validation{
		Epoch: r.at.Epoch, HeldOut: r.heldOut(), ImageAUROC: mean.Metrics.Get(metrics.ImageAUROC), PixelAUROC: mean.Metrics.Get(metrics.PixelAUROC), Skipped: mean.Failed, Seconds: time.Since(start).Seconds(),
	}
	if v.ImageAUROC != nil && v.PixelAUROC != nil {
		v.Mean = new((*v.ImageAUROC + *v.PixelAUROC) / 2)
		v.Best = r.at.Best == nil || *v.Mean > r.at.Best.Mean
	}
	return v, nil
}

// scoreHeld scores the held-out pictures and stores their classes' rows in result.
func (r *run) scoreHeld(ctx context.Context, stage string, result report.Result) error {
	var classes []evaluation.Batches
	for i := range r.held.Classes {
		classes = append(classes, evaluation.BatchesOf(r.held, i, r.Config.Train.Batch))
	}
	detector := r.backbone.DetectorOf(r.method) // a new one, because its text features depend on the current parameters
	defer detector.Close()
	var lock sync.Mutex // several goroutines emit
	emit := func(event events.Event) {
		lock.Lock()
		defer lock.Unlock()
		r.Emit(event)
	}
	done := 0
	held := evaluation.ByClass{
		Scorer: detector, Set: r.held, Model: r.Config.Model, Load: r.Load, Batch: r.Config.Train.Batch, BatchKey: "train.batch",
		Pixels: metrics.Options{Memory: validationMemory}, Result: result, Costs: &scoring.Costs{},
		Warn: func(event events.Event) { // emit each warning once, not after every epoch
			warning, isWarning := event.(events.Warning)
			if !isWarning || !r.told[warning.Text] {
				r.told[warning.Text] = true
				emit(event)
			}
		},
		Scored: func(scored scoring.Scored) {
			done++
			emit(events.Progress{Stage: stage, Done: done, Total: len(r.held.Items), Detail: r.held.Name + "/" + scored.Picture.Item.Class})
		},
		Finished: func(c *evaluation.Class) error {
			err := c.ComputeMetrics()
			result.Classes[c.Place] = c.Row
			return err
		},
	}
	return held.Run(ctx, classes)
}

// heldOut returns the names of the held-out classes, or the percentage if pictures of all classes are held out.
func (r *run) heldOut() []string {
	var names []string
	for _, class := range r.held.Classes {
		if _, learned := r.promptOf[class.Name]; learned {
			return r.Config.Train.Validate
		}
		names = append(names, class.Name)
	}
	return names
}
