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
	Key       string // what the released code and this program call it
	Title     string // what papers call it
	Domain    domain.Domain
	Spellings []string // other names that folders and lists have for it, in any case
	Classes   []BenchmarkClass

	// Uncounted says that there is no public list of the test rows, so that counts compare with nothing.
	Uncounted bool
	// Others are different sets that go by the same name.
	Others []OtherSet
	// Note is what a reader of its numbers has to know; "" for nothing.
	Note string

	commonWord    bool                   // its key is a word that a class of any dataset may be called
	stem          func(stem string) bool // whether a picture may be called so; nil: any name
	defects       []string               // what its folders of anomalous pictures are called; nil: anything
	jpegThreshold uint8                  // what its masks need to be read with where they are JPEG; 0: nothing special
}

// BenchmarkClass is one class, and how many test pictures the public list has of it.
type BenchmarkClass struct {
	Name, Prompt      string
	Aliases           []string // other names for it, in any case
	Normal, Anomalous int
}

// OtherSet is what is easily taken for a benchmark.
type OtherSet struct {
	What              string   // what it is, in words
	Normal, Anomalous int      // the counts that it is known by; both 0: by its names
	Names             []string // class or folder names that it is known by
	Refused           bool     // it is no part of the benchmark at all
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

// Packed gives the folders in a folder, or one folder deeper, that have a
// benchmark's name: the sets of a pack, in natural order, by absolute paths. A
// folder that is itself a dataset, or holds nothing but one, is no pack, whatever
// its classes and defects are called.
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

// wraps reports whether a folder holds nothing but another, which may lie deeper.
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

// partsOf gives the folders that hold the pictures of the one dataset that root
// is: root itself, or one a class. There are none where it is no dataset, or several.
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

// contains reports whether a folder is another or lies in it.
func contains(folder, inner string) bool {
	return inner == folder || strings.HasPrefix(inner, strings.TrimSuffix(folder, string(filepath.Separator))+string(filepath.Separator))
}

func packed(root string, depth int) []string {
	folders, err := readFolders(root)
	if err != nil || depth == 0 {
		return nil // Discover says what is wrong with it
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

// datasetKey makes the spellings of one dataset's name equal: "MVTec-AD",
// "mvtec_ad" and "mvtec" are one.
func datasetKey(name string) string {
	if b, known := FindBenchmark(name); known {
		return plainKey(b.Key)
	}
	return plainKey(name)
}

// SameDataset reports whether two names are spellings of one dataset's.
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

// Counts sums the public list's test rows.
func (b Benchmark) Counts() (normal, anomalous int) {
	for _, class := range b.Classes {
		normal, anomalous = normal+class.Normal, anomalous+class.Anomalous
	}
	return normal, anomalous
}

// class finds a class by its name or an alias. A benchmark of one class has
// every picture in it, whatever a list calls it.
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

// refused finds the set that names of classes or folders betray, among those that are refused.
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

// numbered is the rule of stems that are the numbers from first to last.
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
