package evaluation

import (
	"fmt"
	"slices"
	"time"

	"acdclip/pkg/config/section"
	"acdclip/pkg/events"
	"acdclip/pkg/metrics"
	"acdclip/pkg/report"
	"acdclip/pkg/scoring"
)

// tally collects the scores of pictures class by class. It finishes a class when it has
// received its last picture.
type tally struct {
	*ByClass
	waiting []Batches        // classes still to come, in order
	current *Class           // the class being scored; nil: none
	left    int              // pictures of the current class still to come
	fits    scoring.MaskFits // of all classes
	depths  scoring.Depths   // of all classes
}

// run receives pictures until the channel is closed.
func (t *tally) run(pictures <-chan scoring.Scored) error {
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
		t.Costs.Metrics.Add(time.Since(start))
	}
	warn := t.WarnOfFiles
	if warn == nil {
		warn = t.Warn
	}
	t.fits.Tell(t.Set, warn)
	if text := t.depths.Text(t.Set.Relative); text != "" {
		warn(events.Warning{Text: t.Set.Name + ": " + text})
	}
	return nil
}

// begin starts the next class that has pictures. Classes without pictures before it are
// finished immediately.
func (t *tally) begin() error {
	for len(t.waiting) > 0 {
		next := t.waiting[0]
		pixels, err := metrics.NewPixels(t.Pixels)
		if err != nil {
			return err
		}
		t.current = &Class{Place: next.Class, Row: t.Result.Classes[next.Class], rule: section.ScoreRule(t.Result.ScoreRule), pixels: pixels}
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

func (t *tally) add(scored scoring.Scored) error {
	if t.current == nil {
		return fmt.Errorf("%s: %w", scored.Picture.Item.Path, errOtherPictures)
	}
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

// count adds one picture to the current class.
func (t *tally) count(scored scoring.Scored) error {
	c, item := t.current, scored.Picture.Item
	score := report.Score{
		Target: t.Result.Target, Class: c.Row.Class, Checkpoint: t.Result.Checkpoint.Path, Model: t.Result.Checkpoint.Model, Path: report.EscapeName(item.Path), Place: scored.Picture.Index,
		Anomalous: item.Anomalous,
	}
	if scored.Err != nil {
		score.Error = report.ValidText(scored.Err.Error())
		c.Row.Failed++
		c.Scores = append(c.Scores, score)
		t.Warn(failedPicture(t.Set.Name, item.Class, score.Error))
		return nil
	}
	t.depths.Add(scored.Picture)
	score.Score, score.ClassProbability, score.MapMax, score.RawMapMax = scored.Score, scored.ClassProbability, scored.MapMax, scored.RawMapMax
	for _, name := range t.Extras {
		if values := scored.Extras[name]; values != nil {
			if score.Extras == nil {
				score.Extras = map[string][]float32{}
			}
			score.Extras[name] = values
		}
	}
	if item.Anomalous {
		c.Row.Anomalous++
	} else {
		c.Row.Normal++
	}
	c.Scores = append(c.Scores, score)
	c.images, c.labels = append(c.images, scored.Score), append(c.labels, item.Anomalous)
	if t.Counted != nil {
		if err := t.Counted(scored); err != nil {
			return err
		}
	}
	if !t.Set.HasMasks() || !item.HasPixelTruth() {
		return nil
	}
	t.fits.Add(scored.Picture)
	switch mask := scored.Picture.Mask; {
	case !item.Anomalous:
	case !slices.Contains(mask, 1):
		c.empty++
	case !slices.Contains(mask, 0):
		c.full++
	}
	return c.pixels.Add(scored.Map.Scores, scored.Picture.Mask, scored.Map.Width, scored.Map.Height)
}

// finish passes the current class to Finished.
func (t *tally) finish() error {
	c, name := t.current, t.Set.Classes[t.current.Place].Name
	t.current = nil
	defer c.pixels.Close()
	for _, odd := range []struct {
		count int
		what  string
	}{{c.empty, "no pixel"}, {c.full, "every pixel"}} {
		if odd.count > 0 {
			t.Warn(events.Warning{Text: fmt.Sprintf("%s/%s: masks of anomalous pictures that mark %s at %d pixels: %d", t.Set.Name, name, odd.what, t.Scorer.Size(), odd.count)})
		}
	}
	if err := t.Finished(c); err != nil {
		return fmt.Errorf("class %s: %w", name, err)
	}
	return nil
}
