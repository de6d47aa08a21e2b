package engine

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/events"
	"acdclip/pkg/metrics"
	"acdclip/pkg/model"
	"acdclip/pkg/report"
)

// scorer scores the pictures of a dataset class by class. What a class comes to is
// tallied beside the scoring of the next.
type scorer struct {
	detector *Detector
	set      *data.Dataset
	load     pixels.LoadOptions
	batch    int             // pictures at once
	batchKey string          // what sets that, for messages
	pixels   metrics.Options // how the scores of pixels are kept
	result   report.Result   // target, checkpoint and classes, without numbers
	gates    bool            // keep the weights of the fusion gateway
	costs    *costs

	warn     func(events.Warning)
	scored   func(Scored)            // sees each picture, also those that failed
	counted  func(Scored) error      // sees each that counts; nil: nobody does
	finished func(*classTally) error // computes the metrics, or leaves that to others
}

// classBatches are the pictures of a class that are to be scored.
type classBatches struct {
	class   int     // by its place in the dataset
	batches [][]int // the places in the dataset of the pictures that are scored at once
}

// batchesOf are all of a class's pictures, size at once.
func batchesOf(set *data.Dataset, class, size int) classBatches {
	var places []int
	for i, item := range set.Items {
		if item.Class == set.Classes[class].Name {
			places = append(places, i)
		}
	}
	return classBatches{class, slices.Collect(slices.Chunk(places, size))}
}

func (c classBatches) pictures() int {
	count := 0
	for _, batch := range c.batches {
		count += len(batch)
	}
	return count
}

// run scores classes in their order.
func (s *scorer) run(ctx context.Context, classes []classBatches) error {
	scored := make(chan Scored, 2*s.batch)
	tally := tally{scorer: s, waiting: classes}
	group, working := errgroup.WithContext(ctx)
	group.Go(func() error { return tally.run(scored) })
	group.Go(func() error {
		defer close(scored)
		return s.detector.score(working, s.work(classes), func(next Scored) error {
			s.scored(next)
			select {
			case scored <- next:
				return nil
			case <-working.Done():
				return working.Err()
			}
		})
	})
	return group.Wait()
}

// work is what the detector has to do.
func (s *scorer) work(classes []classBatches) work {
	w := work{items: s.set.Items, classOf: make([]int, len(s.set.Items)), load: s.load, batchKey: s.batchKey, costs: s.costs}
	w.load.Masks, w.load.MaskThreshold = s.set.HasMasks(), s.set.MaskThreshold
	for i, c := range classes {
		w.classes = append(w.classes, model.Class{Prompt: s.set.Classes[c.class].Prompt, Domain: s.set.Domain})
		w.batches = append(w.batches, c.batches...)
		for _, place := range slices.Concat(c.batches...) {
			w.classOf[place] = i
		}
	}
	return w
}
