package data

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"acdclip/pkg/plural"
)

// HoldOut splits the dataset: held has the rows that wanted selects, rest the others.
// wanted is a list of class names; or a number of classes such as "2", which are
// spaced evenly over d.Classes; or a percentage of the pictures such as "20%", spread
// over classes and labels. A class named "2" or "20%" takes precedence. If wanted is
// empty, held is nil. Errors wrap ErrHoldOut or ErrUnknownClass.
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
			return nil, nil, fmt.Errorf("dataset %s: %d of its %s %w: hold out at least one class and leave at least one; a percentage of the pictures such as 20%% also works with a single class",
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
		return nil, nil, fmt.Errorf("dataset %s: all of its %s %w: leave at least one", d.Name, plural.Of(len(names), "class", "classes"), ErrHoldOut)
	}
	rest = d.keep(func(_ int, item Item) bool { return !out[item.Class] })
	held = d.keep(func(_ int, item Item) bool { return out[item.Class] })
	return rest, held, nil
}

// holdOutShare holds out a percentage of the pictures, at least one. If one row of a
// picture is held out, rest contains none of its rows.
func (d *Dataset) holdOutShare(percent string) (rest, held *Dataset, err error) {
	share, err := strconv.ParseFloat(percent, 64)
	if err != nil || !(share > 0 && share < 100) {
		return nil, nil, fmt.Errorf("dataset %s: %s%% of its pictures %w: the percentage must be above 0 and below 100", d.Name, percent, ErrHoldOut)
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
