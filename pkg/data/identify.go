package data

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// identify finds out which benchmark the dataset is, if any, and brings the
// classes' names to the benchmark's.
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
		return nil // a set of one's own whose folder happens to be called so
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

// names are those of the classes and of all folders that the pictures lie in,
// where they may betray another set than the benchmark.
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

// proves reports whether a folder's name says that the dataset is a benchmark,
// beside its layout. What any class may be called, such as brain, says it of the
// benchmark's own layout alone. Where the user has given the set another name than
// its folder's, one of its classes must be the benchmark's, too.
func (d *Dataset) proves(f finder, b Benchmark, folder string) bool {
	if f.name != filepath.Base(f.given.Path) && !d.hasClassOf(b) {
		return false
	}
	return !b.commonWord || plainKey(folder) != plainKey(b.Key) || d.Layout == bmadLayout().Name
}

// hasClassOf reports whether a class may be one of the benchmark's. The only class of
// a benchmark has many names: it is none where there are normal pictures and the
// benchmark has none.
func (d *Dataset) hasClassOf(b Benchmark) bool {
	if len(b.Classes) == 1 {
		return b.Classes[0].Normal > 0 || !slices.ContainsFunc(d.Items, func(item Item) bool { return !item.Anomalous })
	}
	return slices.ContainsFunc(d.Items, func(item Item) bool {
		_, own := b.class(item.Class)
		return own
	})
}

// recognise tells a benchmark by its folder's name, by two or more classes that
// are all its own, or by how many pictures of which names there are.
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
	delete(defects, "") // a list need not say
	for _, b := range Benchmarks() {
		if b.Uncounted {
			continue // its classes are words that anyone may use
		}
		fits := true
		if len(b.Classes) == 1 {
			one := b.Classes[0]
			fits = len(classes) == 1 && anomalous == one.Anomalous && len(d.Items)-anomalous == one.Normal && d.everyStem(b.stem)
		} else {
			for name := range classes {
				_, own := b.class(name)
				fits = fits && own
			}
			for defect := range defects {
				fits = fits && (b.defects == nil || slices.Contains(b.defects, defect))
			}
			fits = fits && len(classes) > 1
		}
		if fits {
			return b, true
		}
	}
	return Benchmark{}, false
}

func (d *Dataset) everyStem(fits func(string) bool) bool {
	return fits == nil || !slices.ContainsFunc(d.Items, func(item Item) bool { return !fits(stemAlone(item.Path)) })
}

// jpegThreshold is what the benchmark's masks need to be read with, where they are JPEG; 0 for nothing special.
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
