package data

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"acdclip/pkg/config"
	"acdclip/pkg/present"
)

// Layout is one known folder structure of datasets.
type Layout struct {
	Name    string
	Matches func(root string) (bool, error) // reports whether root, an absolute path, has this layout; opens no picture
	// List lists the test pictures; class is their class name if the layout has no class folders.
	List func(ctx context.Context, root, class string) (Listing, error)
}

// Listing is the result of listing a dataset. Paths in Findings are relative to the root.
type Listing struct {
	Items         []Item
	Findings      []Finding
	Hints         []string // possible names of the benchmark, the best first
	MaskThreshold uint8    // smallest anomalous grey value of the masks; 0: any value but zero is anomalous
	Listed        bool     // the rows come from a list, which states for each picture whether it has a mask
}

// Layouts returns the known layouts in the order in which they are tried, the most
// specific first.
func Layouts() []Layout {
	return []Layout{visaLayout(), bmadLayout(), railLayout(), polypLayout(), mvtecLayout(), plainLayout(config.Root{})}
}

// lister is the state of listing one folder tree.
type lister struct {
	root   string
	closed folderSet       // structural folders of the tree: links to them are not followed
	seen   folderSet       // folders whose pictures have been listed
	unread map[string]bool // paths of pictures in unsupported formats
	out    Listing
}

func newLister(root string) lister {
	return lister{root: root, closed: folderSet{}, seen: folderSet{}, unread: map[string]bool{}}
}

// pictures lists the pictures below folder. Folders in seen are not entered again.
// A dead link with a picture's name is listed too: reading it fails later, and the
// other pictures stay usable. Pictures in unsupported formats become findings.
func (l *lister) pictures(ctx context.Context, folder string, seen folderSet) ([]string, error) {
	var pictures []string
	err := l.walker(&pictures, seen).walk(ctx, folder)
	return pictures, err
}

func (l *lister) walker(pictures *[]string, seen folderSet) *walker {
	return &walker{
		closed:  l.closed,
		seen:    seen,
		wanted:  isPicture,
		picture: func(path, _ string) { *pictures = append(*pictures, path) },
		failed: func(path string, err error) error {
			if isPicture(path) && !present.Folder(path) {
				*pictures = append(*pictures, path)
				return nil
			}
			return fmt.Errorf("%s: %w", path, reason(err))
		},
		other: l.other,
	}
}

// other handles a file without a picture extension; it may get the same file several times.
func (l *lister) other(path string) {
	if format := UnreadFormat(path); format != "" && !l.unread[path] {
		l.unread[path] = true
		l.addFinding(UnreadPicture, "", path, format)
	}
}

// claim marks a folder as structural (see closed) and reports whether it already was.
func (l *lister) claim(path string) (again bool, err error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return false, err
	}
	again = l.closed[real]
	l.closed[real] = true
	return again, nil
}

func (l *lister) addFinding(code Code, class, path, detail string) {
	if path != "" {
		path = relative(l.root, path)
	}
	l.out.Findings = append(l.out.Findings, NewFinding(code, class, path, detail))
}

// anomalous adds pictures of one class and defect, each with its mask from masks.
// Masks of the normal pictures are ignored.
func (l *lister) anomalous(class, defect string, pictures, masks []string, by stems, normal ...string) {
	found := pairMasks(pictures, masks, by)
	for _, problem := range found.problems {
		l.addFinding(problem.code, class, problem.path, problem.what)
	}
	for _, path := range withoutMasksOf(normal, found.orphans, by) {
		l.addFinding(OrphanMask, class, path, "")
	}
	for _, path := range found.lookLikeMasks {
		l.addFinding(MaskLikePicture, class, path, "")
	}
	l.out.Items = slices.Grow(l.out.Items, len(pictures))
	for i, path := range pictures {
		l.out.Items = append(l.out.Items, Item{Path: path, Class: class, Anomalous: true, Defect: defect, Mask: found.masks[i], MaskParts: found.parts[i]})
	}
}

// withoutMasksOf returns masks without the masks of normal pictures, which are never read.
func withoutMasksOf(normal, masks []string, by stems) []string {
	if len(normal) == 0 || len(masks) == 0 {
		return masks
	}
	owners := make(map[string]int, len(normal))
	for i, path := range normal {
		owners[by.picture(path)] = i
	}
	return slices.DeleteFunc(masks, func(mask string) bool {
		_, _, ok := by.owner(owners, mask)
		return ok
	})
}

func (l *lister) normal(class string, pictures []string) {
	l.out.Items = slices.Grow(l.out.Items, len(pictures))
	for _, path := range pictures {
		l.out.Items = append(l.out.Items, Item{Path: path, Class: class})
	}
}

// stemBelow returns a function that gives a path's stem relative to folder, subfolders included.
func stemBelow(folder string) func(string) string {
	return func(path string) string { return stem(relative(folder, path)) }
}

// stemAlone returns the stem of a path's file name.
func stemAlone(path string) string { return stem(filepath.Base(path)) }

// isNormalFolder reports whether a folder name means normal pictures. Every folder beside it is a defect's.
func isNormalFolder(name string) bool {
	return slices.Contains([]string{"good", "ok", "normal"}, strings.ToLower(name))
}

// otherSplits are the folders of splits other than test.
var otherSplits = []string{"train", "valid", "val", "validation", "test_private", "test_private_mixed"}

// childFolder finds a subfolder by its plainKey, so case, spaces and punctuation are ignored.
func childFolder(parent string, folders []fs.DirEntry, key string) (string, bool) {
	for _, entry := range folders {
		if plainKey(entry.Name()) == key {
			return filepath.Join(parent, entry.Name()), true
		}
	}
	return "", false
}
