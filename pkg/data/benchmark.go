package data

import (
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"acdclip/pkg/domain"
)

// Benchmark is one of the public datasets that anomaly detectors are compared on.
type Benchmark struct {
	Key       string // its name in the released code and in this program
	Title     string // its name in papers
	Domain    domain.Domain
	Spellings []string // other names of folders and lists for it; case is ignored
	Classes   []BenchmarkClass

	// Uncounted reports that no public list of the test rows exists, so counts cannot be checked.
	Uncounted bool
	// Others are different datasets of the same name.
	Others []OtherSet
	// Note is a warning for readers of its numbers; "" for none.
	Note string

	commonWord    bool                   // its key is a common word that a class of any dataset may have as its name
	stem          func(stem string) bool // reports whether a picture may have this stem; nil accepts any
	defects       []string               // names of its folders of anomalous pictures; nil accepts any
	jpegThreshold uint8                  // mask threshold for masks stored as JPEG; 0 uses the default
}

// BenchmarkClass is one class of a benchmark, with the number of test pictures in the public list.
type BenchmarkClass struct {
	Name, Prompt      string
	Aliases           []string // other names for it; case is ignored
	Normal, Anomalous int
}

// OtherSet is a different dataset that is easily mistaken for a benchmark.
type OtherSet struct {
	What              string   // a description for messages
	Normal, Anomalous int      // counts that identify it; both 0: Names identify it
	Names             []string // class or folder names that identify it
	Refused           bool     // it is not part of the benchmark: Discover returns an error if the user asked for the benchmark
}

// Benchmarks lists the known benchmarks, in the order in which they are shown.
func Benchmarks() []Benchmark { return slices.Concat(industrial, medical) }

// FindBenchmark finds a benchmark by any spelling of its name.
func FindBenchmark(name string) (Benchmark, bool) {
	key := plainKey(name)
	for _, b := range Benchmarks() {
		if plainKey(b.Key) == key || slices.Contains(b.Spellings, key) {
			return b, true
		}
	}
	return Benchmark{}, false
}

// Packed returns the folders in root, or one level deeper, that have a
// benchmark's name: the datasets of a pack, as absolute paths in natural order. A
// folder that is itself a dataset, or contains only one, is not a pack, whatever
// the names of its classes and defects.
func Packed(root string) []string {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil
	}
	found := packed(root, 2)
	if len(found) == 0 || len(found) == 1 && wraps(root, found[0]) {
		return nil
	}
	parts, err := partsOf(root)
	outside := func(set string) bool {
		return !slices.ContainsFunc(parts, func(part string) bool { return contains(part, set) || contains(set, part) })
	}
	if err == nil && !slices.ContainsFunc(found, outside) {
		return nil
	}
	return found
}

// wraps reports whether outer contains nothing but inner, which may be several levels deeper.
func wraps(outer, inner string) bool {
	for outer != inner {
		next, err := finder{}.inner(outer)
		if err != nil || next == "" || !contains(next, inner) {
			return false
		}
		outer = next
	}
	return true
}

// partsOf returns the picture folders of the single dataset at root: root itself,
// or one folder per class. It returns none if root is not exactly one dataset.
func partsOf(root string) ([]string, error) {
	layout, matches, err := matchLayout(root)
	switch {
	case err != nil || !matches:
		return nil, err
	case layout.Name == bmadLayout().Name:
		tests, err := bmadTests(root)
		if len(tests) > 1 {
			return nil, err
		}
		return tests, err
	case layout.Name == mvtecLayout().Name:
		classes, _, err := mvtecClasses(root)
		var paths []string
		for _, class := range classes {
			paths = append(paths, class.path)
		}
		return paths, err
	}
	return []string{root}, nil
}

// contains reports whether inner is folder or is inside it.
func contains(folder, inner string) bool {
	return inner == folder || strings.HasPrefix(inner, strings.TrimSuffix(folder, string(filepath.Separator))+string(filepath.Separator))
}

func packed(root string, depth int) []string {
	folders, err := readFolders(root)
	if err != nil || depth == 0 {
		return nil // Discover reports the error
	}
	var found []string
	for _, folder := range folders {
		inner := filepath.Join(root, folder.Name())
		if _, known := FindBenchmark(folder.Name()); known {
			found = append(found, inner)
		} else {
			found = append(found, packed(inner, depth-1)...)
		}
	}
	return found
}

// datasetKey normalises the spellings of a dataset's name: "MVTec-AD",
// "mvtec_ad" and "mvtec" have the same key.
func datasetKey(name string) string {
	if b, known := FindBenchmark(name); known {
		return plainKey(b.Key)
	}
	return plainKey(name)
}

// SameDataset reports whether two names are spellings of the same dataset's name.
func SameDataset(a, b string) bool { return datasetKey(a) == datasetKey(b) }

// plainKey keeps a name's letters and digits, in lower case.
func plainKey(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
}

// Counts returns the number of normal and anomalous test rows in the public list.
func (b Benchmark) Counts() (normal, anomalous int) {
	for _, class := range b.Classes {
		normal, anomalous = normal+class.Normal, anomalous+class.Anomalous
	}
	return normal, anomalous
}

// class finds a class by its name or an alias. If the benchmark has one class,
// every name means that class.
func (b Benchmark) class(name string) (BenchmarkClass, bool) {
	if len(b.Classes) == 1 {
		return b.Classes[0], true
	}
	for _, class := range b.Classes {
		if strings.EqualFold(class.Name, name) || slices.ContainsFunc(class.Aliases, func(alias string) bool { return strings.EqualFold(alias, name) }) {
			return class, true
		}
	}
	return BenchmarkClass{}, false
}

// refused returns the refused dataset that the class or folder names identify.
func (b Benchmark) refused(names []string) (OtherSet, bool) {
	for _, other := range b.Others {
		for _, name := range names {
			if other.Refused && slices.ContainsFunc(other.Names, func(known string) bool { return strings.EqualFold(known, name) }) {
				return other, true
			}
		}
	}
	return OtherSet{}, false
}

// numbered returns a function that accepts the numbers from first to last as stems.
func numbered(first, last int) func(string) bool {
	return func(stem string) bool {
		n := 0
		for _, c := range []byte(stem) {
			if !isDigit(c) || len(stem) > 9 {
				return false
			}
			n = 10*n + int(c-'0')
		}
		return stem != "" && n >= first && n <= last
	}
}
