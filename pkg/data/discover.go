package data

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"acdclip/pkg/config"
	"acdclip/pkg/data/list"
	"acdclip/pkg/data/picture"
)

// Discover finds a dataset and lists its test split. It decodes nothing.
//
// root.Path is the dataset's folder as its benchmark's site gives it, a folder
// around it, one class's own folder, or a list file. What root leaves open is
// found out: the layout, a list that lies there, and by name or content the
// benchmark, which gives prompt names, domain and expected counts. The name is
// the dataset's; "" is the folder's own. names nil is BuiltinNames.
//
// What is odd or wrong with the dataset is in its Findings; Usable says whether
// it can be used. An error says why nothing can be listed.
func Discover(ctx context.Context, name string, root config.Root, names *Names) (*Dataset, error) {
	absolute, err := filepath.Abs(root.Path)
	if err != nil {
		return nil, fmt.Errorf("dataset at %s: %w", root.Path, err)
	}
	if name == "" {
		name = filepath.Base(absolute)
	}
	if names == nil {
		names = BuiltinNames()
	}
	f := finder{name: name, given: root}
	f.benchmark, f.known = f.benchmarkByName()
	place, err := f.find(ctx)
	if err == nil && len(place.Items) == 0 {
		err = fmt.Errorf("%s has the folders of the layout %q, but no picture lies in its test folders: %w", place.root, place.layout, ErrNoPictures)
	}
	if err != nil {
		return nil, fmt.Errorf("dataset %s: %w", name, err)
	}
	d := &Dataset{
		Name: name, Root: place.root, Layout: place.layout, Domain: root.Domain, Items: place.Items, Findings: place.Findings,
		MaskThreshold: cmp.Or(uint8(root.MaskThreshold), place.MaskThreshold, picture.NonZero),
	}
	if !place.Listed {
		d.requireMasks()
	}
	if err := d.identify(f); err != nil {
		return nil, fmt.Errorf("dataset %s: %w", name, err)
	}
	d.arrange(names)
	d.check(place.Listed)
	return d, nil
}

// finder looks for one dataset.
type finder struct {
	name      string
	given     config.Root
	benchmark Benchmark // by the name or the folder's
	known     bool
}

// found is a Listing and where it is from.
type found struct {
	Listing
	root, layout string
}

// wrappers is how many folders with nothing but one folder in them are opened
// to find a dataset (archives often hold one more than their name says).
const wrappers = 3

// benchmarkByName tells the benchmark by the dataset's name, else by its folder's.
func (f finder) benchmarkByName() (Benchmark, bool) {
	if b, ok := FindBenchmark(f.name); ok {
		return b, true
	}
	absolute, err := filepath.Abs(f.given.Path)
	if err != nil {
		return Benchmark{}, false
	}
	return FindBenchmark(filepath.Base(absolute))
}

// names are what a list of this dataset may be called.
func (f finder) names(root string) []string {
	names := []string{f.name}
	if f.known {
		names = append(names, f.benchmark.Key)
	}
	if base, err := className(root); err == nil {
		names = append(names, base)
	}
	return names
}

func (f finder) find(ctx context.Context) (found, error) {
	root := filepath.Clean(f.given.Path)
	info, err := os.Stat(root)
	switch {
	case err != nil:
		return found{}, err
	case f.given.List != "":
		return f.readList(ctx, f.given.List, root)
	case info.Mode().IsRegular():
		return f.readList(ctx, root, filepath.Dir(root))
	case f.given.Normal != "" || f.given.Anomalous != "":
		layout := namedLayout(f.given)
		if ok, err := layout.Matches(root); err != nil || !ok {
			return found{}, cmp.Or(err, fmt.Errorf("%s: %w: one of the folders that data.roots names is not there (normal %q, anomalous %q, masks %q)", root, ErrNoLayout, f.given.Normal, f.given.Anomalous, f.given.Masks))
		}
		return f.listTree(ctx, layout, root)
	}
	return f.search(ctx, root)
}

