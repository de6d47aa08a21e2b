package evaluation

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/domain"
	"acdclip/pkg/events"
	"acdclip/pkg/metrics"
	"acdclip/pkg/report"
	"acdclip/pkg/scoring"
)

// ByClass scores the pictures of a dataset class by class. What a class comes to is
// tallied beside the scoring of the next.
type ByClass struct {
	Scorer   scoring.Scorer
	Set      *data.Dataset
	Load     pixels.LoadOptions
	Batch    int             // pictures at once
	BatchKey string          // what sets that, for messages
	Pixels   metrics.Options // how the scores of pixels are kept
	Result   report.Result   // target, checkpoint and classes, without numbers
	Extras   []string        // names of the method's other outputs that are kept
	Costs    *scoring.Costs

	Warn     func(events.Event)
	Scored   func(scoring.Scored)       // sees each picture, also those that failed
	Counted  func(scoring.Scored) error // sees each that counts; nil: nobody does
	Finished func(*Class) error         // computes the metrics, or leaves that to others
}

// Class is what one class has come to.
type Class struct {
	Place  int // in the dataset
	Row    report.Row
	Scores []report.Score // in the order of the dataset's pictures

	images []float32 // the scores of the pictures that count, and their labels
	labels []bool
	pixels *metrics.Pixels
	empty  int // masks that mark nothing at the size of the maps
	full   int // masks that mark everything
}

// ComputeMetrics fills in the row's metrics. It can be called once.
func (c *Class) ComputeMetrics() (err error) {
	c.Row.Metrics, err = report.MetricsOf(c.images, c.labels, c.pixels)
	return err
}

// Batches are the pictures of a class that are to be scored.
type Batches struct {
	Class  int     // by its place in the dataset
	Places [][]int // in the dataset, of the pictures that are scored at once
}

// BatchesOf are all of a class's pictures, size at once.
func BatchesOf(set *data.Dataset, class, size int) Batches {
	var places []int
	for i, item := range set.Items {
		if item.Class == set.Classes[class].Name {
			places = append(places, i)
		}
	}
	return Batches{class, slices.Collect(slices.Chunk(places, size))}
}

func (b Batches) pictures() int {
	count := 0
	for _, batch := range b.Places {
		count += len(batch)
	}
	return count
}

// errOtherPictures reports a scorer that does not hand on the pictures that it was given.
var errOtherPictures = errors.New("not the pictures that were to be scored")

// Run scores classes in their order.
func (b *ByClass) Run(ctx context.Context, classes []Batches) error {
	scored := make(chan scoring.Scored, 2*b.Batch)
	tally := tally{ByClass: b, waiting: classes}
	group, working := errgroup.WithContext(ctx)
	group.Go(func() error { return tally.run(scored) })
	group.Go(func() error {
		defer close(scored)
		return b.Scorer.ScoreAll(working, b.work(classes), func(next scoring.Scored) error {
			b.Scored(next)
			select {
			case scored <- next:
				return nil
			case <-working.Done():
				return working.Err()
			}
		})
	})
	if err := group.Wait(); err != nil {
		return err
	}
	if tally.current != nil {
		return fmt.Errorf("%w: %d fewer of a class", errOtherPictures, tally.left)
	}
	return nil
}

// work is what the scorer has to do.
func (b *ByClass) work(classes []Batches) scoring.Work {
	w := scoring.Work{
		Items: b.Set.Items, Classes: domain.Classes{Domain: b.Set.Domain}, ClassOf: make([]int, len(b.Set.Items)),
		Load: b.Load, BatchKey: b.BatchKey, Costs: b.Costs,
	}
	w.Load.Masks, w.Load.MaskThreshold = b.Set.HasMasks(), b.Set.MaskThreshold
	var names scoring.Classes
	for _, c := range classes {
		place := names.Place(b.Set.Classes[c.Class].Prompt)
		w.Batches = append(w.Batches, c.Places...)
		for _, picture := range slices.Concat(c.Places...) {
			w.ClassOf[picture] = place
		}
	}
	w.Classes.Prompts = names.Prompts
	return w
}
