package data

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// requireMasks reports a finding for each anomalous picture without a mask, if
// others have one. A tree without any mask is a dataset without pixel metrics.
func (d *Dataset) requireMasks() {
	var without []Finding
	masked := false
	for _, item := range d.Items {
		switch {
		case !item.Anomalous:
		case item.Mask == "":
			without = append(without, NewFinding(MissingMask, item.Class, relative(d.Root, item.Path), ""))
		default:
			masked = true
		}
	}
	if masked {
		d.Findings = append(d.Findings, without...)
	}
}

// check adds the findings that need all rows.
func (d *Dataset) check(listed bool) {
	if listed { // a folder tree contains each file once
		d.findDuplicates("is listed more than once", func(item Item) string { return item.Path })
		d.findDuplicates("shares its mask with another picture", func(item Item) string { return item.Mask })
		for _, item := range d.Items {
			if item.Mask == item.Path {
				d.Findings = append(d.Findings, NewFinding(DuplicatePath, item.Class, relative(d.Root, item.Path), "is listed as its own mask"))
			}
		}
	}
	counts := d.Counts()
	for _, count := range counts {
		switch {
		case count.Normal == 0:
			d.add(OneClassSet, count.Class, count.Class+" has no normal picture, so no image metrics")
		case count.Anomalous == 0:
			d.add(OneClassSet, count.Class, count.Class+" has no anomalous picture, so no metrics")
		}
	}
	if d.Benchmark == nil {
		return
	}
	if d.Benchmark.Note != "" {
		d.add(Note, "", d.Benchmark.Title+" is "+d.Benchmark.Note)
	}
	if !d.Benchmark.Uncounted {
		d.compareCounts(counts)
	}
}

func (d *Dataset) add(code Code, class, detail string) {
	d.Findings = append(d.Findings, NewFinding(code, class, "", detail))
}

// findDuplicates reports rows with equal non-empty keys.
func (d *Dataset) findDuplicates(what string, key func(Item) string) {
	rows := make([]int32, 0, len(d.Items))
	for i, item := range d.Items {
		if key(item) != "" {
			rows = append(rows, int32(i))
		}
	}
	slices.SortFunc(rows, func(a, b int32) int {
		return cmp.Or(strings.Compare(key(d.Items[a]), key(d.Items[b])), int(a-b))
	})
	for i := 1; i < len(rows); i++ {
		item := d.Items[rows[i]]
		if key(item) == key(d.Items[rows[i-1]]) {
			d.Findings = append(d.Findings, NewFinding(DuplicatePath, item.Class, relative(d.Root, item.Path), what))
		}
	}
}

// compareCounts compares the counts with the benchmark's public list.
func (d *Dataset) compareCounts(counts []Count) {
	normal, anomalous := d.Total()
	for _, other := range d.Benchmark.Others {
		if other.Normal+other.Anomalous > 0 && other.Normal == normal && other.Anomalous == anomalous {
			d.add(KnownSubset, "", fmt.Sprintf("%d normal and %d anomalous pictures are the counts of another dataset: %s", normal, anomalous, other.What))
		}
	}
	rest := slices.Clone(d.Benchmark.Classes)
	for _, count := range counts {
		at := slices.IndexFunc(rest, func(class BenchmarkClass) bool { return class.Name == count.Class })
		if at < 0 {
			d.add(CountMismatch, count.Class, count.Class+" is not a class of the benchmark")
			continue
		}
		if want := rest[at]; want.Normal != count.Normal || want.Anomalous != count.Anomalous {
			d.add(CountMismatch, count.Class, fmt.Sprintf("%s has %d/%d, expected %d/%d", count.Class, count.Normal, count.Anomalous, want.Normal, want.Anomalous))
		}
		rest = slices.Delete(rest, at, at+1)
	}
	for _, class := range rest {
		d.add(CountMismatch, class.Name, class.Name+" is missing")
	}
}

// MatchesPublicList reports whether the dataset is a benchmark with exactly the
// counts of its public list.
func (d *Dataset) MatchesPublicList() bool {
	return d.Benchmark != nil && !d.Benchmark.Uncounted &&
		!slices.ContainsFunc(d.Findings, func(f Finding) bool { return f.Code == CountMismatch })
}
