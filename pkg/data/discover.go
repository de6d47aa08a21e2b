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
	"acdclip/pkg/data/pixels/picture"
	"acdclip/pkg/domain"
)

// Discover finds a dataset and lists its test split. It decodes nothing.
//
// root.Path is the dataset's folder as its benchmark's site gives it, a folder
// around it, one class's own folder, or a list file. What root leaves open is
// found out: the layout, a list that lies there, and by name or content the
// benchmark, which gives prompt names, domain and expected counts. The name is
// the dataset's; "" is the folder's own. names nil is BuiltinNames. The domain is
// root's, else that in names, else the benchmark's, else industrial.
//
// What is odd or wrong with the dataset is in its Findings; Usable says whether
// it can be used. An error says why nothing can be listed.
func Discover(ctx context.Context, name string, root config.Root, names *Names) (*Dataset, error) {
	absolute, err := filepath.Abs(root.Path)
	if err != nil {
		return nil, fmt.Errorf("dataset at %s: %w", root.Path, err)
	}
	root.Path = absolute
	folder := absolute
	if info, err := os.Stat(absolute); err == nil && info.Mode().IsRegular() { // a list
		folder = filepath.Dir(absolute)
	}
	if name == "" {
		name = filepath.Base(folder)
	}
	if names == nil {
		names = BuiltinNames()
	}
	f := newFinder(name, folder, root)
	place, err := f.find(ctx)
	if err == nil && len(place.Items) == 0 {
		err = place.empty()
	}
	if err != nil {
		return nil, fmt.Errorf("dataset %s: %w", name, err)
	}
	d := &Dataset{
		Name: name, Root: place.root, Layout: place.layout, Domain: root.Domain, Items: place.Items, Findings: place.Findings,
	}
	if !place.Listed {
		d.requireMasks()
	}
	if err := d.identify(f, place.Hints); err != nil {
		return nil, fmt.Errorf("dataset %s: %w", name, err)
	}
	d.MaskThreshold = cmp.Or(uint8(root.MaskThreshold), place.MaskThreshold, d.jpegThreshold(), picture.NonZero)
	d.arrange(names)
	d.check(place.Listed)
	return d, nil
}

// finder looks for one dataset.
type finder struct {
	name      string
	given     config.Root // its path is absolute
	benchmark Benchmark   // by the name or the folder's
	known     bool
	named     bool // the name says so, not the folder alone
}

func newFinder(name, folder string, given config.Root) finder {
	f := finder{name: name, given: given}
	f.benchmark, f.named = FindBenchmark(name)
	f.known = f.named
	if !f.known {
		f.benchmark, f.known = FindBenchmark(filepath.Base(folder))
	}
	return f
}

// found is a Listing and where it is from.
type found struct {
	Listing
	root, layout string
}

// empty says that nothing was found, and what there was instead.
func (f found) empty() error {
	instead := ""
	for _, summary := range Summarize(f.Findings) {
		if summary.Code == UnreadPicture || summary.Code == Unlabelled {
			instead += "; " + summary.String()
		}
	}
	return fmt.Errorf("%s has the folders of the layout %q, but no picture (%s) lies in its test folders%s: %w",
		f.root, f.layout, strings.Join(pictureExtensions, ", "), instead, ErrNoPictures)
}

// wrappers is how many folders with nothing but one folder in them are opened
// to find a dataset (archives often hold one more than their name says).
const wrappers = 3

// names are what a list of this dataset may be called.
func (f finder) names(root string) []string {
	base := filepath.Base(root)
	names := []string{f.name, base}
	if f.known {
		names = append(names, f.benchmark.Key)
	} else if b, known := FindBenchmark(base); known {
		names = append(names, b.Key)
	}
	return names
}