// search looks into root, into a folder in it that has the benchmark's name, and
// into the folders that root only wraps.
func (f finder) search(ctx context.Context, root string) (found, error) {
	folder := root
	for range wrappers + 1 {
		place, ok, err := f.at(ctx, folder)
		if ok || err != nil {
			return place, err
		}
		inner, err := f.inner(folder)
		if err != nil {
			return found{}, err
		}
		if inner == "" {
			break
		}
		folder = inner
	}
	if err := f.refuse(folder); err != nil {
		return found{}, err
	}
	return found{}, f.noLayout(root)
}

// inner is the folder to look into next: the benchmark's own, or the only one.
func (f finder) inner(folder string) (string, error) {
	folders, err := readFolders(folder)
	if err != nil {
		return "", fmt.Errorf("reading the folder: %w", err)
	}
	if own := f.ownFolder(folders); own != "" {
		return filepath.Join(folder, own), nil
	}
	if len(folders) == 1 && !slices.Contains(otherSplits, strings.ToLower(folders[0].Name())) {
		return filepath.Join(folder, folders[0].Name()), nil
	}
	return "", nil
}

// ownFolder is the one folder among several that has the benchmark's name.
func (f finder) ownFolder(folders []fs.DirEntry) string {
	if !f.known {
		return ""
	}
	own := ""
	for _, folder := range folders {
		if SameDataset(folder.Name(), f.benchmark.Key) {
			if own != "" {
				return ""
			}
			own = folder.Name()
		}
	}
	return own
}

// at looks for a list and a tree in one folder.
func (f finder) at(ctx context.Context, folder string) (found, bool, error) {
	folders, err := readFolders(folder)
	if err != nil {
		return found{}, false, fmt.Errorf("reading the folder: %w", err)
	}
	if len(folders) > 1 && f.ownFolder(folders) != "" {
		return found{}, false, nil // a pack of several sets: the one that is asked for lies in it
	}
	path, err := findList(folder, f.names(folder))
	if err != nil {
		return found{}, false, err
	}
	layout, matches, err := matchLayout(folder)
	switch {
	case err != nil:
		return found{}, false, err
	case path != "":
		place, err := f.listOrTree(ctx, path, folder, layout, matches)
		return place, true, err
	case matches:
		place, err := f.listTree(ctx, layout, folder)
		return place, true, err
	}
	return found{}, false, nil
}

func matchLayout(folder string) (Layout, bool, error) {
	for _, layout := range Layouts() {
		matches, err := layout.Matches(folder)
		if matches || err != nil {
			return layout, matches, err
		}
	}
	return Layout{}, false, nil
}

// listOrTree reads a list that lies in the dataset's folder, and the folders
// instead where more than one in a hundred of its files is not there.
func (f finder) listOrTree(ctx context.Context, path, folder string, layout Layout, matches bool) (found, error) {
	place, err := f.readList(ctx, path, folder)
	if !matches {
		return place, err
	}
	why := ""
	if err != nil {
		if ctx.Err() != nil || !(errors.Is(err, list.ErrNoRows) || errors.Is(err, ErrNoPictures)) {
			return place, err
		}
		why = err.Error()
	} else if missing := place.missing(); 100*missing > len(place.Items) {
		why = fmt.Sprintf("%d of its %d rows name files that are not there", missing, len(place.Items))
	}
	if why == "" {
		return place, nil
	}
	tree, err := f.listTree(ctx, layout, folder)
	tree.Findings = append([]Finding{NewFinding(ListIgnored, "", relative(folder, path), why)}, tree.Findings...)
	return tree, err
}

// missing counts rows with a picture or mask that is not there.
func (f found) missing() int {
	missing := 0
	for _, finding := range f.Findings {
		if finding.Code == MissingImage || finding.Code == MissingMask {
			missing++
		}
	}
	return missing
}

func (f finder) readList(ctx context.Context, path, root string) (found, error) {
	listing, err := listFile(ctx, path, root)
	if err != nil {
		return found{}, err
	}
	place := found{Listing: listing, root: root, layout: "list " + path}
	missing := 0
	for _, finding := range place.Findings {
		if finding.Code == MissingImage {
			missing++
		}
	}
	if missing == len(place.Items) {
		return found{}, fmt.Errorf("%s: %w: none of its %d pictures is below %s (the first is %s)", path, ErrNoPictures, missing, root, relative(root, place.Items[0].Path))
	}
	return place, nil
}

