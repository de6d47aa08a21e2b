// Package inspection scores single pictures for many goroutines at once, with one model. Each
// caller's goroutine decodes and scales its picture; the model gets them in batches. It is
// pure Go: detect.Detector.Inspector makes an Inspector of a model.
package inspection

import (
	"context"
	"errors"
	"fmt"
	"image"
	"strings"

	"golang.org/x/sync/semaphore"

	"acdclip/pkg/anomalymap"
	"acdclip/pkg/batching"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/data/pixels/picture"
	"acdclip/pkg/domain"
	"acdclip/pkg/heatmap"
	"acdclip/pkg/report"
	"acdclip/pkg/scoring"
)

// Scorer is the model that an Inspector uses. detect.Detector is one.
type Scorer interface {
	batching.Scorer
	// Size is the side S of the pictures and maps in pixels.
	Size() int
	Close()
}

// Options configure an Inspector.
type Options struct {
	Batching batching.Options
	Decode   picture.DecodeOptions
	// PromptOf returns the name in prompts of a picture's class; nil for the class with
	// spaces in place of _.
	PromptOf func(class string) string
}

// Pictures of so many pixels are decoded at once.
const (
	leastDecoding = 64 << 20 // of large ones, or the largest one's
	smallDecoding = 64 << 20 // of small ones
	mostOfSmall   = 16 << 20 // a picture with more is large
)

// Defaults of a Picture.
const (
	DefaultClass  = "object"
	DefaultDomain = domain.Industrial
)

// Inspector scores pictures. It is safe for concurrent use.
type Inspector struct {
	scorer  Scorer
	options Options
	batcher *batching.Batcher
	small   *semaphore.Weighted // pixels of small pictures that are decoded at once
	large   *semaphore.Weighted // likewise of large ones, which small ones would wait behind
	most    int64               // of these
}

// New returns an Inspector, which takes over the scorer: nothing else may use it. The caller
// closes the Inspector.
func New(scorer Scorer, o Options) *Inspector {
	if o.PromptOf == nil {
		o.PromptOf = func(class string) string { return strings.ReplaceAll(class, "_", " ") }
	}
	if o.Decode.MaxPixels <= 0 {
		o.Decode.MaxPixels = picture.DefaultMaxPixels
	}
	most := max(o.Decode.MaxPixels, leastDecoding)
	return &Inspector{scorer: scorer, options: o, batcher: batching.New(scorer, o.Batching),
		small: semaphore.NewWeighted(smallDecoding), large: semaphore.NewWeighted(most), most: most}
}

// Close refuses new pictures, waits until those that have begun are scored, and frees the
// model. Only one goroutine may call it, once.
func (i *Inspector) Close() {
	i.batcher.Close()
	i.scorer.Close()
}

// Load returns what the Inspector is busy with now.
func (i *Inspector) Load() batching.Load { return i.batcher.Load() }

// Size is the side of the maps in pixels.
func (i *Inspector) Size() int { return i.scorer.Size() }

// PromptOf returns the name in prompts of a class; "" is DefaultClass.
func (i *Inspector) PromptOf(class string) string {
	if class == "" {
		class = DefaultClass
	}
	return i.options.PromptOf(class)
}

// Picture is a picture to score: encoded, or in memory.
type Picture struct {
	Encoded []byte      // the content of a PNG, JPEG, BMP, GIF, TIFF or WebP file
	Image   image.Image // used if Encoded is nil; see picture.FromImage
	Class   string      // what the picture shows, for the prompts; "" for DefaultClass
	Domain  domain.Domain

	// KeepSide asks for Result.Small with sides of at most so many pixels; 0 for none.
	KeepSide int
	// Wait waits for a place in the queue, until the context ends, where there would be
	// batching.ErrBusy.
	Wait bool
	// Begun, if not nil, is called when the picture has its place in the queue.
	Begun func()
}

// Result is what the model says about a picture.
type Result struct {
	Prompt           string // the name of its class in the prompts
	Width, Height    int    // the picture's size in pixels, after any EXIF rotation
	Score            float32
	ClassProbability *float32        // of "abnormal", in [0, 1]; nil if the method has none
	MapMax           float32         // the map's largest value
	Map              *anomalymap.Map // [S, S], in [0, 1]; it shows the whole picture
	Reading          picture.Reading // how an encoded picture was read
	Small            *picture.Image  // the picture, not enlarged; nil without Picture.KeepSide
}

