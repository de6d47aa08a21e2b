package data

import (
	"fmt"
	"slices"
	"strings"

	"acdclip/pkg/spelling"
)

// Select returns the rows of the named classes (no name: all classes), at most limit
// rows (0: all). The limit is distributed over classes and labels in proportion to
// their counts; each of these groups gets its first picture, class by class, before
// any gets a second, so that few pictures still include both labels. Inside a group,
// the pictures are spaced evenly over its rows, and so over its defects. The choice
// is deterministic and keeps the dataset's order.
//
// Classes contains only classes with a picture. An unknown class gives an
// ErrUnknownClass that suggests similar names.
func (d *Dataset) Select(classes []string, limit int) (*Dataset, error) {
	if limit < 0 {
		return nil, fmt.Errorf("dataset %s: invalid limit of %d pictures: it must be 0 (all) or more", d.Name, limit)
	}
	wanted, err := d.wantedClasses(classes)
	if err != nil {
		return nil, err
	}
	if len(classes) == 0 && limit == 0 {
		return d, nil
	}
	groups := d.groups(wanted)
	total := 0
	for _, rows := range groups {
		total += len(rows)
	}
	if limit == 0 || limit > total {
		limit = total
	}
	keep := make([]bool, len(d.Items))
	for i, take := range shares(groups, limit) {
		for j := range take {
			keep[groups[i][(2*j+1)*len(groups[i])/(2*take)]] = true
		}
	}
	return d.keep(func(row int, _ Item) bool { return keep[row] }), nil
}

func (d *Dataset) wantedClasses(names []string) (map[string]bool, error) {
	const few = 3 // number of suggested names
	known := make([]string, len(d.Classes))
	for i, class := range d.Classes {
		known[i] = class.Name
	}
	if len(names) == 0 {
		names = known
	}
	wanted := make(map[string]bool, len(names))
	for _, name := range names {
		if !slices.Contains(known, name) {
			near := spelling.Sorted(name, known)
			return nil, fmt.Errorf("dataset %s: %w: %q; did you mean %s?", d.Name, ErrUnknownClass, name, strings.Join(near[:min(few, len(near))], ", "))
		}
		wanted[name] = true
	}
	return wanted, nil
}

// groups returns the rows of each wanted class and label, class by class, normal rows
// first. No group is empty.
func (d *Dataset) groups(wanted map[string]bool) [][]int {
	index := make(map[string]int, len(d.Classes))
	for i, class := range d.Classes {
		index[class.Name] = 2 * i
	}
	groups := make([][]int, 2*len(d.Classes))
	for row, item := range d.Items {
		if !wanted[item.Class] {
			continue
		}
		group := index[item.Class]
		if item.Anomalous {
			group++
		}
		groups[group] = append(groups[group], row)
	}
	return slices.DeleteFunc(groups, func(rows []int) bool { return len(rows) == 0 })
}

// shares returns the number of rows to take from each group, limit in total: first one
// each in order, then always one from the group furthest below its proportion
// (Sainte-Laguë).
func shares(groups [][]int, limit int) []int {
	take := make([]int, len(groups))
	for i := range groups {
		if limit == 0 {
			return take
		}
		take[i]++
		limit--
	}
	for ; limit > 0; limit-- {
		next := -1
		for i, rows := range groups {
			if take[i] == len(rows) {
				continue
			}
			// rows/(2*take+1) is largest; compared without a division.
			if next < 0 || len(rows)*(2*take[next]+1) > len(groups[next])*(2*take[i]+1) {
				next = i
			}
		}
		take[next]++
	}
	return take
}

// keep returns the dataset with the rows for which wanted returns true.
func (d *Dataset) keep(wanted func(row int, item Item) bool) *Dataset {
	selected := *d
	selected.whole = d.Whole()
	selected.Findings = slices.Clone(d.Findings)
	selected.Items, selected.Classes = nil, nil
	present := map[string]bool{}
	for row, item := range d.Items {
		if wanted(row, item) {
			selected.Items = append(selected.Items, item)
			present[item.Class] = true
		}
	}
	for _, class := range d.Classes {
		if present[class.Name] {
			selected.Classes = append(selected.Classes, class)
		}
	}
	return &selected
}
