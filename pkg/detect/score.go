package detect

import (
	"context"
	"errors"
	"fmt"

	"acdclip/cgo/torch"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/domain"
	"acdclip/pkg/model"
	"acdclip/pkg/scoring"
)

// Score scores decoded pictures, [S, S, 3] with S = Size(), as one batch; classOf[i] is
// the index of picture i's class in classes. If a picture's score is not finite, its Err is set.
func (d *Detector) Score(ctx context.Context, classes domain.Classes, pictures []pixels.Picture, classOf []int) ([]scoring.Scored, error) {
	pass, err := d.start(ctx, classes, pictures, classOf, false)
	if err != nil {
		return nil, err
	}
	return pass.finish(ctx)
}

// pass is the forward pass of a batch that was started. On CUDA the device may still be
// computing it.
type pass struct {
	detector *Detector
	pictures []pixels.Picture
	results  *results // nil without pictures
}

// start starts to score pictures as Score does; rawMaps says whether the method's own maps are
// wanted too. The caller finishes or closes the pass.
func (d *Detector) start(ctx context.Context, classes domain.Classes, pictures []pixels.Picture, classOf []int, rawMaps bool) (*pass, error) {
	if len(classOf) != len(pictures) {
		return nil, fmt.Errorf("class indexes for %d pictures, but %d pictures", len(classOf), len(pictures))
	}
	prepared, err := d.prepare(ctx, classes)
	if err != nil {
		return nil, err
	}
	p := &pass{detector: d, pictures: pictures}
	if len(pictures) == 0 {
		return p, nil
	}
	err = d.backbone.Runtime.Do(ctx, func(s *torch.Scope) error {
		return s.Inference(func() error {
			scores, err := d.forward(s, pictures, classOf, prepared)
			if err == nil {
				p.results = startReading(d.backbone.Runtime, scores, rawMaps)
			}
			return err
		})
	})
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// forward runs the method on pictures.
func (d *Detector) forward(s *torch.Scope, pictures []pixels.Picture, classOf []int, prepared model.Prepared) (model.Scores, error) {
	input, err := d.input(s, pictures)
	if err != nil {
		return model.Scores{}, err
	}
	return d.method.Score(s, input, classOf, prepared)
}

// input copies pictures to the device and normalises them, to [B, 3, S, S].
func (d *Detector) input(s *torch.Scope, pictures []pixels.Picture) (torch.Tensor, error) {
	input := d.Input()
	size := int64(input.Size)
	batch, err := s.LoadUint8(func(memory []uint8) error { return pack(memory, pictures, input.Size) }, int64(len(pictures)), size, size, 3)
	if err != nil {
		return torch.Tensor{}, err
	}
	return model.Normalize(s, batch, input), nil
}

// pack copies pictures of size x size pixels into memory, [B, S, S, 3].
func pack(memory []uint8, pictures []pixels.Picture, size int) error {
	values := size * size * 3
	for i, picture := range pictures {
		if len(picture.Pix) != values {
			return fmt.Errorf("picture %d has %d values, expected %d x %d x 3", i, len(picture.Pix), size, size)
		}
		copy(memory[i*values:], picture.Pix)
	}
	return nil
}

// finish waits for the pass and returns its results. It ends the pass also if ctx has ended,
// because the device computes it in any case.
func (p *pass) finish(ctx context.Context) ([]scoring.Scored, error) {
	defer p.close()
	if p.results == nil {
		return nil, nil
	}
	var out outputs
	err := p.detector.backbone.Runtime.Do(context.WithoutCancel(ctx), func(*torch.Scope) error {
		out = p.results.read()
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("waiting for the scores of a batch of %d: %w", len(p.pictures), err)
	}
	return out.of(p.pictures, p.detector.Size()), nil
}

// close frees the memory of the pass. A second close does nothing.
func (p *pass) close() {
	if p.results != nil {
		p.results.close()
	}
}

// Explain adds advice to an out-of-memory error; batch names the flag or key that sets the
// batch size.
func Explain(err error, batch string) error {
	if errors.Is(err, torch.ErrOutOfMemory) {
		return fmt.Errorf("%w; lower %s or model.image_size", err, batch)
	}
	return err
}
