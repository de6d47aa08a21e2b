package detect

import (
	"context"
	"fmt"
	"time"

	"acdclip/cgo/torch"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/domain"
	"acdclip/pkg/scoring"
)

// Timing is how long the parts of scoring one batch took.
type Timing struct {
	Tower   time.Duration // CLIP's image tower alone: patch embedding and all blocks for all tokens, once
	Forward time.Duration // the whole forward pass: copying pictures to the device, the tower with the method's parts, scores and maps
	Reading time.Duration // maps and scores from the device
}

// Time scores a batch as Score does, and measures its parts. The tower runs once more by
// itself, since methods work between its blocks; a method that runs it on several crops
// takes it several times in Forward.
func (d *Detector) Time(ctx context.Context, classes domain.Classes, pictures []pixels.Picture, classOf []int) (timing Timing, scored []scoring.Scored, err error) {
	if len(classOf) != len(pictures) || len(pictures) == 0 {
		return timing, nil, fmt.Errorf("class indexes for %d pictures, but %d pictures", len(classOf), len(pictures))
	}
	prepared, err := d.prepare(ctx, classes)
	if err != nil {
		return timing, nil, err
	}
	err = d.backbone.Runtime.Do(ctx, func(s *torch.Scope) error {
		return s.Inference(func() error {
			if err := d.timeTower(s, pictures, &timing); err != nil {
				return err
			}
			start := time.Now()
			scores, err := d.forward(s, pictures, classOf, prepared)
			if err != nil {
				return err
			}
			scores.Image.Float32s() // a GPU has finished when its values are read
			timing.Forward = time.Since(start)
			start = time.Now()
			reading := startReading(d.backbone.Runtime, scores, false)
			defer reading.close()
			out := reading.read()
			scored = out.of(pictures, d.Size())
			timing.Reading = time.Since(start)
			return nil
		})
	})
	return timing, scored, err
}

// timeTower runs the image tower on pictures and stores how long it took.
func (d *Detector) timeTower(s *torch.Scope, pictures []pixels.Picture, timing *Timing) error {
	vision := d.backbone.CLIP.Vision
	return s.Within(func(inner *torch.Scope) error {
		input, err := d.input(inner, pictures)
		if err != nil {
			return err
		}
		input.Narrow(0, 0, 1).AMax(0, 1, 2, 3).Item() // a GPU has copied them when a value is read
		start := time.Now()
		x := vision.Embed(input)
		for i := range vision.Depth {
			x = inner.Step(x, func(x torch.Tensor) torch.Tensor { return vision.Block(inner, i, x) })
		}
		x.Narrow(0, 0, 1).Narrow(1, 0, 1).Narrow(2, 0, 1).Item()
		timing.Tower = time.Since(start)
		return nil
	})
}
