package synth

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"acdclip/pkg/data"
)

// layout is one way in which a dataset's files are laid out. A new layout is
// one more row of layouts.
type layout struct {
	benchmark string   // the benchmark's key; "" for a set's classes
	folder    string   // where it lies among all of them: as the released code's roots name it
	names     []string // its classes; nil: the benchmark's
	drawn     []class  // what its classes show, in turn
	places    []placement
	texts     func(jobs []job) []textFile // its files besides pictures; nil: none
}

// placement is one kind of picture in a layout: how many there are, how they
// are named, and as what they and their masks are written.
type placement struct {
	part          part
	of            func(class string) bool // the classes that have it; nil: all
	least, most   int                     // bounds of their count, whatever is asked for; most 0: none
	stem          func(number int) string // the name of a picture by its number inside its folder
	picture, mask file
	blank         int // the number of a picture that has no defect although it should; 0: none
}

// file says where one of a picture's files goes, and what it shows. The path's
// extension chooses the format, and in it
//
//	{class} {defect} {stem}
//
// stand for the picture's own. A mask without a path is not written.
type file struct {
	path string
	look look
}

// at is the file's path; "" where there is none.
func (f file) at(class, defect, stem string) string {
	return strings.NewReplacer("{class}", class, "{defect}", defect, "{stem}", stem).Replace(f.path)
}

// folder is the file's folder as seen from its class's, where it has one.
func (f file) folder(defect string) string {
	return file{path: strings.TrimPrefix(path.Dir(f.path), "{class}/")}.at("{class}", defect, "")
}

// part says what a placement's pictures are, and so which count is theirs. For
// the validation parts nothing can be asked.
type part int

const (
	testNormal part = iota
	testAnomalous
	trainNormal
	validNormal
	validAnomalous
)

func (p part) anomalous() bool { return p == testAnomalous || p == validAnomalous }

// count is how many pictures a placement has in each class.
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

// layouts is the table of all layouts. The first is that of the sets.
func layouts() []layout {
	return slices.Concat([]layout{{drawn: classes(), places: mvtecTree(colors, nil)}}, industrial(), medical())
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

// classes are the layout's classes under their benchmark's names.
func (l layout) classes() []class {
	if l.benchmark == "" {
		return l.drawn
	}
	names := l.names
	if names == nil {
		b, _ := data.FindBenchmark(l.benchmark) // a row of layouts has a known one
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

// dataset is what is to be written into one folder.
type dataset struct {
	layout  layout
	folder  string // below the folder that Write is given
	classes []class
}

// datasets returns what the options choose; each has a class.
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

// available returns what there is before Options.Classes chooses from it, and what to call that.
func (o Options) available() (list []dataset, where string, err error) {
	all := layouts()
	if o.Layout == "" {
		set := slices.DeleteFunc(all[0].classes(), func(c class) bool { return o.Set != All && o.Set != c.set })
		_, err := Classes(o.Set)
		return []dataset{{all[0], "", set}}, "set " + o.Set, err
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

// counted names pictures by so many digits.
func counted(digits int) func(int) string {
	return func(number int) string { return fmt.Sprintf("%0*d", digits, number) }
}

// counting names pictures by a number that begins at first, behind a prefix.
func counting(prefix string, first int) func(int) string {
	return func(number int) string { return fmt.Sprint(prefix, first+number) }
}

// oneOf and noneOf choose classes.
func oneOf(names ...string) func(string) bool {
	return func(class string) bool { return slices.Contains(names, class) }
}

func noneOf(names ...string) func(string) bool {
	return func(class string) bool { return !slices.Contains(names, class) }
}
