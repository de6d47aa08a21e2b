package engine

import (
	"context"
	"slices"
	"time"

	"acdclip/pkg/config"
	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/events"
	"acdclip/pkg/model"
)

// PredictOptions say what Predict scores and how.
type PredictOptions struct {
	Inputs   []data.Found
	PromptOf func(data.Found) string // the prompt name of a picture's class
	Domain   domain.Domain
	Batch    int
	Load     pixels.LoadOptions
}

// Predict scores pictures in their order and hands each, also those that failed,
// to each, which may write what it wants of it.
func (d *Detector) Predict(ctx context.Context, o PredictOptions, emit func(events.Event), each func(data.Found, Scored) error) error {
	const stage = "predict"
	start := time.Now()
	emit(events.StageStarted{Stage: stage, Unit: "pictures", Total: len(o.Inputs)})
	w := work{load: o.Load, batchKey: "--batch", costs: &costs{}}
	var classes classList
	for _, input := range o.Inputs {
		w.items = append(w.items, data.Item{Path: input.Path})
		w.classOf = append(w.classOf, classes.place(model.Class{Prompt: o.PromptOf(input), Domain: o.Domain}))
	}
	w.classes = classes.list
	w.batches = chunks(len(o.Inputs), o.Batch)
	err := d.score(ctx, w, func(scored Scored) error {
		index := scored.Picture.Index
		input := o.Inputs[index]
		if input.Err != nil {
			scored = Scored{Picture: scored.Picture, Err: input.Err}
		}
		emit(events.Progress{Stage: stage, Done: index + 1, Total: len(o.Inputs)})
		return each(input, scored)
	})
	if err != nil {
		return err
	}
	emit(events.StageDone{Stage: stage, Seconds: time.Since(start).Seconds()})
	return nil
}

// chunks are the numbers below count, in pieces of size.
func chunks(count, size int) [][]int {
	all := make([]int, count)
	for i := range all {
		all[i] = i
	}
	return slices.Collect(slices.Chunk(all, size))
}
