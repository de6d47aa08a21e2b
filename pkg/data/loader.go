package data

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"sync"

	"acdclip/pkg/data/picture"
)

// Picture is one item, read and scaled.
type Picture struct {
	Item          Item
	Index         int     // its place in the items
	Width, Height int     // the picture's own size, after any EXIF turn
	Pix           []uint8 // [S, S, 3], S = LoadOptions.Size: the picture squashed to a square
	Mask          []uint8 // [S, S] of 0 and 1; all zero for a normal row; nil without LoadOptions.Masks, or where an anomalous row has none
	Err           error   // why picture or mask could not be read, with the path; then only Item and Index are set
}

// LoadOptions says how Load reads.
type LoadOptions struct {
	Size    int // the side of the square that pictures and masks are scaled to, in pixels
	Workers int // goroutines that decode and scale; 0: GOMAXPROCS
	Ahead   int // pictures that may wait, ready, beyond those being worked on
	Decode  picture.DecodeOptions
	Masks   bool // read masks too

	// MaskThreshold is the least grey value of a mask that is anomalous; 0 is picture.NonZero.
	MaskThreshold uint8
}

func (o LoadOptions) workers() int {
	if o.Workers > 0 {
		return o.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// Load reads items on goroutines ahead of its consumer and yields every one, in
// order, also the unreadable (Picture.Err). What it yields does not depend on
// the number of workers, and belongs to the consumer.
//
// At most Workers+Ahead pictures exist at a time, the one that the consumer
// holds among them. When the loop ends, is broken or ctx is cancelled, no
// goroutine is left. After a cancelled ctx the sequence just ends: ask ctx.Err().
func Load(ctx context.Context, items []Item, o LoadOptions) iter.Seq[Picture] {
	return func(yield func(Picture) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var running sync.WaitGroup
		defer running.Wait()
		defer cancel()

		// window items are under way or ready; item i's place is i%window,
		// which is free again once the item before it in that place was consumed.
		window := min(o.workers()+max(o.Ahead, 0), len(items))
		jobs := make(chan int, window)
		defer close(jobs)
		ready := make([]chan Picture, window)
		for i := range ready {
			ready[i] = make(chan Picture, 1)
			jobs <- i
		}
		for range min(o.workers(), window) {
			running.Go(func() {
				for i := range jobs {
					if ctx.Err() != nil {
						return
					}
					ready[i%window] <- loadItem(items[i], i, o)
				}
			})
		}
		for i := range items {
			if ctx.Err() != nil {
				return
			}
			select {
			case <-ctx.Done():
				return
			case picture := <-ready[i%window]:
				if !yield(picture) {
					return
				}
			}
			if i+window < len(items) {
				jobs <- i + window
			}
		}
	}
}

var errSize = errors.New("the size to scale to must be positive")

func loadItem(item Item, index int, o LoadOptions) Picture {
	p := Picture{Item: item, Index: index}
	if err := p.read(o); err != nil {
		return Picture{Item: item, Index: index, Err: err}
	}
	return p
}

func (p *Picture) read(o LoadOptions) error {
	if o.Size <= 0 {
		return fmt.Errorf("%s: %w: %d", p.Item.Path, errSize, o.Size)
	}
	im, turn, err := picture.DecodeTurned(p.Item.Path, o.Decode)
	if err != nil {
		return err
	}
	p.Width, p.Height = im.Width, im.Height
	p.Pix = im.ResizeBicubic(o.Size, o.Size).Pix
	if o.Masks {
		return p.readMask(o, turn)
	}
	return nil
}

func (p *Picture) readMask(o LoadOptions, turn picture.Orientation) error {
	switch {
	case !p.Item.Anomalous:
		p.Mask = make([]uint8, o.Size*o.Size)
	case p.Item.Mask != "":
		mask, _, err := picture.DecodeMask(p.Item.Mask, o.MaskThreshold, o.Decode, turn)
		if err != nil {
			return fmt.Errorf("mask of %s: %w", p.Item.Path, err)
		}
		mask = mask.ResizeNearest(o.Size, o.Size)
		mask.Binary(o.MaskThreshold)
		p.Mask = mask.Pix
	}
	return nil
}
