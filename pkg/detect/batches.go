package detect

import (
	"context"
	"slices"
	"time"

	"acdclip/pkg/data/pixels"
	"acdclip/pkg/scoring"
)

// ScoreAll scores pictures from disk; see scoring.Scorer. On CUDA it starts a batch before it
// waits for the one before, so that the device always has work.
func (d *Detector) ScoreAll(ctx context.Context, w scoring.Work, each func(scoring.Scored) error) error {
	if len(w.Batches) == 0 {
		return nil
	}
	start := time.Now()
	if err := d.Prepare(ctx, w.Classes); err != nil {
		return err
	}
	w.Costs.Model.Add(time.Since(start))
	w.Load.Size = d.Size()
	w.Load.Order = slices.Concat(w.Batches...)
	w.Load.Ahead = len(w.Batches[0]) // the next batch is read while this one is scored
	q := queue{detector: d, work: w, each: each}
	defer q.close()
	batch, started := 0, time.Now()
	var waiting []scoring.Scored
	for picture := range pixels.Load(ctx, w.Items, w.Load) {
		waiting = append(waiting, scoring.Scored{Picture: picture, Err: picture.Err})
		w.Costs.Reading.Add(picture.Took)
		if len(waiting) < len(w.Batches[batch]) {
			continue
		}
		w.Costs.Waiting.Add(time.Since(started))
		if err := q.add(ctx, waiting); err != nil {
			return err
		}
		batch, started, waiting = batch+1, time.Now(), nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return q.finish(ctx, 0)
}

// queue holds the batches whose forward passes were started, oldest first.
type queue struct {
	detector *Detector
	work     scoring.Work
	each     func(scoring.Scored) error
	batches  []*batch
}

// batch is a batch of pictures whose forward pass was started.
type batch struct {
	pictures []scoring.Scored // all, in order
	passed   []int            // the places in pictures of those in the pass
	pass     *pass
}

// add starts a batch of pictures and finishes those that are then too many. If it cannot be
// started, the batches before it are finished first.
func (q *queue) add(ctx context.Context, pictures []scoring.Scored) error {
	start := time.Now()
	next, err := q.start(ctx, pictures)
	if err != nil {
		if ctx.Err() == nil {
			if err := q.finish(ctx, 0); err != nil {
				return err
			}
		}
		return Explain(err, q.work.BatchKey)
	}
	q.work.Costs.Model.Add(time.Since(start))
	q.batches = append(q.batches, next)
	return q.finish(ctx, q.detector.inFlight-1)
}

// start starts the forward pass of the readable pictures, except of those that are cut into
// tiles.
func (q *queue) start(ctx context.Context, pictures []scoring.Scored) (*batch, error) {
	b := &batch{pictures: pictures}
	var readable []pixels.Picture
	var classOf []int
	for i, scored := range pictures {
		if scored.Err == nil && !scored.Picture.Tiled {
			b.passed = append(b.passed, i)
			readable = append(readable, scored.Picture)
			classOf = append(classOf, q.work.ClassOf[scored.Picture.Index])
		}
	}
	var err error
	b.pass, err = q.detector.start(ctx, q.work.Classes, readable, classOf, q.work.RawMaps)
	return b, err
}

// finish finishes batches, oldest first, until only left are under way.
func (q *queue) finish(ctx context.Context, left int) error {
	for len(q.batches) > left {
		oldest := q.batches[0]
		q.batches = slices.Delete(q.batches, 0, 1)
		if err := q.hand(ctx, oldest); err != nil {
			return err
		}
	}
	return nil
}

// hand waits for a batch and calls each for its pictures.
func (q *queue) hand(ctx context.Context, b *batch) error {
	start := time.Now()
	results, err := b.pass.finish(ctx)
	if err != nil {
		return Explain(err, q.work.BatchKey)
	}
	q.work.Costs.Model.Add(time.Since(start))
	for i, result := range results {
		b.pictures[b.passed[i]] = result
	}
	for _, scored := range b.pictures {
		if scored.Picture.Tiled {
			if scored, err = q.detector.scoreTiles(ctx, scored.Picture, q.work); err != nil {
				return Explain(err, q.work.BatchKey)
			}
		}
		if err := q.each(scored); err != nil {
			return err
		}
	}
	return nil
}

// close frees the memory of the batches that were not finished.
func (q *queue) close() {
	for _, b := range q.batches {
		b.pass.close()
	}
}
