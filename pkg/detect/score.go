package detect

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"acdclip/cgo/torch"
	"acdclip/pkg/anomalymap"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/domain"
	"acdclip/pkg/model"
	"acdclip/pkg/scoring"
)

// errNotFinite reports a score that is NaN or infinite.
var errNotFinite = errors.New("the model returned a score that is not a finite number")

// Score scores decoded pictures, [S, S, 3] with S = Size(), as one batch; classOf[i] is
// the index of picture i's class in classes. If a picture's score is not finite, its Err is set.
func (d *Detector) Score(ctx context.Context, classes domain.Classes, pictures []pixels.Picture, classOf []int) ([]scoring.Scored, error) {
	return d.score(ctx, classes, pictures, classOf, false)
}

// score is Score; rawMaps says whether the method's own maps are wanted too.
func (d *Detector) score(ctx context.Context, classes domain.Classes, pictures []pixels.Picture, classOf []int, rawMaps bool) ([]scoring.Scored, error) {
	if len(classOf) != len(pictures) {
		return nil, fmt.Errorf("class indexes for %d pictures, but %d pictures", len(classOf), len(pictures))
	}
	prepared, err := d.prepare(ctx, classes)
	if err != nil {
		return nil, err
	}
	batch, err := d.pack(pictures)
	if err != nil || len(pictures) == 0 {
		return nil, err
	}
	out, err := d.forward(ctx, batch, classOf, prepared, rawMaps)
	if err != nil {
		return nil, err
	}
	return out.of(pictures, d.Size()), nil
}

// pack copies pictures into one array [B, S, S, 3].
func (d *Detector) pack(pictures []pixels.Picture) ([]uint8, error) {
	size := d.Size()
	values := size * size * 3
	batch := make([]uint8, 0, len(pictures)*values)
	for i, picture := range pictures {
		if len(picture.Pix) != values {
			return nil, fmt.Errorf("picture %d has %d values, expected %d x %d x 3", i, len(picture.Pix), size, size)
		}
		batch = append(batch, picture.Pix...)
	}
	return batch, nil
}

// outputs are a method's scores for B pictures, on the host.
type outputs struct {
	maps, scores, probabilities []float32
	rawMaps, rawMaxima          []float32            // nil where the maps are the method's own
	extras                      map[string][]float32 // by name, for all pictures
}

// forward runs the method on pictures [B, S, S, 3]. rawMaps says whether the method's own
// maps are wanted too.
func (d *Detector) forward(ctx context.Context, batch []uint8, classOf []int, prepared model.Prepared, rawMaps bool) (out outputs, err error) {
	err = d.backbone.Runtime.Do(ctx, func(s *torch.Scope) error {
		return s.Inference(func() error {
			result, err := d.method.Score(s, d.input(s, batch), classOf, prepared)
			if err == nil {
				out = read(result, rawMaps)
			}
			return err
		})
	})
	return out, err
}

// input copies pictures [B, S, S, 3] to the device and normalises them, to [B, 3, S, S].
func (d *Detector) input(s *torch.Scope, batch []uint8) torch.Tensor {
	input := d.Input()
	size := int64(input.Size)
	return model.Normalize(s, s.FromUint8(batch, int64(len(batch))/(size*size*3), size, size, 3), input)
}

// read copies a method's scores to the host.
func read(result model.Scores, rawMaps bool) (out outputs) {
	out.maps, out.scores = result.Maps.Float32s(), result.Image.Float32s()
	if result.RawMaps.Defined() {
		out.rawMaxima = result.RawMaps.AMax(1, 2).Float32s()
		if rawMaps {
			out.rawMaps = result.RawMaps.Float32s()
		}
	}
	if result.ClassProbabilities.Defined() {
		out.probabilities = result.ClassProbabilities.Float32s()
	}
	out.extras = make(map[string][]float32, len(result.Extras))
	for _, extra := range result.Extras {
		out.extras[extra.Name] = extra.Values.Float32s()
	}
	return out
}

