package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"acdclip/cgo/torch"
	"acdclip/pkg/anomalymap"
	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/model"
)

// Scored is one picture and what the method says of it.
type Scored struct {
	Picture          pixels.Picture
	Score, MapMax    float32         // in [0, 1]
	ClassProbability *float32        // in [0, 1]; nil where the method has none
	Map              *anomalymap.Map // [S, S], in [0, 1]
	Gates            []float32       // [N, N, 2]: see model.Scores; nil without a fusion gateway
	Err              error           // why there is no score; then the numbers are not set
}

// errNotFinite reports a score that is no number.
var errNotFinite = errors.New("the model gave a score that is not a finite number")

// work is a list of pictures to score.
type work struct {
	items   []data.Item
	classes []model.Class
	classOf []int   // the place in classes of each item
	batches [][]int // the places of the items that are scored at once, in this order; none is empty
	load    pixels.LoadOptions
	costs   *costs

	batchKey string // what sets the number of pictures at once, for messages
}

// score scores the pictures batch by batch and hands each to each, also those
// that cannot be read. It stops at each's first error.
func (d *Detector) score(ctx context.Context, w work, each func(Scored) error) error {
	if len(w.batches) == 0 {
		return nil
	}
	scope := d.base.runtime.NewScope()
	defer scope.Close()
	start := time.Now()
	prepared, err := d.prepare(ctx, scope, w.classes)
	if err != nil {
		return fmt.Errorf("preparing prompts: %w", err)
	}
	w.costs.model.add(time.Since(start))
	w.load.Size = d.Input().Size
	w.load.Order = slices.Concat(w.batches...)
	w.load.Ahead = len(w.batches[0]) // the next batch is read while this one is scored
	batch, begun := 0, time.Now()
	var waiting []Scored
	for picture := range pixels.Load(ctx, w.items, w.load) {
		waiting = append(waiting, Scored{Picture: picture, Err: picture.Err})
		w.costs.reading.add(picture.Took)
		if len(waiting) < len(w.batches[batch]) {
			continue
		}
		w.costs.waiting.add(time.Since(begun))
		begun = time.Now()
		if err := d.scoreBatch(ctx, waiting, w.classOf, prepared); err != nil {
			return explain(err, w.batchKey)
		}
		w.costs.model.add(time.Since(begun))
		for _, scored := range waiting {
			if err := each(scored); err != nil {
				return err
			}
		}
		batch, begun, waiting = batch+1, time.Now(), waiting[:0]
	}
	return ctx.Err()
}

// prepare gives the text side of classes, in scope. What a class was prepared for
// once is kept for the next time, until the Detector is freed.
func (d *Detector) prepare(ctx context.Context, scope *torch.Scope, classes []model.Class) (prepared model.Prepared, err error) {
	err = d.base.runtime.Do(ctx, func(s *torch.Scope) error {
		return s.Inference(func() error {
			parts := make([]model.Prepared, len(classes))
			for i, class := range classes {
				if _, kept := d.prepared[class]; !kept {
					part, err := d.method.Prepare(ctx, d.scope, []model.Class{class})
					if err != nil {
						return err
					}
					d.prepared[class] = part
				}
				parts[i] = d.prepared[class]
			}
			prepared, err = d.method.Join(scope, parts)
			return err
		})
	})
	return prepared, err
}

// scoreBatch fills in the scores of the readable pictures among waiting, as one batch.
func (d *Detector) scoreBatch(ctx context.Context, waiting []Scored, classOf []int, prepared model.Prepared) error {
	var batch []*Scored
	for i := range waiting {
		if waiting[i].Err == nil {
			batch = append(batch, &waiting[i])
		}
	}
	if len(batch) == 0 {
		return nil
	}
	input := d.Input()
	plane := input.Size * input.Size
	pixels := make([]uint8, 0, len(batch)*plane*3)
	classes := make([]int, len(batch))
	for i, scored := range batch {
		pixels = append(pixels, scored.Picture.Pix...)
		classes[i] = classOf[scored.Picture.Index]
	}
	var maps, scores, probabilities, gates []float32
	err := d.base.runtime.Do(ctx, func(s *torch.Scope) error {
		return s.Inference(func() error {
			pictures := s.FromUint8(pixels, int64(len(batch)), int64(input.Size), int64(input.Size), 3)
			result, err := d.method.Score(s, model.Normalize(s, pictures, input), classes, prepared)
			if err != nil {
				return err
			}
			maps, scores = result.Maps.Float32s(), result.Image.Float32s()
			if result.ClassProbabilities.Defined() {
				probabilities = result.ClassProbabilities.Float32s()
			}
			if result.Gates.Defined() {
				gates = result.Gates.Float32s()
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	for i, scored := range batch {
		scored.fill(&anomalymap.Map{Width: input.Size, Height: input.Size, Scores: maps[i*plane : (i+1)*plane]}, scores[i], probabilities, i)
		each := len(gates) / len(batch)
		scored.Gates = gates[i*each : (i+1)*each]
	}
	return nil
}

func (s *Scored) fill(anomaly *anomalymap.Map, score float32, probabilities []float32, i int) {
	s.Map, s.Score = anomaly, score
	for _, value := range anomaly.Scores {
		s.MapMax = max(s.MapMax, value) // max carries NaN on
	}
	if probabilities != nil {
		s.ClassProbability = &probabilities[i]
	}
	if sum := float64(s.Score) + float64(s.MapMax); math.IsNaN(sum) || math.IsInf(sum, 0) {
		s.Err = errNotFinite
	}
}

// explain adds what a user can do to a failure for want of memory; batch is what
// sets the number of pictures at once.
func explain(err error, batch string) error {
	if errors.Is(err, torch.ErrOutOfMemory) {
		return fmt.Errorf("%w; lower %s or model.image_size", err, batch)
	}
	return err
}

// classList is a list of classes, each once.
type classList struct {
	list   []model.Class
	places map[model.Class]int
}

// place gives a class's place in the list, at whose end it is put when it is new.
func (c *classList) place(class model.Class) int {
	place, known := c.places[class]
	if !known {
		if c.places == nil {
			c.places = map[model.Class]int{}
		}
		place = len(c.list)
		c.places[class] = place
		c.list = append(c.list, class)
	}
	return place
}
