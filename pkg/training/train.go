// Package training trains a method on an auxiliary dataset: the loop, its state, and the
// validation after each epoch. It emits events and never prints.
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
)

// ErrNoAnomalies reports an auxiliary dataset of normal pictures alone.
var ErrNoAnomalies = errors.New("training needs anomalous pictures")

// ErrNoMasks reports an auxiliary dataset without masks.
var ErrNoMasks = errors.New("training needs masks")

// Options say what Train learns from and where the result goes.
type Options struct {
	Methods       methods.Table
	Config        config.Config
	Set           *data.Dataset // the auxiliary dataset
	Files         contents.Set  // the content of all of its pictures, for the checkpoints
	Contents      string        // names the contents of the set's pictures and masks, for the state
	Folder        Folder        // the run folder
	Version       string        // of this program, for the checkpoints
	Load          pixels.LoadOptions
	ActivationSet bool // the user chose model.activation

	Resume *checkpoint.State // go on from here; nil: begin
	Save   <-chan struct{}   // asks for the state to be saved after the step under way; may be nil
	Emit   func(events.Event)
}

// Folder keeps what a training writes. Files appear whole or not at all.
type Folder interface {
	// Begin is called once, when all is ready and before anything is written: the log's
	// first so many lines stay, and no others.
	Begin(lines int) error
	// Log adds a line to the log.
	Log(event events.Event) error
	// SyncLog returns when all lines of the log are on the disk.
	SyncLog() error
	// WriteEpoch writes the checkpoint of an epoch, from 1, which is the last one so far,
	// and the best one where best says so.
	WriteEpoch(epoch int, best bool, write func(io.Writer) error) error
	// WriteState replaces the state that the training can be resumed from.
	WriteState(write func(io.Writer) error) error
}

// Train trains the method's parameters and writes a checkpoint after each epoch, and the
// state, into the run folder. With train.validate the best epoch is the one with the best
// mean of image and pixel AUROC on what is held out, the first of equal ones. Resumed from that state, a run ends in the same bytes as one
// that was never stopped. When ctx ends, it finishes the step under way, or leaves
// a validation, and saves the state; on the CPU one seed and one number of threads
// give the same bytes.
func Train(ctx context.Context, o Options) error {
	run, err := newRun(ctx, o)
	if err != nil {
		return err
	}
	defer run.backbone.Close()
	return run.train(ctx)
}

// Check validates the training and validation split without loading CLIP; its
// errors are Train's.
func (o Options) Check() error {
	o.Emit = func(events.Event) {}
	_, _, err := o.split()
	return err
}

// split parts what is learned from and what is held out for validation, nil for nothing.
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
		return nil, nil, fmt.Errorf("train.validate: what it leaves to learn from: %w: %w", data.ErrHoldOut, err)
	}
	return learned, held, measurable(held)
}

// measurable refuses what no AUROC is defined on.
func measurable(held *data.Dataset) error {
	masked := held.WithPixelTruth()
	for _, count := range masked.Counts() {
		if count.Normal > 0 && count.Anomalous > 0 {
			return nil
		}
	}
	return fmt.Errorf("train.validate: dataset %s: what it names %w: no class of it has normal pictures and anomalous ones with masks, so nothing can be measured; hold out more, or others", held.Name, data.ErrHoldOut)
}

// learnable is what of a dataset can be learned from.
func learnable(set *data.Dataset, emit func(events.Event)) (*data.Dataset, error) {
	if !slices.ContainsFunc(set.Items, func(item data.Item) bool { return item.Anomalous }) {
		return nil, fmt.Errorf("dataset %s: none of the %d pictures chosen is anomalous: %w", set.Name, len(set.Items), ErrNoAnomalies)
	}
	if !set.HasMasks() {
		return nil, fmt.Errorf("dataset %s has no masks: %w", set.Name, ErrNoMasks)
	}
	masked := set.WithPixelTruth()
	if without := len(set.Items) - len(masked.Items); without > 0 {
		emit(events.Warning{Text: fmt.Sprintf("%s: %d anomalous pictures without a mask are not learned from", set.Name, without)})
	}
	return masked, nil
}