func (f finder) find(ctx context.Context) (found, error) {
	root := f.given.Path
	info, err := os.Stat(root)
	switch {
	case err != nil:
		return found{}, err
	case f.given.List != "":
		return f.readListBelow(ctx, f.given.List, root)
	case info.Mode().IsRegular():
		return f.readListBelow(ctx, root, filepath.Dir(root))
	case namesFolders(f.given):
		layout := plainLayout(f.given)
		if ok, err := layout.Matches(root); err != nil || !ok {
			return found{}, cmp.Or(err, fmt.Errorf("%s: %w: no folder of normal pictures is in it (good, ok, normal); data.roots can name it", root, ErrNoLayout))
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
	return found{}, f.noLayout(root, folder)
}

// inner is the folder to look into next: the benchmark's own, or the only one
// that may hold test pictures. "" is none.
func (f finder) inner(folder string) (string, error) {
	folders, err := readFolders(folder)
	if err != nil {
		return "", fmt.Errorf("reading the folder: %w", err)
	}
	if own := f.ownFolder(folders); own != "" {
		return filepath.Join(folder, own), nil
	}
	folders = slices.DeleteFunc(folders, func(entry fs.DirEntry) bool {
		return slices.Contains(otherSplits, strings.ToLower(entry.Name()))
	})
	if len(folders) == 1 {
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
		// A pack of several sets, and the one that is asked for lies in it. But
		// anomalib lays VisA a second time into VisA's own folder.
		if visa, err := isVisA(folder); err != nil || !visa {
			return found{}, false, err
		}
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
// instead where more than one in a hundred of its paths is not there.
func (f finder) listOrTree(ctx context.Context, path, folder string, layout Layout, matches bool) (found, error) {
	if !matches {
		return f.readListBelow(ctx, path, folder)
	}
	place, listErr := f.readList(ctx, path, folder)
	why := ""
	if listErr != nil {
		if ctx.Err() != nil || !(errors.Is(listErr, list.ErrNotList) || errors.Is(listErr, list.ErrNoRows) || errors.Is(listErr, ErrNoPictures)) {
			return place, listErr
		}
		why = listErr.Error()
	} else if missing, paths := place.missing(); 100*missing > paths {
		why = fmt.Sprintf("%d of its %d paths are not there", missing, paths)
	}
	if why == "" {
		return place, nil
	}
	tree, err := f.listTree(ctx, layout, folder)
	if errors.Is(err, ErrNoSplit) { // the list is all that tells it
		return place, listErr
	}
	tree.Findings = append([]Finding{NewFinding(ListIgnored, "", relative(folder, path), why)}, tree.Findings...)
	return tree, err
}

// missing counts the listed paths, and those of them that are not there.
func (f found) missing() (missing, paths int) {
	paths = len(f.Items)
	for _, item := range f.Items {
		if item.Mask != "" {
			paths++
		}
	}
	for _, finding := range f.Findings {
		switch finding.Code {
		case MissingImage:
			missing++
		case MissingMask:
			missing++
			paths++
		}
	}
	return missing, paths
}

// readListBelow reads a list of what lies in root, or in a folder that root only wraps.
func (f finder) readListBelow(ctx context.Context, path, root string) (found, error) {
	place, err := f.readList(ctx, path, root)
	folder := root
	for range wrappers {
		if !errors.Is(err, ErrNoPictures) {
			break
		}
		inner, innerErr := f.inner(folder)
		if innerErr != nil || inner == "" {
			break
		}
		folder = inner
		if below, belowErr := f.readList(ctx, path, folder); belowErr == nil {
			return below, nil
		}
	}
	return place, err
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
		return found{}, fmt.Errorf("%s: %w: none of its %d pictures is below %s (the first is %s); data.roots: {path: FOLDER, list: FILE} says where they are", path, ErrNoPictures, missing, root, relative(root, place.Items[0].Path))
	}
	place.Hints = []string{strings.TrimPrefix(stemAlone(path), "meta_")}
	return place, nil
}

func (f finder) listTree(ctx context.Context, layout Layout, root string) (found, error) {
	listing, err := layout.List(ctx, root, f.name)
	return found{Listing: listing, root: root, layout: layout.Name}, err
}

// noLayout says that nothing is known of what lies in root, of which search came to folder.
func (f finder) noLayout(root, folder string) error {
	folders, err := readFolders(folder)
	if err != nil {
		return fmt.Errorf("reading the folder: %w", err)
	}
	names := []string{filepath.Base(folder)}
	var several []string
	for _, entry := range folders {
		names = append(names, entry.Name())
		if _, known := FindBenchmark(entry.Name()); known {
			several = append(several, relative(root, filepath.Join(folder, entry.Name())))
		}
	}
	if other, refused := f.benchmark.refused(names); refused && f.named {
		return otherSet(f.benchmark, other)
	}
	if len(several) > 1 {
		return fmt.Errorf("%s holds %w: %s; give the folder of one", root, ErrSeveral, countNamed(several))
	}
	return fmt.Errorf("%s: %w; known are <class>/test/{good,<defect>} with <class>/ground_truth/<defect> (or one class's own folder), good/ and bad/ with or without masks/, images/ with masks/, the published folders of the twelve benchmarks, and a list of pictures (*.jsonl, meta.json); `acdclip help datasets` says more", root, ErrNoLayout)
}

// ErrSeveral says that a folder holds more than one dataset.
var ErrSeveral = errors.New("several datasets")

func otherSet(b Benchmark, other OtherSet) error {
	return fmt.Errorf("%w than %s: it is %s", ErrOtherSet, b.Title, other.What)
}

// arrange names the classes and sorts the rows.
func (d *Dataset) arrange(names *Names) {
	called := []string{d.Name}
	if d.Benchmark != nil {
		called = append(called, d.Benchmark.Key)
	}
	d.Domain = cmp.Or(d.Domain, names.Domain(called...))
	if d.Domain == "" && d.Benchmark != nil { // a table of one's own need not repeat it
		d.Domain = d.Benchmark.Domain
	}
	d.Domain = cmp.Or(d.Domain, domain.Industrial)
	order := map[string]int{}
	for _, item := range d.Items {
		if _, seen := order[item.Class]; !seen {
			order[item.Class] = 0
			d.Classes = append(d.Classes, Class{Name: item.Class, Prompt: names.Prompt(item.Class, called...)})
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
