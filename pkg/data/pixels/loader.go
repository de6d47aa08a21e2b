package pixels

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"sync"
	"time"

	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels/augment"
	"acdclip/pkg/data/pixels/picture"
	"acdclip/pkg/tiling"
)

// Picture is one item, decoded and scaled. Its slices are read-only, because a cache
// may share them.
type Picture struct {
	Item          data.Item       // of a mosaic, the item that it replaces; Anomalous is the mosaic's
	Mosaic        bool            // it is a mosaic; see LoadOptions.Mosaic
	Tiled         bool            // it is to be cut into tiles by OpenTiles; then only Item, Index and Took are set
	Index         int             // index in the items
	Width, Height int             // the picture's original size in pixels, after any EXIF rotation
	Pix           []uint8         // [S, S, 3], S = LoadOptions.Size: the picture scaled to a square
	Mask          []uint8         // [S, S] of 0 and 1; all zero for a normal row; nil without LoadOptions.Masks, or if an anomalous row has no mask
	Reading       picture.Reading // how the file was read; of a mosaic, only the largest value of its four
	MaskFit       MaskFit         // whether the mask's size matches the picture's; MaskFits if no mask was read
	Inside        []uint8         // [S, S]; 0 at pixels that augmentation filled, which must be zero after normalising, else 1; nil if there are none
	Err           error           // the read error of the picture or mask, with the path; then only Item, Index and Took are set

	Took time.Duration // time that one goroutine needed to read and scale it
}

// LoadOptions are the options of Load.
type LoadOptions struct {
	Size    int   // side of the square that pictures and masks are scaled to, in pixels
	Order   []int // indices of the items to read, in this order; nil: all items in their order
	Workers int   // number of goroutines that decode and scale; 0: GOMAXPROCS
	Ahead   int   // maximum number of finished pictures that wait for the consumer
	Decode  picture.DecodeOptions
	Tiles   tiling.Options // pictures that these cut are not decoded: see Picture.Tiled
	Masks   bool           // read masks too

	// MaskThreshold is the smallest anomalous grey value of a mask; 0 means picture.NonZero.
	MaskThreshold uint8

	// BilinearMasks scales masks bilinearly, as 0 and 255; pixels are anomalous from 128 on.
	// Otherwise each pixel is the nearest one of the mask.
	BilinearMasks bool

	Augment *Augmentation // nil for no augmentation
	Mosaic  *Mosaic       // nil for no mosaics
	Cache   *Cache        // nil for no cache

	byClass map[string][]int // the items' indexes by class, for mosaics; set by Load
}

// Augmentation selects the random augmentation of one epoch. That of a picture depends
// only on the seed, the epoch and its index in the items.
type Augmentation struct {
	Seed  uint64
	Epoch int
}

func (o LoadOptions) workers() int {
	if o.Workers > 0 {
		return o.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// Load reads items on goroutines ahead of its consumer and yields all of them in
// order, including unreadable ones (Picture.Err). The number of workers does not
// change the result.
//
// Apart from the cache, at most Workers+Ahead pictures are in memory at a time,
// including the one that the consumer uses. No goroutine remains after the loop ends,
// breaks or ctx is cancelled. If ctx is cancelled, the sequence ends early: check
// ctx.Err().
func Load(ctx context.Context, items []data.Item, o LoadOptions) iter.Seq[Picture] {
	count := len(items)
	place := func(i int) int { return i }
	if o.Order != nil {
		count = len(o.Order)
		place = func(i int) int { return o.Order[i] }
	}
	if o.Mosaic != nil {
		o.byClass = siblings(items)
	}
	return func(yield func(Picture) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var running sync.WaitGroup
		defer running.Wait()
		defer cancel()

		// At most window items are in progress or ready. Item i uses slot i%window, which is
		// free once the slot's previous item was consumed.
		window := min(o.workers()+max(o.Ahead, 0), count)
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
					start := time.Now()
					picture := loadItem(items, place(i), o)
					picture.Took = time.Since(start)
					ready[i%window] <- picture
				}
			})
		}
		for i := range count {
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
			if i+window < count {
				jobs <- i + window
			}
		}
	}
}

var errSize = errors.New("LoadOptions.Size must be positive")

