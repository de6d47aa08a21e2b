package data

import (
	"fmt"
	"slices"
	"strings"

	"acdclip/pkg/spelling"
)

// Select returns the rows of the named classes (none: all), and of those at
// most limit (0: all). A limit is spread over classes and labels in proportion
// to their counts; before any of these groups gets a second picture each gets
// its first, class by class, so that few pictures still hold both labels.
// Inside a group the pictures lie evenly over its rows, and so over its
// defects. The choice is deterministic and the order is the dataset's.
//
// A class that gets no picture is left out of Classes. A class that is not
// there is an ErrUnknownClass with the nearest names.
func (d *Dataset) Select(classes []string, limit int) (*Dataset, error) {
	if limit < 0 {
		return nil, fmt.Errorf("dataset %s: a limit of %d pictures: it must be 0 (all) or more", d.Name, limit)
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
	const few = 3 // names to suggest
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

// groups lists the rows of each wanted class and label: class by class, normal
// ones first. None is empty.
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

// shares says how many rows each group gives, limit in all: one each in order,
// then always the group that lies furthest behind its proportion (Sainte-Laguë).
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

// keep returns the dataset with the rows that wanted says.
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