// Regions describes where the map reaches a threshold, in pixels of the picture.
func (r *Result) Regions(threshold float32) *report.Regions {
	return scoring.Regions(r.Map, threshold, r.Width, r.Height)
}

// PictureError reports a picture that cannot be scored, whatever the state of the model: its
// content is no picture, or too large, or has a score that is not finite.
type PictureError struct{ Err error }

func (e *PictureError) Error() string { return e.Err.Error() }
func (e *PictureError) Unwrap() error { return e.Err }

var errNoPicture = errors.New("no picture was given")

// Score decodes, scales and scores a picture. The error is a *PictureError, or wraps
// batching.ErrBusy, batching.ErrClosed or the context's error; others are the model's.
func (i *Inspector) Score(ctx context.Context, p Picture) (*Result, error) {
	if p.Domain == "" {
		p.Domain = DefaultDomain
	}
	place, err := i.place(ctx, p)
	if err != nil {
		return nil, err
	}
	defer place.Release()
	if p.Begun != nil {
		p.Begun()
	}
	result := &Result{Prompt: i.PromptOf(p.Class)}
	scaled, err := i.decode(ctx, p, result)
	if err != nil {
		return nil, err
	}
	scored, err := place.Score(ctx, batching.Request{Prompt: result.Prompt, Domain: p.Domain, Picture: scaled})
	switch {
	case scored.Err != nil:
		return nil, &PictureError{scored.Err}
	case err != nil:
		return nil, err
	}
	result.Score, result.ClassProbability, result.MapMax, result.Map = scored.Score, scored.ClassProbability, scored.MapMax, scored.Map
	return result, nil
}

// place takes a place in the queue for a picture.
func (i *Inspector) place(ctx context.Context, p Picture) (*batching.Place, error) {
	if p.Wait {
		return i.batcher.Await(ctx)
	}
	return i.batcher.Take()
}

// decode returns a picture scaled for the model, and stores in the result what is known of it.
// Only so many pixels are decoded at once, because large pictures take much memory.
func (i *Inspector) decode(ctx context.Context, p Picture, result *Result) (pixels.Picture, error) {
	size, err := i.pixelsOf(p)
	if err != nil {
		return pixels.Picture{}, &PictureError{err}
	}
	room, size := i.room(size)
	if err := room.Acquire(ctx, size); err != nil {
		return pixels.Picture{}, err
	}
	defer room.Release(size)
	im, reading, err := i.read(p)
	if err != nil {
		return pixels.Picture{}, &PictureError{err}
	}
	result.Width, result.Height, result.Reading = im.Width, im.Height, reading
	if p.KeepSide > 0 {
		result.Small = im
		if width, height := heatmap.Within(im.Width, im.Height, p.KeepSide); width != im.Width || height != im.Height {
			result.Small = im.ResizeBicubic(width, height)
		}
	}
	side := i.scorer.Size()
	return pixels.Picture{Width: im.Width, Height: im.Height, Reading: reading, Pix: im.ResizeBicubic(side, side).Pix}, nil
}

// room returns what a picture of so many pixels takes of what. A semaphore serves those who wait
// in their order, so a large picture holds up all behind it.
func (i *Inspector) room(pixels int64) (*semaphore.Weighted, int64) {
	if pixels <= mostOfSmall {
		return i.small, pixels
	}
	return i.large, min(pixels, i.most)
}

// pixelsOf returns the number of pixels that a picture promises, without decoding it.
func (i *Inspector) pixelsOf(p Picture) (int64, error) {
	switch {
	case p.Encoded != nil:
		info, err := picture.InspectBytes(p.Encoded, i.options.Decode)
		return int64(info.Width) * int64(info.Height), err
	case p.Image != nil:
		size := p.Image.Bounds().Size()
		return int64(size.X) * int64(size.Y), nil
	}
	return 0, errNoPicture
}

// read decodes a picture. The decoders' errors are errors, and so is a panic in one.
func (i *Inspector) read(p Picture) (im *picture.Image, reading picture.Reading, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("reading the picture: %v", r)
		}
	}()
	if p.Encoded != nil {
		return picture.ReadBytes(p.Encoded, i.options.Decode)
	}
	im, err = picture.FromImage(p.Image, i.options.Decode)
	return im, reading, err
}
