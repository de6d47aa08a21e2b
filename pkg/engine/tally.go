package engine

import (
	"fmt"
	"slices"
	"time"

	"acdclip/pkg/events"
	"acdclip/pkg/metrics"
	"acdclip/pkg/report"
	"acdclip/pkg/shard"
)

// tally gathers the scores of a scorer's pictures, class by class, and finishes a
// class when its last picture has come.
type tally struct {
	*scorer
	waiting []classBatches // in the order in which they come
	current *classTally    // of the class that pictures come for; nil: of none
	left    int            // pictures of it that are still to come
	fits    maskFits       // of all classes
}

// classTally is one class under way.
type classTally struct {
	shard.Class
	class  int // by its place in the dataset
	images []float32
	labels []bool
	pixels *metrics.Pixels
	empty  int // masks that mark nothing at the size of the maps
	full   int // masks that mark everything
}

// run takes pictures until there are no more.
func (t *tally) run(pictures <-chan Scored) error {
	defer func() {
		if t.current != nil {
			t.current.pixels.Close()
		}
	}()
	if err := t.begin(); err != nil {
		return err
	}
	for scored := range pictures {
		start := time.Now()
		if err := t.add(scored); err != nil {
			return err
		}
		t.costs.metrics.add(time.Since(start))
	}
	t.fits.tell(t.set, t.warn)
	return nil
}

// begin begins with the next class that pictures come for; those before are finished at once.
func (t *tally) begin() error {
	for len(t.waiting) > 0 {
		next := t.waiting[0]
		pixels, err := metrics.NewPixels(t.pixels)
		if err != nil {
			return err
		}
		t.current = &classTally{Class: shard.Class{Row: t.result.Classes[next.class]}, class: next.class, pixels: pixels}
		t.left, t.waiting = next.pictures(), t.waiting[1:]
		if t.left > 0 {
			return nil
		}
		if err := t.finish(); err != nil {
			return err
		}
	}
	return nil
}

func (t *tally) add(scored Scored) error {
	if err := t.count(scored); err != nil {
		return fmt.Errorf("%s: %w", scored.Picture.Item.Path, err)
	}
	if t.left--; t.left > 0 {
		return nil
	}
	if err := t.finish(); err != nil {
		return err
	}
	return t.begin()
}

// count counts one picture into the current class.
func (t *tally) count(scored Scored) error {
	c, item := t.current, scored.Picture.Item
	score := report.Score{
		Target: t.result.Target, Class: c.Row.Class, Checkpoint: t.result.Checkpoint.Path, Path: report.EscapeName(item.Path), Place: scored.Picture.Index,
		Anomalous: item.Anomalous,
	}
	if scored.Err != nil {
		score.Error = report.ValidText(scored.Err.Error())
		c.Row.Failed++
		c.Scores = append(c.Scores, score)
		t.warn(failedPicture(t.set.Name, item.Class, score.Error))
		return nil
	}
	score.Score, score.ClassProbability, score.MapMax = scored.Score, scored.ClassProbability, scored.MapMax
	if t.gates {
		score.Gates = scored.Gates
	}
	if item.Anomalous {
		c.Row.Anomalous++
	} else {
		c.Row.Normal++
	}
	c.Scores = append(c.Scores, score)
	c.images, c.labels = append(c.images, scored.Score), append(c.labels, item.Anomalous)
	if t.counted != nil {
		if err := t.counted(scored); err != nil {
			return err
		}
	}
	if !t.set.HasMasks() || !item.HasPixelTruth() {
		return nil
	}
	t.fits.add(scored.Picture)
	switch mask := scored.Picture.Mask; {
	case !item.Anomalous:
	case !slices.Contains(mask, 1):
		c.empty++
	case !slices.Contains(mask, 0):
		c.full++
	}
	return c.pixels.Add(scored.Map.Scores, scored.Picture.Mask, scored.Map.Width, scored.Map.Height)
}

// finish hands the current class on.
func (t *tally) finish() error {
	c, name := t.current, t.set.Classes[t.current.class].Name
	t.current = nil
	defer c.pixels.Close()
	for _, odd := range []struct {
		count int
		what  string
	}{{c.empty, "nothing"}, {c.full, "every pixel"}} {
		if odd.count > 0 {
			t.warn(events.Warning{Text: fmt.Sprintf("%s/%s: %d of the masks of anomalous pictures mark %s at %d pixels", t.set.Name, name, odd.count, odd.what, t.detector.Input().Size)})
		}
	}
	if err := t.finished(c); err != nil {
		return fmt.Errorf("class %s: %w", name, err)
	}
	return nil
}

// metrics fills in the row's metrics.
func (c *classTally) metrics() error {
	if err := setImageMetrics(&c.Row.Metrics, c.images, c.labels); err != nil {
		return err
	}
	return setPixelMetrics(&c.Row.Metrics, c.pixels)
}