func (f finder) listTree(ctx context.Context, layout Layout, root string) (found, error) {
	listing, err := layout.List(ctx, root, f.name)
	return found{Listing: listing, root: root, layout: layout.Name}, err
}

// refuse tells a folder that only shares the benchmark's name by what is in it.
func (f finder) refuse(folder string) error {
	if !f.known {
		return nil
	}
	folders, err := readFolders(folder)
	if err != nil {
		return fmt.Errorf("reading the folder: %w", err)
	}
	for _, entry := range folders {
		if other, refused := f.benchmark.refused(entry.Name()); refused {
			return otherSet(f.benchmark, other)
		}
	}
	return nil
}

func otherSet(b Benchmark, other OtherSet) error {
	return fmt.Errorf("%w than %s: it is %s", ErrOtherSet, b.Title, other.What)
}

func (f finder) noLayout(root string) error {
	return fmt.Errorf("%s: %w; known are <class>/test/{good,<defect>} with <class>/ground_truth/<defect> (or one class's own folder), good/ and bad/ with or without masks/, images/ with masks/, the published folders of the twelve benchmarks, and a list of pictures (*.jsonl, meta.json); `acdclip help datasets` says more", root, ErrNoLayout)
}

// identify finds out which benchmark the dataset is, if any, and brings the
// classes' names to the benchmark's.
func (d *Dataset) identify(f finder) error {
	benchmark, known := f.benchmark, f.known
	if !known {
		benchmark, known = d.recognise()
	}
	if !known {
		return nil
	}
	d.Benchmark = &benchmark
	renamed := map[string]string{}
	for i := range d.Items {
		item := &d.Items[i]
		name, seen := renamed[item.Class]
		if !seen {
			if other, refused := benchmark.refused(item.Class); refused {
				return otherSet(benchmark, other)
			}
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

// recognise tells a benchmark by its folder's name, by two or more classes that
// are all its own, or by how many pictures of which names there are.
func (d *Dataset) recognise() (Benchmark, bool) {
	if base, err := className(d.Root); err == nil {
		if b, ok := FindBenchmark(base); ok {
			return b, true
		}
	}
	classes := map[string]bool{}
	anomalous := 0
	for _, item := range d.Items {
		classes[item.Class] = true
		if item.Anomalous {
			anomalous++
		}
	}
	for _, b := range Benchmarks() {
		if b.stem != nil && len(classes) == 1 {
			if normal, all := b.Counts(); normal == 0 && anomalous == all && len(d.Items) == all && d.everyStem(b.stem) {
				return b, true
			}
		}
		if len(b.Classes) == 1 || len(classes) < 2 {
			continue
		}
		own := true
		for name := range classes {
			_, known := b.class(name)
			own = own && known
		}
		if own {
			return b, true
		}
	}
	return Benchmark{}, false
}

func (d *Dataset) everyStem(fits func(string) bool) bool {
	return !slices.ContainsFunc(d.Items, func(item Item) bool { return !fits(stemAlone(item.Path)) })
}

// arrange names the classes and sorts the rows.
func (d *Dataset) arrange(names *Names) {
	dataset := d.Name
	if d.Benchmark != nil {
		dataset = d.Benchmark.Key
	}
	if d.Domain == "" {
		d.Domain = names.Domain(dataset)
	}
	order := map[string]int{}
	for _, item := range d.Items {
		if _, seen := order[item.Class]; !seen {
			order[item.Class] = 0
			d.Classes = append(d.Classes, Class{Name: item.Class, Prompt: names.Prompt(dataset, item.Class)})
		}
	}
	slices.SortFunc(d.Classes, func(a, b Class) int { return compareNatural(a.Name, b.Name) })
	for i, class := range d.Classes {
		order[class.Name] = i
	}
	// As Python sorts, so that a list that a script made gives the same order.
	slices.SortFunc(d.Items, func(a, b Item) int {
		return cmp.Or(order[a.Class]-order[b.Class], strings.Compare(a.Path, b.Path), strings.Compare(a.Mask, b.Mask))
	})
}
