package training

import (
	"context"
	"fmt"
	"time"

	"acdclip/cgo/torch"
	"acdclip/pkg/config"
	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/detect"
	"acdclip/pkg/domain"
	"acdclip/pkg/events"
	"acdclip/pkg/model"
	"acdclip/pkg/model/methods"
)

// StepTimer takes the steps of a training on the same pictures again and again, to measure
// them. Nothing is kept between steps but the parameters, which nobody uses.
type StepTimer struct {
	run      run
	pictures []pixels.Picture
}

// StepOptions configure a StepTimer.
type StepOptions struct {
	Methods  methods.Table
	Config   config.Config
	Pictures []pixels.Picture // one batch, with masks
	Prompt   string           // the name of what all pictures show
	Domain   domain.Domain
}

// OpenStepTimer loads CLIP for training and creates the method with its initial parameters.
// The caller closes the StepTimer.
func OpenStepTimer(ctx context.Context, o StepOptions) (*StepTimer, error) {
	method, err := o.Methods.Find(o.Config.Method)
	if err != nil {
		return nil, err
	}
	c := o.Config
	c.Train.Batch = len(o.Pictures)
	b, err := detect.OpenBackbone(ctx, detect.Training, method, c, c.Model, nil)
	if err != nil {
		return nil, err
	}
	t := &StepTimer{pictures: o.Pictures}
	t.run = run{backbone: b, promptOf: map[string]string{}, Options: Options{Emit: func(events.Event) {}}}
	for i := range t.pictures {
		t.pictures[i].Mosaic = true // a method that keeps features of pictures must not do so
		t.run.promptOf[t.pictures[i].Item.Class] = o.Prompt
	}
	if c.Model, err = b.Complete(c.Model); err == nil {
		t.run.Config, t.run.Set = c, &data.Dataset{Domain: o.Domain, Items: make([]data.Item, len(o.Pictures))}
		t.run.method, err = b.Trainable(model.Options{Model: c.Model, Loss: c.Loss, Seed: c.Seed})
	}
	if err == nil {
		err = b.Runtime.Do(ctx, func(*torch.Scope) error {
			t.run.trainer = NewTrainer(b.Scope, t.run.method, c.Train)
			return nil
		})
	}
	if err != nil {
		b.Close()
		return nil, fmt.Errorf("preparing a training step: %w", err)
	}
	return t, nil
}

// Step takes a step and returns how long it took: copying the pictures to the device, loss,
// gradients and update.
func (t *StepTimer) Step(ctx context.Context) (time.Duration, error) {
	start := time.Now()
	_, err := t.run.step(ctx, 1, t.pictures)
	return time.Since(start), err
}

// Close frees the CLIP and the parameters.
func (t *StepTimer) Close() { t.run.backbone.Close() }