// of returns the outputs for each of the pictures; size is the side of the maps.
func (o *outputs) of(pictures []pixels.Picture, size int) []scoring.Scored {
	scored := make([]scoring.Scored, len(pictures))
	for i, picture := range pictures {
		scored[i].Picture = picture
		o.fill(&scored[i], i, size)
	}
	return scored
}

// fill stores the outputs for picture i in s.
func (o *outputs) fill(s *scoring.Scored, i, size int) {
	plane := size * size
	mapOf := func(maps []float32) *anomalymap.Map {
		return &anomalymap.Map{Width: size, Height: size, Scores: maps[i*plane : (i+1)*plane]}
	}
	s.Map = mapOf(o.maps)
	if o.rawMaps != nil {
		s.RawMap = mapOf(o.rawMaps)
	}
	if o.rawMaxima != nil {
		s.RawMapMax = &o.rawMaxima[i]
	}
	s.Score = withinOne(o.scores[i])
	for _, value := range s.Map.Scores {
		s.MapMax = max(s.MapMax, value) // max propagates NaN
	}
	s.MapMax = withinOne(s.MapMax)
	if o.probabilities != nil {
		s.ClassProbability = new(withinOne(o.probabilities[i]))
	}
	for name, values := range o.extras {
		if s.Extras == nil {
			s.Extras = map[string][]float32{}
		}
		each := len(values) / len(o.scores)
		s.Extras[name] = values[i*each : (i+1)*each]
	}
	if sum := float64(s.Score) + float64(s.MapMax); math.IsNaN(sum) || math.IsInf(sum, 0) {
		s.Err = errNotFinite
	}
}

// withinOne clamps a score to [0, 1], which rounding can exceed. NaN stays NaN.
func withinOne(score float32) float32 { return max(0, min(1, score)) }

// ScoreAll scores pictures from disk; see scoring.Scorer.
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
	batch, started := 0, time.Now()
	var waiting []scoring.Scored
	for picture := range pixels.Load(ctx, w.Items, w.Load) {
		waiting = append(waiting, scoring.Scored{Picture: picture, Err: picture.Err})
		w.Costs.Reading.Add(picture.Took)
		if len(waiting) < len(w.Batches[batch]) {
			continue
		}
		w.Costs.Waiting.Add(time.Since(started))
		started = time.Now()
		err := d.scoreReadable(ctx, waiting, w)
		if err != nil {
			return Explain(err, w.BatchKey)
		}
		w.Costs.Model.Add(time.Since(started))
		for _, scored := range waiting {
			if scored.Picture.Tiled {
				if scored, err = d.scoreTiles(ctx, scored.Picture, w); err != nil {
					return Explain(err, w.BatchKey)
				}
			}
			if err := each(scored); err != nil {
				return err
			}
		}
		batch, started, waiting = batch+1, time.Now(), waiting[:0]
	}
	return ctx.Err()
}

// scoreReadable scores the readable pictures among waiting as one batch and stores their
// scores, except of those that are cut into tiles.
func (d *Detector) scoreReadable(ctx context.Context, waiting []scoring.Scored, w scoring.Work) error {
	var readable []int
	var batch []pixels.Picture
	var classOf []int
	for i, scored := range waiting {
		if scored.Err == nil && !scored.Picture.Tiled {
			readable = append(readable, i)
			batch = append(batch, scored.Picture)
			classOf = append(classOf, w.ClassOf[scored.Picture.Index])
		}
	}
	scored, err := d.score(ctx, w.Classes, batch, classOf, w.RawMaps)
	for i, result := range scored {
		waiting[readable[i]] = result
	}
	return err
}

// Explain adds advice to an out-of-memory error; batch names the flag or key that sets the
// batch size.
func Explain(err error, batch string) error {
	if errors.Is(err, torch.ErrOutOfMemory) {
		return fmt.Errorf("%w; lower %s or model.image_size", err, batch)
	}
	return err
}
