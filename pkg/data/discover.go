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

// Discover finds a dataset and lists its test split. It decodes no picture.
//
// root.Path is the dataset's folder as its benchmark's site publishes it, a folder
// around it, the folder of one class, or a list file. Discover detects what root
// does not set: the layout, a list in the folder, and, by name or content, the
// benchmark, which gives prompt names, domain and expected counts. An empty name
// means the folder's name; nil names mean BuiltinNames. The domain is root's, else
// that in names, else the benchmark's, else industrial.
//
// Problems of the dataset become Findings; Usable reports whether it can be used
// despite them. Discover returns an error only if it cannot list any picture.
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
	result, err := f.find(ctx)
	if err == nil && len(result.Items) == 0 {
		err = result.empty()
	}
	if err != nil {
		return nil, fmt.Errorf("dataset %s: %w", name, err)
	}
	d := &Dataset{
		Name: name, Root: result.root, Layout: result.layout, Domain: root.Domain, Items: result.Items, Findings: result.Findings,
	}
	if !result.Listed {
		d.requireMasks()
	}
	if err := d.identify(f, result.Hints); err != nil {
		return nil, fmt.Errorf("dataset %s: %w", name, err)
	}
	d.MaskThreshold = cmp.Or(uint8(root.MaskThreshold), result.MaskThreshold, d.jpegThreshold(), picture.NonZero)
	d.arrange(names)
	d.check(result.Listed)
	return d, nil
}

// finder searches for one dataset.
type finder struct {
	name      string
	given     config.Root // its path is absolute
	benchmark Benchmark   // recognised by the dataset's or the folder's name
	known     bool
	named     bool // recognised by the dataset's name, not only by the folder's
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

// found is a Listing with its root folder and layout.
type found struct {
	Listing
	root, layout string
}

// empty returns the error for a listing without pictures, with findings that explain it.
func (f found) empty() error {
	instead := ""
	for _, summary := range Summarize(f.Findings) {
		if summary.Code == UnreadPicture || summary.Code == Unlabelled {
			instead += "; " + summary.String()
		}
	}
	return fmt.Errorf("%s has the folders of the layout %q, but its test folders contain no picture (%s)%s: %w",
		f.root, f.layout, strings.Join(pictureExtensions, ", "), instead, ErrNoPictures)
}

// wrappers is the maximum number of nested folders with only one subfolder that
// are opened to find a dataset (archives often add such a folder).
const wrappers = 3

// names returns the possible names of this dataset's list.
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
			return found{}, cmp.Or(err, fmt.Errorf("%s: %w: it contains no folder of normal pictures (good, ok, normal); name the folder in data.roots", root, ErrNoLayout))
		}
		return f.listTree(ctx, layout, root)
	}
	return f.search(ctx, root)
}

