package evaluation

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"acdclip/pkg/config/section"
	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/domain"
	"acdclip/pkg/events"
	"acdclip/pkg/metrics"
	"acdclip/pkg/report"
	"acdclip/pkg/scoring"
)

// ByClass scores the pictures of a dataset class by class. The results of a class are
// computed while the next class is scored.
type ByClass struct {
	Scorer   scoring.Scorer
	Set      *data.Dataset
	Model    section.Model // whose prompts name the classes
	Load     pixels.LoadOptions
	Batch    int             // pictures per batch
	BatchKey string          // name of the flag or key that sets Batch, for messages
	Pixels   metrics.Options // memory and limits for pixel scores
	Result   report.Result   // target, checkpoint and classes, without numbers
	Extras   []string        // names of extra outputs to save
	RawMaps  bool            // the method's own maps are wanted
	Costs    *scoring.Costs

	Warn        func(events.Event)
	WarnOfFiles func(events.Event)         // for warnings that are the same with each checkpoint; nil: Warn
	Scored      func(scoring.Scored)       // called for each picture, also for those that failed
	Counted     func(scoring.Scored) error // called for each picture that was scored; may be nil
	Finished    func(*Class) error         // called for each finished class; computes the metrics if they are wanted
}

// Class is the result of one class.
type Class struct {
	Place  int // index in the dataset
	Row    report.Row
	Scores []report.Score // in the order of the dataset's pictures

	images []float32 // the image scores of the pictures without error
	labels []bool    // the labels of the same pictures
	rule   section.ScoreRule
	pixels *metrics.Pixels
	empty  int // masks that mark no pixel at the size of the maps
	full   int // masks that mark every pixel
}

// ComputeMetrics sets the row's metrics, and where image scores depend on the whole class,
// these. It may be called only once.
func (c *Class) ComputeMetrics() (err error) {
	c.applyRule(c.rule)
	c.Row.Metrics, c.Row.F1Thresholds, err = report.MetricsOf(c.images, c.labels, c.pixels)
	return err
}

// Batches are the pictures of a class to score.
type Batches struct {
	Class  int     // index in the dataset
	Places [][]int // for each batch, the indexes of its pictures in the dataset
}

// BatchesOf returns all pictures of a class in batches of the given size.
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

// errOtherPictures reports a scorer that returned other pictures than it was given.
var errOtherPictures = errors.New("the scorer returned other pictures than requested")

// Run scores the classes in order.
func (b *ByClass) Run(ctx context.Context, classes []Batches) error {
	scored := make(chan scoring.Scored, 2*b.Batch)
	tally := tally{ByClass: b, waiting: classes, depths: scoring.Depths{Bits: b.Load.Decode.Bits}}
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
		return fmt.Errorf("%w: %d of a class are missing", errOtherPictures, tally.left)
	}
	return nil
}

// work returns the scorer's work for the classes.
func (b *ByClass) work(classes []Batches) scoring.Work {
	w := scoring.Work{
		Items: b.Set.Items, Classes: domain.Classes{Domain: b.Set.Domain}, ClassOf: make([]int, len(b.Set.Items)),
		Load: b.Load, BatchKey: b.BatchKey, Costs: b.Costs, RawMaps: b.RawMaps,
	}
	w.Load.Masks, w.Load.MaskThreshold = b.Set.HasMasks(), b.Set.MaskThreshold
	var names scoring.Classes
	for _, c := range classes {
		index := names.Place(b.Set.PromptOf(b.Model, b.Set.Classes[c.Class]))
		w.Batches = append(w.Batches, c.Places...)
		for _, picture := range slices.Concat(c.Places...) {
			w.ClassOf[picture] = index
		}
	}
	w.Classes.Prompts = names.Prompts
	return w
}
