package scoring

import (
	"fmt"

	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/events"
)

// MaskFits counts a dataset's masks that do not fit their pictures.
type MaskFits struct {
	count int
	first data.Item // the first in the dataset's order
	place int       // its place there
}

// Add counts a picture whose mask does not fit.
func (f *MaskFits) Add(p pixels.Picture) {
	if p.MaskFit != pixels.MaskOtherAspect {
		return
	}
	if f.count == 0 || p.Index < f.place {
		f.first, f.place = p.Item, p.Index
	}
	f.count++
}

// Tell warns of what was counted, if anything.
func (f *MaskFits) Tell(set *data.Dataset, warn func(events.Event)) {
	if f.count == 0 {
		return
	}
	masks := "1 mask has another aspect ratio than its picture"
	if f.count > 1 {
		masks = fmt.Sprintf("%d masks have other aspect ratios than their pictures", f.count)
	}
	warn(events.Warning{Text: fmt.Sprintf("%s: %s, by more than 2 %%, so that they may mark other places; the first is %s of %s; `acdclip data verify` lists them all",
		set.Name, masks, set.Relative(f.first.Mask), set.Relative(f.first.Path))})
}