// search looks for the dataset in root, in a subfolder that has the benchmark's
// name, and in nested folders that are the only subfolder.
func (f finder) search(ctx context.Context, root string) (found, error) {
	folder := root
	for range wrappers + 1 {
		result, ok, err := f.at(ctx, folder)
		if ok || err != nil {
			return result, err
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

// inner returns the folder to search next: the one with the benchmark's name, or
// the only one that may contain test pictures; "" if there is none.
func (f finder) inner(folder string) (string, error) {
	folders, err := readFolders(folder)
	if err != nil {
		return "", fmt.Errorf("reading the dataset folder: %w", err)
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

// ownFolder returns the only folder that has the benchmark's name; "" if there is none.
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

// at looks for a list and a folder tree in one folder.
func (f finder) at(ctx context.Context, folder string) (found, bool, error) {
	folders, err := readFolders(folder)
	if err != nil {
		return found{}, false, fmt.Errorf("reading the dataset folder: %w", err)
	}
	if len(folders) > 1 && f.ownFolder(folders) != "" {
		// This is a pack of several datasets that contains the requested one. But
		// anomalib writes a second copy of VisA into VisA's own folder.
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
		result, err := f.listOrTree(ctx, path, folder, layout, matches)
		return result, true, err
	case matches:
		result, err := f.listTree(ctx, layout, folder)
		return result, true, err
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

// listOrTree reads a list in the dataset's folder, or the folders instead if more
// than 1 % of the list's paths do not exist.
func (f finder) listOrTree(ctx context.Context, path, folder string, layout Layout, matches bool) (found, error) {
	if !matches {
		return f.readListBelow(ctx, path, folder)
	}
	result, listErr := f.readList(ctx, path, folder)
	why := ""
	if listErr != nil {
		if ctx.Err() != nil || !(errors.Is(listErr, list.ErrNotList) || errors.Is(listErr, list.ErrNoRows) || errors.Is(listErr, ErrNoPictures)) {
			return result, listErr
		}
		why = listErr.Error()
	} else if missing, paths := result.missing(); 100*missing > paths {
		why = fmt.Sprintf("%d of its %d paths do not exist", missing, paths)
	}
	if why == "" {
		return result, nil
	}
	tree, err := f.listTree(ctx, layout, folder)
	if errors.Is(err, ErrNoSplit) { // only the list defines the split
		return result, listErr
	}
	tree.Findings = append([]Finding{NewFinding(ListIgnored, "", relative(folder, path), why)}, tree.Findings...)
	return tree, err
}

// missing returns the number of listed paths, and how many of them do not exist.
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

// readListBelow reads a list whose paths start at root, or at a nested only subfolder of it.
func (f finder) readListBelow(ctx context.Context, path, root string) (found, error) {
	result, err := f.readList(ctx, path, root)
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
	return result, err
}

func (f finder) readList(ctx context.Context, path, root string) (found, error) {
	listing, err := listFile(ctx, path, root)
	if err != nil {
		return found{}, err
	}
	result := found{Listing: listing, root: root, layout: "list " + path}
	missing := 0
	for _, finding := range result.Findings {
		if finding.Code == MissingImage {
			missing++
		}
	}
	if missing == len(result.Items) {
		return found{}, fmt.Errorf("%s: %w: none of its %d pictures exists below %s (the first is %s); set their folder with data.roots: {path: FOLDER, list: FILE}", path, ErrNoPictures, missing, root, relative(root, result.Items[0].Path))
	}
	result.Hints = []string{strings.TrimPrefix(stemAlone(path), "meta_")}
	return result, nil
}

func (f finder) listTree(ctx context.Context, layout Layout, root string) (found, error) {
	listing, err := layout.List(ctx, root, f.name)
	return found{Listing: listing, root: root, layout: layout.Name}, err
}

// noLayout returns the error for a root without a known layout; folder is where the search ended.
func (f finder) noLayout(root, folder string) error {
	folders, err := readFolders(folder)
	if err != nil {
		return fmt.Errorf("reading the dataset folder: %w", err)
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
		return fmt.Errorf("%s contains %w: %s; give the folder of one of them", root, ErrSeveral, countNamed(several))
	}
	return fmt.Errorf("%s: %w; the known layouts are <class>/test/{good,<defect>} with <class>/ground_truth/<defect> (or one class's own folder), good/ and bad/ with or without masks/, images/ with masks/, the published folders of the twelve benchmarks, and a list of pictures (*.jsonl, meta.json); see `acdclip help datasets`", root, ErrNoLayout)
}

// ErrSeveral reports a folder that contains more than one dataset.
var ErrSeveral = errors.New("several datasets")

func otherSet(b Benchmark, other OtherSet) error {
	return fmt.Errorf("%w: expected %s, found %s", ErrOtherSet, b.Title, other.What)
}

// arrange sets the classes and their prompt names, and sorts the rows.
func (d *Dataset) arrange(names *Names) {
	called := []string{d.Name}
	if d.Benchmark != nil {
		called = append(called, d.Benchmark.Key)
	}
	d.Domain = cmp.Or(d.Domain, names.Domain(called...))
	if d.Domain == "" && d.Benchmark != nil { // a user's table need not repeat a benchmark's domain
		d.Domain = d.Benchmark.Domain
	}
	d.Domain = cmp.Or(d.Domain, domain.Industrial)
	order := map[string]int{}
	for _, item := range d.Items {
		if _, seen := order[item.Class]; !seen {
			order[item.Class] = 0
			d.Classes = append(d.Classes, names.class(item.Class, called))
		}
	}
	slices.SortFunc(d.Classes, func(a, b Class) int { return compareNatural(a.Name, b.Name) })
	for i, class := range d.Classes {
		order[class.Name] = i
	}
	// Python's order, so that a list written by a script gives the same order.
	slices.SortFunc(d.Items, func(a, b Item) int {
		return cmp.Or(order[a.Class]-order[b.Class], strings.Compare(a.Path, b.Path), strings.Compare(a.Mask, b.Mask))
	})
}
