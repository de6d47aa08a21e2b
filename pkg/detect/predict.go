package detect

import (
	"context"
	"slices"
	"time"

	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/domain"
	"acdclip/pkg/events"
	"acdclip/pkg/scoring"
)

// PredictOptions configure Predict.
type PredictOptions struct {
	Inputs   []data.Found
	Items    []data.Item             // [len(Inputs)], their labels and masks, for Load.Masks; nil if they are not known
	PromptOf func(data.Found) string // returns the prompt name of a picture's class
	Domain   domain.Domain
	Batch    int
	Load     pixels.LoadOptions
}

// Predict scores pictures and calls each for every input in order, also for those that
// could not be scored. An input that has an error already is not read. An error that each
// returns stops it.
func Predict(ctx context.Context, scorer scoring.Scorer, o PredictOptions, emit func(events.Event), each func(data.Found, scoring.Scored) error) error {
	const stage = "predict"
	start := time.Now()
	emit(events.StageStarted{Stage: stage, Unit: "pictures", Total: len(o.Inputs)})
	next := 0 // the first input that each has not seen
	hand := func(scored scoring.Scored) error {
		next++
		emit(events.Progress{Stage: stage, Done: next, Total: len(o.Inputs)})
		return each(o.Inputs[next-1], scored)
	}
	handUnreadable := func(end int) error {
		for next < end {
			if err := hand(scoring.Scored{Err: o.Inputs[next].Err}); err != nil {
				return err
			}
		}
		return nil
	}
	work := o.work()
	work.TileBatch, work.Emit, work.Stage = o.Batch, emit, stage
	err := scorer.ScoreAll(ctx, work, func(scored scoring.Scored) error {
		if err := handUnreadable(scored.Picture.Index); err != nil {
			return err
		}
		return hand(scored)
	})
	if err == nil {
		err = handUnreadable(len(o.Inputs))
	}
	if err != nil {
		return err
	}
	emit(events.StageDone{Stage: stage, Seconds: time.Since(start).Seconds()})
	return nil
}

// work lists the inputs without an error in batches.
func (o PredictOptions) work() scoring.Work {
	w := scoring.Work{Load: o.Load, BatchKey: "--batch", Costs: &scoring.Costs{}}
	var classes scoring.Classes
	w.Items = o.Items
	for _, input := range o.Inputs {
		if o.Items == nil {
			w.Items = append(w.Items, data.Item{Path: input.Path})
		}
		w.ClassOf = append(w.ClassOf, classes.Place(o.PromptOf(input)))
	}
	w.Classes = domain.Classes{Prompts: classes.Prompts, Domain: o.Domain}
	for _, batch := range scoring.Chunks(len(o.Inputs), o.Batch) {
		readable := slices.DeleteFunc(batch, func(i int) bool { return o.Inputs[i].Err != nil })
		if len(readable) > 0 {
			w.Batches = append(w.Batches, readable)
		}
	}
	return w
}
