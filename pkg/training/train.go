// Package training trains a method on an auxiliary dataset. It contains the training loop,
// its state, and the validation after each epoch. It emits events and never prints.
package training

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"acdclip/pkg/checkpoint"
	"acdclip/pkg/config"
	"acdclip/pkg/contents"
	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/events"
	"acdclip/pkg/model/methods"
	"acdclip/pkg/plural"
)

// ErrNoAnomalies reports an auxiliary dataset without anomalous pictures.
var ErrNoAnomalies = errors.New("training needs anomalous pictures")

// ErrNoMasks reports an auxiliary dataset without masks.
var ErrNoMasks = errors.New("training needs masks")

// Options configure Train.
type Options struct {
	Methods       methods.Table
	Config        config.Config
	Set           *data.Dataset // the auxiliary dataset
	Files         contents.Set  // contents of all pictures of the dataset, for the checkpoints
	Contents      string        // hash of the contents of the set's pictures and masks, for the state
	Folder        Folder        // the run folder
	Version       string        // of this program, for the checkpoints
	Load          pixels.LoadOptions
	ActivationSet bool // the user chose model.activation

	Resume *checkpoint.State // the state to resume from; nil: a new training
	Save   <-chan struct{}   // a value requests saving the state after the current step; may be nil
	Emit   func(events.Event)
}

// Folder stores the files of a training. Files are written atomically.
type Folder interface {
	// Begin is called once before anything is written. It cuts the log to its first lines
	// lines.
	Begin(lines int) error
	// Log appends a line to the log.
	Log(event events.Event) error
	// SyncLog returns when all lines of the log are on disk.
	SyncLog() error
	// WriteEpoch writes the checkpoint of an epoch, from 1, which becomes the last
	// checkpoint, and the best one if best is true.
	WriteEpoch(epoch int, best bool, write func(io.Writer) error) error
	// WriteState replaces the state that the training can be resumed from.
	WriteState(write func(io.Writer) error) error
}

// Train trains the method's parameters. It writes a checkpoint after each epoch, and the
// state, into the run folder. With train.validate the best epoch is the first one with the
// highest mean of image and pixel AUROC on the held-out pictures. When ctx ends, Train
// finishes the current step, or abandons a validation, and saves the state. A run resumed
// from the state ends in the same bytes as one that was never stopped. On the CPU the
// same seed and number of threads give the same bytes.
func Train(ctx context.Context, o Options) error {
	run, err := newRun(ctx, o)
	if err != nil {
		return err
	}
	defer run.backbone.Close()
	return run.train(ctx)
}

// Check checks the training and the validation split without loading CLIP. It returns the
// same errors as Train.
func (o Options) Check() error {
	o.Emit = func(events.Event) {}
	_, _, err := o.split()
	return err
}

// split divides the dataset into the training split and the validation split; held is nil
// without validation.
func (o *Options) split() (learned, held *data.Dataset, err error) {
	rest, held, err := o.Set.HoldOut(o.Config.Train.Validate)
	if err != nil {
		return nil, nil, fmt.Errorf("train.validate: %w", err)
	}
	learned, err = learnable(rest, o.Emit)
	switch {
	case held == nil:
		return learned, nil, err
	case err != nil:
		return nil, nil, fmt.Errorf("train.validate: the validation split %w: the remaining pictures: %w", data.ErrHoldOut, err)
	}
	return learned, held, measurable(held)
}

// measurable returns an error if no AUROC is defined on the validation split.
func measurable(held *data.Dataset) error {
	masked := held.WithPixelTruth()
	for _, count := range masked.Counts() {
		if count.Normal > 0 && count.Anomalous > 0 {
			return nil
		}
	}
	return fmt.Errorf("train.validate: dataset %s: the validation split %w: none of its classes has both normal pictures and anomalous pictures with masks, so no metric is defined; hold out more or other pictures", held.Name, data.ErrHoldOut)
}

// learnable returns the pictures that training can use: all except anomalous ones without masks.
func learnable(set *data.Dataset, emit func(events.Event)) (*data.Dataset, error) {
	if !slices.ContainsFunc(set.Items, func(item data.Item) bool { return item.Anomalous }) {
		return nil, fmt.Errorf("dataset %s: none of the %d selected pictures is anomalous: %w", set.Name, len(set.Items), ErrNoAnomalies)
	}
	if !set.HasMasks() {
		return nil, fmt.Errorf("dataset %s has no masks: %w", set.Name, ErrNoMasks)
	}
	masked := set.WithPixelTruth()
	if without := len(set.Items) - len(masked.Items); without > 0 {
		emit(events.Warning{Text: fmt.Sprintf("%s: skipped %s without a mask", set.Name, plural.Of(without, "anomalous picture", "anomalous pictures"))})
	}
	return masked, nil
}
