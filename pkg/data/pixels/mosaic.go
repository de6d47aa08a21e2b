package pixels

import (
	"fmt"

	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels/augment"
	"acdclip/pkg/data/pixels/picture"
)

// Mosaic replaces pictures by mosaics of four pictures of their class, as AdaCLIP's authors
// do (after APRIL-GAN's). Those of a picture depend only on the seed, the epoch and its
// index in the items.
type Mosaic struct {
	Seed   uint64
	Epoch  int
	Chance float64 // of each picture, in [0, 1]
}

// siblings lists the indexes of the items by class.
func siblings(items []data.Item) map[string][]int {
	byClass := map[string][]int{}
	for i, item := range items {
		byClass[item.Class] = append(byClass[item.Class], i)
	}
	return byClass
}

// tiles returns the indexes of the items that picture number index is made of; nil if it
// stays as it is.
func (o LoadOptions) tiles(items []data.Item, index int) []int {
	if o.Mosaic == nil {
		return nil
	}
	return augment.Mosaic(o.Mosaic.Seed, o.Mosaic.Epoch, index, o.Mosaic.Chance, o.byClass[items[index].Class])
}

// mosaic puts four pictures side by side, and their masks. The first one's size is that of
// each tile; the others are cut there, or leave black. It is anomalous if one of them is.
func (o LoadOptions) mosaic(items []data.Item, tiles []int) (d decoded, anomalous bool, err error) {
	var im *picture.Image
	var mask *picture.Grey
	for i, tile := range tiles {
		item := items[tile]
		part, reading, err := picture.Read(item.Path, o.Decode)
		if err != nil {
			return decoded{}, false, err
		}
		d.reading.Largest = max(d.reading.Largest, reading.Largest)
		if i == 0 {
			im = picture.NewImage(2*part.Width, 2*part.Height)
			mask = &picture.Grey{Width: im.Width, Height: im.Height, Pix: make([]uint8, im.Width*im.Height)}
		}
		x, y := i%2*im.Width/2, i/2*im.Height/2
		im.Paste(part, x, y)
		marked := &picture.Grey{Width: part.Width, Height: part.Height, Pix: make([]uint8, part.Width*part.Height)}
		if item.Anomalous {
			anomalous = true
			if err := o.mark(marked, item, part, reading.Turn); err != nil {
				return decoded{}, false, fmt.Errorf("mask of %s: %w", item.Path, err)
			}
		}
		mask.Paste(marked, x, y)
	}
	d.width, d.height = im.Width, im.Height
	if o.Augment != nil {
		d.image = im
	} else {
		d.pix = im.ResizeBicubic(o.Size, o.Size).Pix
	}
	if o.Masks {
		o.MaskThreshold = picture.NonZero // the threshold has been applied
		d.mask = o.scaledMask(mask).Pix
	}
	return d, anomalous, nil
}

// mark sets the pixels of a picture's size that its masks mark to 1.
func (o LoadOptions) mark(marked *picture.Grey, item data.Item, im *picture.Image, turn picture.Orientation) error {
	if !o.Masks || item.Mask == "" {
		return nil
	}
	for _, path := range item.MaskFiles() {
		mask, _, err := readMask(path, im, turn, o)
		if err != nil {
			return err
		}
		mask.Binary(o.MaskThreshold)
		marked.Join(mask)
	}
	return nil
}
