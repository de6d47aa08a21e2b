package parity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/domain"
	"acdclip/pkg/events"
	"acdclip/pkg/metrics"
	"acdclip/pkg/scoring"
)

// Scorer scores decoded pictures; detect.Detector is one.
type Scorer interface {
	Size() int
	Score(ctx context.Context, classes domain.Classes, pictures []pixels.Picture, classOf []int) ([]scoring.Scored, error)
}

// Options say what to compare on what.
type Options struct {
	Single Scorer // in float32
	Others []Named

	Items    []data.Item
	Labelled bool // the items' labels are known, and the masks of those that have one
	Classes  domain.Classes
	ClassOf  []int // [len(Items)], the index of each item's class in Classes
	Batch    int
	Load     pixels.LoadOptions

	Emit func(events.Event)
}

// Named is the same model in a number format.
type Named struct {
	Precision string
	Scorer    Scorer
}

// Stage is the name of the stage that is reported to Emit.
const Stage = "compare"

// Run scores the pictures in all formats, and returns a result for each of the others. A
// picture that cannot be scored is a warning; failed counts them. Without any picture that
// can, there are no results.
func Run(ctx context.Context, o Options) (results []Result, failed int, err error) {
	comparisons := make([]*Comparison, len(o.Others))
	for i, other := range o.Others {
		comparisons[i] = New(other.Precision, metrics.DefaultMemory/int64(len(o.Others)))
		defer func() { err = errors.Join(err, comparisons[i].Close()) }()
	}
	start := time.Now()
	o.Emit(events.StageStarted{Stage: Stage, Unit: "pictures", Total: len(o.Items)})
	load := o.Load
	load.Size, load.Masks, load.Ahead = o.Single.Size(), o.Labelled, o.Batch
	var batch []pixels.Picture
	done := 0
	for picture := range pixels.Load(ctx, o.Items, load) {
		done++
		if picture.Err != nil {
			o.warn(picture, picture.Err)
			failed++
		} else {
			batch = append(batch, picture)
		}
		if len(batch) == o.Batch || done == len(o.Items) {
			bad, err := o.compare(ctx, comparisons, batch)
			if err != nil {
				return nil, failed, err
			}
			failed, batch = failed+bad, nil
		}
		o.Emit(events.Progress{Stage: Stage, Done: done, Total: len(o.Items)})
	}
	if err := ctx.Err(); err != nil {
		return nil, failed, err
	}
	o.Emit(events.StageDone{Stage: Stage, Seconds: time.Since(start).Seconds()})
	if failed == len(o.Items) {
		return nil, failed, nil
	}
	for _, comparison := range comparisons {
		result, err := comparison.Result()
		if err != nil {
			return nil, failed, err
		}
		results = append(results, result)
	}
	return results, failed, nil
}

func (o Options) warn(picture pixels.Picture, err error) {
	o.Emit(events.Warning{Text: fmt.Sprintf("%s: %v; picture skipped", picture.Item.Path, err)})
}

// compare scores a batch in all formats, and returns the number of pictures that have no
// score.
func (o Options) compare(ctx context.Context, comparisons []*Comparison, batch []pixels.Picture) (bad int, err error) {
	if len(batch) == 0 {
		return 0, nil
	}
	classOf := make([]int, len(batch))
	for i, picture := range batch {
		classOf[i] = o.ClassOf[picture.Index]
	}
	single, err := o.Single.Score(ctx, o.Classes, batch, classOf)
	if err != nil {
		return 0, err
	}
	failures := make([]error, len(batch))
	others := make([][]scoring.Scored, len(o.Others))
	for i, other := range o.Others {
		if others[i], err = other.Scorer.Score(ctx, o.Classes, batch, classOf); err != nil {
			return 0, err
		}
		for j := range batch {
			failures[j] = errors.Join(failures[j], others[i][j].Err)
		}
	}
	for j, picture := range batch {
		if failure := errors.Join(single[j].Err, failures[j]); failure != nil {
			o.warn(picture, failure)
			bad++
			continue
		}
		for i, comparison := range comparisons {
			if err := comparison.Add(output(single[j]), output(others[i][j]), o.truth(picture)); err != nil {
				return bad, fmt.Errorf("%s: %w", picture.Item.Path, err)
			}
		}
	}
	return bad, nil
}

func output(s scoring.Scored) Output {
	return Output{Score: s.Score, Map: s.Map.Scores, Width: s.Map.Width, Height: s.Map.Height}
}

// truth returns what is known about a picture.
func (o Options) truth(p pixels.Picture) Truth {
	return Truth{Labelled: o.Labelled, Anomalous: p.Item.Anomalous, Masked: o.Labelled && p.Item.HasPixelTruth(), Mask: p.Mask}
}