func loadItem(items []data.Item, index int, o LoadOptions) Picture {
	p := Picture{Item: items[index], Index: index}
	if p.Tiled = o.tiled(p.Item.Path); p.Tiled {
		return p
	}
	var d decoded
	if tiles := o.tiles(items, index); tiles != nil {
		p.Mosaic = true
		d, p.Item.Anomalous, p.Err = o.mosaic(items, tiles)
	} else {
		d, p.Err = o.cached(items[index], index)
	}
	if p.Err != nil {
		return p
	}
	p.Width, p.Height, p.Pix, p.Mask, p.MaskFit, p.Reading = d.width, d.height, d.pix, d.mask, d.fit, d.reading
	if o.Masks && !p.Item.Anomalous {
		p.Mask = make([]uint8, o.Size*o.Size)
	}
	if o.Augment != nil {
		drawn := augment.Draw(o.Augment.Seed, o.Augment.Epoch, index, o.Size)
		scaled := drawn.Color(d.image).ResizeBicubic(o.Size, o.Size)
		p.Pix, p.Mask, p.Inside = drawn.Geometry(scaled.Pix, p.Mask, o.Size)
	}
	return p
}

// cached returns a picture and its mask, from the cache if they are there.
func (o LoadOptions) cached(item data.Item, index int) (decoded, error) {
	if d, held := o.Cache.get(index); held {
		return d, nil
	}
	d, err := decodeItem(item, o)
	if err == nil {
		o.Cache.put(index, d)
	}
	return d, err
}

// decodeItem reads a picture and its mask.
func decodeItem(item data.Item, o LoadOptions) (decoded, error) {
	if o.Size <= 0 {
		return decoded{}, fmt.Errorf("%s: %w: %d", item.Path, errSize, o.Size)
	}
	im, reading, err := picture.Read(item.Path, o.Decode)
	if err != nil {
		return decoded{}, err
	}
	d := decoded{width: im.Width, height: im.Height, reading: reading}
	if o.Augment != nil {
		d.image = im
	} else {
		d.pix = im.ResizeBicubic(o.Size, o.Size).Pix
	}
	if o.Masks && item.Anomalous && item.Mask != "" {
		if d.mask, d.fit, err = decodeMask(item, im, reading.Turn, o); err != nil {
			return decoded{}, fmt.Errorf("mask of %s: %w", item.Path, err)
		}
	}
	return d, nil
}

// decodeMask reads the mask of the picture im, which was rotated by turn: [S, S] of 0
// and 1. A mask of several files is their union.
func decodeMask(item data.Item, im *picture.Image, turn picture.Orientation, o LoadOptions) ([]uint8, MaskFit, error) {
	var all []uint8
	var worst MaskFit
	for _, path := range item.MaskFiles() {
		mask, fit, err := readMask(path, im, turn, o)
		if err != nil {
			return nil, worst, err
		}
		worst = max(worst, fit)
		mask = o.scaledMask(mask)
		if all == nil {
			all = mask.Pix
			continue
		}
		for i, marked := range mask.Pix {
			all[i] |= marked
		}
	}
	return all, worst, nil
}

// scaledMask returns a mask as [S, S] of 0 and 1.
func (o LoadOptions) scaledMask(mask *picture.Grey) *picture.Grey {
	if !o.BilinearMasks {
		mask = mask.ResizeNearest(o.Size, o.Size)
		mask.Binary(o.MaskThreshold)
		return mask
	}
	const full, half = 255, 128
	mask.Binary(o.MaskThreshold)
	for i := range mask.Pix {
		mask.Pix[i] *= full
	}
	mask = mask.ResizeBilinear(o.Size, o.Size)
	mask.Binary(half)
	return mask
}

// readMask reads one file of a mask and rotates it if needed.
func readMask(path string, im *picture.Image, turn picture.Orientation, o LoadOptions) (*picture.Grey, MaskFit, error) {
	upright := Size{im.Width, im.Height}
	if turn <= picture.Upright { // the usual case; no need to read the header
		mask, _, err := picture.DecodeMask(path, o.MaskThreshold, o.Decode, picture.Upright)
		if err != nil {
			return nil, 0, err
		}
		_, fit := FitMask(upright, Size{mask.Width, mask.Height}, turn)
		return mask, fit, nil
	}
	info, err := picture.Inspect(path, o.Decode)
	if err != nil {
		return nil, 0, err
	}
	turn, fit := FitMask(upright, Size{info.Width, info.Height}, turn)
	mask, _, err := picture.DecodeMask(path, o.MaskThreshold, o.Decode, turn)
	return mask, fit, err
}
