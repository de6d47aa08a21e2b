package data

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"acdclip/pkg/plural"
)

// HoldOut parts the dataset: held has what wanted names, and rest the others.
// wanted is classes; or one number of them, as in "2", which lie evenly over their
// list; or a share of the pictures, spread over classes and labels, as in "20%". A
// class of such a name comes first. Nothing wanted: held is nil. The error is
// ErrHoldOut or ErrUnknownClass.
func (d *Dataset) HoldOut(wanted []string) (rest, held *Dataset, err error) {
	if len(wanted) == 0 {
		return d, nil, nil
	}
	names := make([]string, len(d.Classes))
	for i, class := range d.Classes {
		names[i] = class.Name
	}
	single := len(wanted) == 1 && !slices.Contains(names, wanted[0])
	if share, ok := strings.CutSuffix(wanted[0], "%"); ok && single {
		return d.holdOutShare(share)
	}
	if count, err := strconv.Atoi(wanted[0]); err == nil && single {
		if count < 1 || count >= len(names) {
			return nil, nil, fmt.Errorf("dataset %s: %d of its %s %w: at least one must be, and one must be left; a share of the pictures, as in 20%%, needs one class alone",
				d.Name, count, plural.Of(len(names), "class", "classes"), ErrHoldOut)
		}
		wanted = make([]string, count)
		for i := range wanted {
			wanted[i] = names[(2*i+1)*len(names)/(2*count)]
		}
	}
	out, err := d.wantedClasses(wanted)
	if err != nil {
		return nil, nil, err
	}
	if len(out) == len(names) {
		return nil, nil, fmt.Errorf("dataset %s: all of its %s %w: none is left", d.Name, plural.Of(len(names), "class", "classes"), ErrHoldOut)
	}
	rest = d.keep(func(_ int, item Item) bool { return !out[item.Class] })
	held = d.keep(func(_ int, item Item) bool { return out[item.Class] })
	return rest, held, nil
}

// holdOutShare holds out a share of the pictures, in percent, and at least one. A
// picture that stands in several rows is not learned from where one of them is held out.
func (d *Dataset) holdOutShare(percent string) (rest, held *Dataset, err error) {
	share, err := strconv.ParseFloat(percent, 64)
	if err != nil || !(share > 0 && share < 100) {
		return nil, nil, fmt.Errorf("dataset %s: a share of %s%% of its pictures %w: it must be above 0 and below 100", d.Name, percent, ErrHoldOut)
	}
	held, err = d.Select(nil, max(1, int(share/100*float64(len(d.Items))+0.5)))
	if err != nil {
		return nil, nil, err
	}
	out := make(map[string]bool, len(held.Items))
	for _, item := range held.Items {
		out[item.Path] = true
	}
	return d.keep(func(_ int, item Item) bool { return !out[item.Path] }), held, nil
}
