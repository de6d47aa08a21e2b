package detect

import (
	"context"
	"time"

	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/domain"
	"acdclip/pkg/events"
	"acdclip/pkg/scoring"
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
func Predict(ctx context.Context, scorer scoring.Scorer, o PredictOptions, emit func(events.Event), each func(data.Found, scoring.Scored) error) error {
	const stage = "predict"
	start := time.Now()
	emit(events.StageStarted{Stage: stage, Unit: "pictures", Total: len(o.Inputs)})
	w := scoring.Work{Load: o.Load, BatchKey: "--batch", Costs: &scoring.Costs{}, Batches: scoring.Chunks(len(o.Inputs), o.Batch)}
	var classes scoring.Classes
	for _, input := range o.Inputs {
		w.Items = append(w.Items, data.Item{Path: input.Path})
		w.ClassOf = append(w.ClassOf, classes.Place(o.PromptOf(input)))
	}
	w.Classes = domain.Classes{Prompts: classes.Prompts, Domain: o.Domain}
	err := scorer.ScoreAll(ctx, w, func(scored scoring.Scored) error {
		index := scored.Picture.Index
		input := o.Inputs[index]
		if input.Err != nil {
			scored = scoring.Scored{Picture: scored.Picture, Err: input.Err}
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
