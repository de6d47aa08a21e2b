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

// Layout is one way in which a dataset's folders are laid out.
type Layout struct {
	Name    string
	Matches func(root string) (bool, error) // whether root, an absolute path, looks like it; opens no picture
	// List lists the test pictures; class is what their class is called where the layout has no folder for it.
	List func(ctx context.Context, root, class string) (Listing, error)
}

// Listing is what a Layout finds. Findings' paths are relative to the root.
type Listing struct {
	Items         []Item
	Findings      []Finding
	Hints         []string // names that may be the benchmark's, the best first
	MaskThreshold uint8    // what the masks need to be read with; 0: any value but zero is anomalous
	Listed        bool     // the rows come from a list, which says of each picture whether it has a mask
}

// Layouts are the known layouts, in the order in which they are tried: each is
// more special than the next.
func Layouts() []Layout {
	return []Layout{visaLayout(), bmadLayout(), railLayout(), polypLayout(), mvtecLayout(), plainLayout(config.Root{})}
}

// lister carries what is known while a tree is listed.
type lister struct {
	root   string
	closed folderSet       // the folders that give the tree its shape: a link to one of them is not followed
	seen   folderSet       // folders whose pictures are listed
	unread map[string]bool // pictures in formats that are not read, by their paths
	out    Listing
}

func newLister(root string) lister {
	return lister{root: root, closed: folderSet{}, seen: folderSet{}, unread: map[string]bool{}}
}

// pictures lists the pictures below folder. Folders in seen are not entered
// again. What has a picture's name and cannot be one, such as a dead link, is
// listed too: it fails where it is read, and hides no other. Pictures in formats
// that are not read are findings.
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

// other is told of each file that has no picture's extension, perhaps several times.
func (l *lister) other(path string) {
	if format := UnreadFormat(path); format != "" && !l.unread[path] {
		l.unread[path] = true
		l.find(UnreadPicture, "", path, format)
	}
}

// claim marks a folder as one of those that give the tree its shape, and
// reports whether it already was.
func (l *lister) claim(path string) (again bool, err error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return false, err
	}
	again = l.closed[real]
	l.closed[real] = true
	return again, nil
}

func (l *lister) find(code Code, class, path, detail string) {
	if path != "" {
		path = relative(l.root, path)
	}
	l.out.Findings = append(l.out.Findings, NewFinding(code, class, path, detail))
}

// anomalous adds pictures of one class and defect, each with its mask among
// masks. Masks of normal pictures among them belong to no picture here.
func (l *lister) anomalous(class, defect string, pictures, masks []string, by stems, normal ...string) {
	found := pairMasks(pictures, masks, by)
	for _, problem := range found.problems {
		l.find(problem.code, class, problem.path, problem.what)
	}
	for _, path := range withoutMasksOf(normal, found.orphans, by) {
		l.find(OrphanMask, class, path, "")
	}
	for _, path := range found.lookLikeMasks {
		l.find(MaskLikePicture, class, path, "")
	}
	l.out.Items = slices.Grow(l.out.Items, len(pictures))
	for i, path := range pictures {
		l.out.Items = append(l.out.Items, Item{Path: path, Class: class, Anomalous: true, Defect: defect, Mask: found.masks[i], MaskParts: found.parts[i]})
	}
}

// withoutMasksOf leaves the masks of normal pictures, which are never looked at, out of masks.
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

// stemBelow gives a path's stem as seen from folder: sub-folders are part of it.
func stemBelow(folder string) func(string) string {
	return func(path string) string { return stem(relative(folder, path)) }
}

// stemAlone gives the stem of a path's file name.
func stemAlone(path string) string { return stem(filepath.Base(path)) }

// isNormalFolder reports whether a folder holds normal pictures. Every other one beside it is a defect's.
func isNormalFolder(name string) bool {
	return slices.Contains([]string{"good", "ok", "normal"}, strings.ToLower(name))
}

// otherSplits are folders of pictures that are not the test split's.
var otherSplits = []string{"train", "valid", "val", "validation", "test_private", "test_private_mixed"}

// childFolder finds one of a folder's folders by its name, whatever its case, blanks and punctuation.
func childFolder(parent string, folders []fs.DirEntry, key string) (string, bool) {
	for _, entry := range folders {
		if plainKey(entry.Name()) == key {
			return filepath.Join(parent, entry.Name()), true
		}
	}
	return "", false
}
