package synth

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"acdclip/pkg/data"
)

// layout is the folder structure of a dataset. A new layout is one more row of
// layouts.
type layout struct {
	benchmark string   // the benchmark's key; "" for the classes of a set
	folder    string   // its folder in the layout all, named like the released code's roots
	names     []string // its class names; nil: the benchmark's
	drawn     []class  // classes to draw, assigned to its class names in turn; nil for those of a set
	places    []placement
	texts     func(jobs []job) []textFile // its text files; nil: none
}

// placement is one kind of picture in a layout: its count, its names, and the files
// of pictures and masks.
type placement struct {
	part          part
	of            func(class string) bool // reports whether a class has it; nil: all
	least, most   int                     // bounds of the count, which override Options; most 0: no upper bound
	stem          func(number int) string // the stem of a picture by its number in its folder
	picture, mask file
	blank         int // the number of an anomalous picture without a visible defect; 0: none
}

// file is the path and content of one of a picture's files. The path's extension
// selects the format, and the placeholders
//
//	{class} {defect} {stem}
//
// are replaced by the picture's values. A mask without a path is not written.
type file struct {
	path string
	look look
}

// at returns the file's path; "" if there is none.
func (f file) at(class, defect, stem string) string {
	return strings.NewReplacer("{class}", class, "{defect}", defect, "{stem}", stem).Replace(f.path)
}

// folder returns the file's folder relative to its class's folder, if it has one.
func (f file) folder(defect string) string {
	return file{path: strings.TrimPrefix(path.Dir(f.path), "{class}/")}.at("{class}", defect, "")
}

// part is the split and label of a placement's pictures, which selects their count.
// Options cannot set the counts of the validation parts.
type part int

const (
	testNormal part = iota
	testAnomalous
	trainNormal
	validNormal
	validAnomalous
)

func (p part) anomalous() bool { return p == testAnomalous || p == validAnomalous }

// count returns the number of pictures that a placement has in each class.
func (o Options) count(p placement) int {
	n := 0
	switch p.part {
	case testNormal:
		n = o.Normal
	case testAnomalous:
		n = o.Anomalous
	case trainNormal:
		n = o.TrainNormal
	}
	n = max(n, p.least)
	if p.most > 0 {
		n = min(n, p.most)
	}
	return n
}

// layouts returns the table of all layouts. The first is the layout of the sets.
func layouts() []layout {
	return slices.Concat([]layout{{places: mvtecTree(colors, nil)}}, industrial(), medical())
}

// Layouts returns the names of the layouts of benchmarks, and All.
func Layouts() []string {
	var names []string
	for _, l := range layouts()[1:] {
		names = append(names, l.name())
	}
	return append(names, All)
}

func (l layout) name() string { return strings.ToLower(l.benchmark) }

// classes returns the layout's classes under the benchmark's names.
func (l layout) classes() []class {
	names := l.names
	if names == nil {
		b, _ := data.FindBenchmark(l.benchmark) // every layout has a known benchmark
		for _, c := range b.Classes {
			names = append(names, c.Name)
		}
	}
	list := make([]class, len(names))
	for i, name := range names {
		list[i] = l.drawn[i%len(l.drawn)]
		list[i].name = name
	}
	return list
}

// dataset is the dataset to write into one folder.
type dataset struct {
	layout  layout
	folder  string // relative to the folder given to Write
	classes []class
}

// datasets returns the datasets that the options select; each has at least one class.
func (o Options) datasets() ([]dataset, error) {
	list, where, err := o.available()
	if err != nil || len(o.Classes) == 0 {
		return list, err
	}
	var known []string
	for i, d := range list {
		for _, c := range d.classes {
			known = append(known, c.name)
		}
		list[i].classes = slices.DeleteFunc(d.classes, func(c class) bool { return !slices.Contains(o.Classes, c.name) })
	}
	for _, name := range o.Classes {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("class %q: %w: %s has %s", name, ErrUnknown, where, strings.Join(known, ", "))
		}
	}
	return slices.DeleteFunc(list, func(d dataset) bool { return len(d.classes) == 0 }), nil
}

// available returns the datasets before Options.Classes selects from them, and their name for messages.
func (o Options) available() (list []dataset, where string, err error) {
	all := layouts()
	if o.Layout == "" {
		_, err := Classes(o.Set)
		return []dataset{{all[0], "", built(entries(o.Set))}}, "set " + o.Set, err
	}
	if strings.EqualFold(o.Layout, All) {
		for _, l := range all[1:] {
			list = append(list, dataset{l, l.folder, l.classes()})
		}
		return list, "layout " + All, nil
	}
	if b, known := data.FindBenchmark(o.Layout); known {
		for _, l := range all[1:] {
			if l.benchmark == b.Key {
				return []dataset{{l, "", l.classes()}}, "layout " + l.name(), nil
			}
		}
	}
	return nil, "", fmt.Errorf("layout %q: %w: the layouts are %s", o.Layout, ErrUnknown, strings.Join(Layouts(), ", "))
}

// counted returns a function that names pictures by a number of the given digits.
func counted(digits int) func(int) string {
	return func(number int) string { return fmt.Sprintf("%0*d", digits, number) }
}

// counting returns a function that names pictures by a prefix and a number from first on.
func counting(prefix string, first int) func(int) string {
	return func(number int) string { return fmt.Sprint(prefix, first+number) }
}

// oneOf and noneOf return functions that select classes.
func oneOf(names ...string) func(string) bool {
	return func(class string) bool { return slices.Contains(names, class) }
}

func noneOf(names ...string) func(string) bool {
	return func(class string) bool { return !slices.Contains(names, class) }
}
