package engine

import (
	"fmt"
	"slices"
	"time"

	"acdclip/pkg/metrics"
	"acdclip/pkg/report"
	"acdclip/pkg/shard"
)

// waitingClass is a class of a job, by its place in the dataset, whose pictures are still to come.
type waitingClass struct{ class, pictures int }

// tally gathers the scores of one job's pictures, class by class, and computes
// each class's metrics when its last picture has come.
type tally struct {
	*evaluation
	job      int
	detector *Detector
	waiting  []waitingClass // in the order in which they come
	current  *classTally    // of waiting[0]
}

// classTally is one class under way.
type classTally struct {
	shard.Class
	images []float32
	labels []bool
	pixels *metrics.Pixels
	empty  int // masks that mark nothing at the size of the maps
}

// run takes pictures until there are no more.
func (t *tally) run(pictures <-chan Judged) error {
	defer func() {
		if t.current != nil {
			t.current.pixels.Close()
		}
	}()
	if err := t.begin(); err != nil {
		return err
	}
	for judged := range pictures {
		start := time.Now()
		if err := t.add(judged); err != nil {
			return err
		}
		t.costs.metrics.add(time.Since(start))
	}
	return nil
}

// begin begins with the next class that pictures come for; those before are finished at once.
func (t *tally) begin() error {
	for len(t.waiting) > 0 {
		pixels, err := metrics.NewPixels(t.Pixels)
		if err != nil {
			return err
		}
		row := t.plan.Evaluation.Results[t.job].Classes[t.waiting[0].class]
		t.current = &classTally{Class: shard.Class{Row: row}, pixels: pixels}
		if t.waiting[0].pictures > 0 {
			return nil
		}
		if err := t.finish(); err != nil {
			return err
		}
	}
	return nil
}

func (t *tally) add(judged Judged) error {
	if err := t.count(judged); err != nil {
		return fmt.Errorf("%s: %w", judged.Picture.Item.Path, err)
	}
	if t.waiting[0].pictures--; t.waiting[0].pictures > 0 {
		return nil
	}
	if err := t.finish(); err != nil {
		return err
	}
	return t.begin()
}

// count counts one picture into the current class.
func (t *tally) count(judged Judged) error {
	c, job, item := t.current, t.Jobs[t.job], judged.Picture.Item
	result := t.plan.Evaluation.Results[t.job]
	score := report.Score{
		Target: result.Target, Class: c.Row.Class, Checkpoint: result.Checkpoint.Path, Path: report.ValidText(item.Path), Place: judged.Picture.Index,
		Anomalous: item.Anomalous,
	}
	if judged.Err != nil {
		score.Error = report.ValidText(judged.Err.Error())
		c.Row.Failed++
		c.Scores = append(c.Scores, score)
		t.Emit(failedPicture(job.Set.Name, item.Class, score.Error))
		return nil
	}
	score.Score, score.ClassProbability, score.MapMax = judged.Score, judged.ClassProbability, judged.MapMax
	if t.Gates {
		score.Gates = judged.Gates
	}
	if item.Anomalous {
		c.Row.Anomalous++
	} else {
		c.Row.Normal++
	}
	c.Scores = append(c.Scores, score)
	c.images, c.labels = append(c.images, judged.Score), append(c.labels, item.Anomalous)
	if t.Map != nil {
		if err := t.Map(job, item, judged.Map, judged.Picture.Mask); err != nil {
			return err
		}
	}
	if !job.Set.HasMasks() || !item.HasPixelTruth() {
		return nil
	}
	if item.Anomalous && !slices.Contains(judged.Picture.Mask, 1) {
		c.empty++
	}
	return c.pixels.Add(judged.Map.Scores, judged.Picture.Mask, judged.Map.Width, judged.Map.Height)
}

// finish computes what the current class has come to, and keeps it.
func (t *tally) finish() error {
	c, class := t.current, t.waiting[0].class
	name := t.Jobs[t.job].Set.Classes[class].Name
	t.current, t.waiting = nil, t.waiting[1:]
	defer c.pixels.Close()
	if c.empty > 0 {
		t.Emit(report.Warning{Text: fmt.Sprintf("%s/%s: %d masks of anomalous pictures mark nothing at %d pixels", t.Jobs[t.job].Set.Name, name, c.empty, t.detector.Input().Size)})
	}
	forOthers := c.pixels
	if t.Share.IsWhole() {
		forOthers = nil
		if err := c.metrics(); err != nil {
			return fmt.Errorf("class %s: %w", name, err)
		}
	}
	if t.folder != nil {
		if err := t.folder.Keep(t.job, class, c.Class, forOthers); err != nil {
			return fmt.Errorf("class %s: %w", name, err)
		}
	}
	t.finished[t.job][class] = &c.Class
	return nil
}

// metrics fills in the row's metrics.
func (c *classTally) metrics() error {
	if err := setImageMetrics(&c.Row.Metrics, c.images, c.labels); err != nil {
		return err
	}
	return setPixelMetrics(&c.Row.Metrics, c.pixels)
}
