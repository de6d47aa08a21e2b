package scoring

import (
	"fmt"

	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/events"
)

// MaskFits counts a dataset's masks whose aspect ratio differs from their pictures'.
type MaskFits struct {
	count int
	first data.Item // the counted picture that is first in the dataset's order
	index int       // its index there
}

// Add counts a picture if its mask has another aspect ratio.
func (f *MaskFits) Add(p pixels.Picture) {
	if p.MaskFit != pixels.MaskOtherAspect {
		return
	}
	if f.count == 0 || p.Index < f.index {
		f.first, f.index = p.Item, p.Index
	}
	f.count++
}

// Tell emits a warning with the count, if it is not 0.
func (f *MaskFits) Tell(set *data.Dataset, warn func(events.Event)) {
	if f.count == 0 {
		return
	}
	masks := "1 mask has a different aspect ratio than its picture"
	if f.count > 1 {
		masks = fmt.Sprintf("%d masks have different aspect ratios than their pictures", f.count)
	}
	warn(events.Warning{Text: fmt.Sprintf("%s: %s, by more than 2 %%, so marks may be misplaced; the first is %s of %s; `acdclip data verify` lists all",
		set.Name, masks, set.Relative(f.first.Mask), set.Relative(f.first.Path))})
}
