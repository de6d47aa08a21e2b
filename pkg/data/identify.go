package data

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// identify determines which benchmark the dataset is, if any, and renames the
// classes to the benchmark's names.
func (d *Dataset) identify(f finder, hints []string) error {
	benchmark, known := f.benchmark, f.named || f.known && d.proves(f, f.benchmark, filepath.Base(f.given.Path))
	if !known {
		benchmark, known = d.recognise(f, hints)
	}
	if !known {
		return nil
	}
	if other, refused := benchmark.refused(d.names(benchmark)); refused {
		if f.named {
			return otherSet(benchmark, other)
		}
		return nil // a user's dataset in a folder that has a benchmark's name by chance
	}
	d.Benchmark = &benchmark
	renamed := map[string]string{}
	for i := range d.Items {
		item := &d.Items[i]
		name, seen := renamed[item.Class]
		if !seen {
			name = item.Class
			if class, ok := benchmark.class(item.Class); ok {
				name = class.Name
			}
			if renamed[item.Class] = name; name != item.Class && item.Class != d.Name {
				d.Findings = append(d.Findings, NewFinding(RenamedClass, name, "", item.Class+" is "+name))
			}
		}
		item.Class = name
	}
	for i, f := range d.Findings {
		if name, ok := renamed[f.Class]; ok {
			d.Findings[i].Class = name
		}
	}
	return nil
}

// names returns the names of the classes and of all folders on the pictures' paths,
// if they can identify a dataset that is mistaken for the benchmark.
func (d *Dataset) names(b Benchmark) []string {
	if len(b.Others) == 0 {
		return nil
	}
	seen := map[string]bool{filepath.Base(d.Root): true}
	for _, item := range d.Items {
		seen[item.Class] = true
		if folder := filepath.Dir(item.Path); !seen[folder] {
			seen[folder] = true
			for name := range strings.SplitSeq(relative(d.Root, folder), "/") {
				seen[name] = true
			}
		}
	}
	return slices.Collect(maps.Keys(seen))
}

// proves reports whether a folder's name identifies the dataset as the benchmark.
// A common word such as brain does so only in the benchmark's own layout. If the
// user gave the dataset a name other than its folder's, it must also have one of
// the benchmark's classes.
func (d *Dataset) proves(f finder, b Benchmark, folder string) bool {
	if f.name != filepath.Base(f.given.Path) && !d.hasClassOf(b) {
		return false
	}
	return !b.commonWord || plainKey(folder) != plainKey(b.Key) || d.Layout == bmadLayout().Name
}

// hasClassOf reports whether the dataset may have a class of the benchmark. The single
// class of a benchmark has many names, so only labels count there: a dataset with
// normal pictures is not a benchmark without any.
func (d *Dataset) hasClassOf(b Benchmark) bool {
	if len(b.Classes) == 1 {
		return b.Classes[0].Normal > 0 || !slices.ContainsFunc(d.Items, func(item Item) bool { return !item.Anomalous })
	}
	return slices.ContainsFunc(d.Items, func(item Item) bool {
		_, own := b.class(item.Class)
		return own
	})
}

// recognise identifies a benchmark by the folder's name or the hints, by two or more
// classes that all belong to it, or by the number and names of its pictures.
func (d *Dataset) recognise(f finder, hints []string) (Benchmark, bool) {
	folder := filepath.Base(d.Root)
	if b, ok := FindBenchmark(folder); ok && d.proves(f, b, folder) {
		return b, true
	}
	for _, name := range hints {
		if b, ok := FindBenchmark(name); ok {
			return b, true
		}
	}
	classes, defects := map[string]bool{}, map[string]bool{}
	anomalous := 0
	for _, item := range d.Items {
		classes[item.Class] = true
		if item.Anomalous {
			anomalous++
			defects[strings.ToLower(item.Defect)] = true
		}
	}
	delete(defects, "") // a list need not name the defect
	for _, b := range Benchmarks() {
		if b.Uncounted {
			continue // its class names are common words
		}
		matches := true
		if len(b.Classes) == 1 {
			one := b.Classes[0]
			matches = len(classes) == 1 && anomalous == one.Anomalous && len(d.Items)-anomalous == one.Normal && d.everyStem(b.stem)
		} else {
			for name := range classes {
				_, own := b.class(name)
				matches = matches && own
			}
			for defect := range defects {
				matches = matches && (b.defects == nil || slices.Contains(b.defects, defect))
			}
			matches = matches && len(classes) > 1
		}
		if matches {
			return b, true
		}
	}
	return Benchmark{}, false
}

func (d *Dataset) everyStem(valid func(string) bool) bool {
	return valid == nil || !slices.ContainsFunc(d.Items, func(item Item) bool { return !valid(stemAlone(item.Path)) })
}

// jpegThreshold returns the mask threshold for a benchmark's masks that are JPEG files; 0 for the default.
func (d *Dataset) jpegThreshold() uint8 {
	if d.Benchmark == nil || d.Benchmark.jpegThreshold == 0 {
		return 0
	}
	for _, item := range d.Items {
		if slices.ContainsFunc(item.MaskFiles(), IsJPEG) {
			return d.Benchmark.jpegThreshold
		}
	}
	return 0
}
