package data

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// mvtecLayout is the tree of MVTec-AD and of the many sets that follow it
// (MPDD, BTAD, VisA as spot-diff re-lays it):
//
//	<class>/test/<good|ok|normal|defect>/.../<stem>.<ext>
//	<class>/ground_truth/<defect>/.../<stem>[_mask|_gt].<ext>
func mvtecLayout() Layout {
	return Layout{
		Name: "mvtec",
		Matches: func(root string) (bool, error) {
			classes, err := mvtecClasses(root)
			return len(classes) > 0, err
		},
		List: listMVTec,
	}
}

// mvtecClass is one class's folders.
type mvtecClass struct {
	name, path  string
	test, truth string // truth is "" where there is none
}

// mvtecClasses finds the classes in root, or the one class whose own folder it is.
func mvtecClasses(root string) ([]mvtecClass, error) {
	entries, err := readFolder(root)
	if err != nil {
		return nil, fmt.Errorf("reading the folder: %w", err)
	}
	if own, ok := newMVTecClass(root, entries); ok {
		own.name, err = className(root)
		return []mvtecClass{own}, err
	}
	var classes []mvtecClass
	for _, entry := range entries {
		if !isFolder(root, entry) {
			continue
		}
		path := filepath.Join(root, entry.Name())
		inside, err := readFolder(path)
		if err != nil {
			return nil, fmt.Errorf("reading what may be a class: %w", err)
		}
		if class, ok := newMVTecClass(path, inside); ok {
			class.name = entry.Name()
			classes = append(classes, class)
		}
	}
	return classes, nil
}

func newMVTecClass(path string, entries []fs.DirEntry) (mvtecClass, bool) {
	test, ok := subfolder(path, entries, "test")
	truth, _ := subfolder(path, entries, "ground_truth")
	return mvtecClass{path: path, test: test, truth: truth}, ok
}

// isNormalFolder reports whether a folder of test/ holds normal pictures. Every other one is a defect's.
func isNormalFolder(name string) bool {
	switch strings.ToLower(name) {
	case "good", "ok", "normal":
		return true
	}
	return false
}

// mvtecLister carries what is known while a tree is listed.
type mvtecLister struct {
	root    string
	folders folderSet // the folders that give the tree its shape: a link to one of them is not followed
	seen    folderSet // folders whose pictures are listed
	out     Listing
	broken  []string // what stops the listing, beyond the first error of the disk
}

func listMVTec(ctx context.Context, root string) (Listing, error) {
	classes, err := mvtecClasses(root)
	if err != nil {
		return Listing{}, err
	}
	l := &mvtecLister{root: root, folders: folderSet{}, seen: folderSet{}}
	if err := l.claim(root); err != nil {
		return Listing{}, err
	}
	var kept []mvtecClass
	for _, class := range classes {
		if class.path != root {
			again, err := l.claimed(class.path)
			if err != nil {
				return Listing{}, err
			}
			if again {
				l.warn("class %s is a link to another class and is left out", class.name)
				continue
			}
		}
		if err := l.claim(class.test); err != nil {
			return Listing{}, err
		}
		kept = append(kept, class)
	}
	kinds := make([][]string, len(kept))
	for i, class := range kept {
		if kinds[i], err = l.kinds(class); err != nil {
			return Listing{}, err
		}
	}
	for i, class := range kept {
		if err := l.class(ctx, class, kinds[i]); err != nil {
			return Listing{}, err
		}
	}
	if len(l.broken) > 0 {
		return Listing{}, fmt.Errorf("%w: %s", ErrPairing, countNamed(l.broken))
	}
	return l.out, nil
}

// claim marks a folder as one of those that give the tree its shape.
func (l *mvtecLister) claim(path string) error {
	_, err := l.claimed(path)
	return err
}

// claimed claims a folder and reports whether it already was.
func (l *mvtecLister) claimed(path string) (bool, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return false, err
	}
	again := l.folders[real]
	l.folders[real] = true
	return again, nil
}

// kinds lists the folders of a class's test folder.
func (l *mvtecLister) kinds(class mvtecClass) ([]string, error) {
	entries, err := readFolder(class.test)
	if err != nil {
		return nil, fmt.Errorf("class %s: %w", class.name, err)
	}
	var kinds, loose []string
	for _, entry := range entries {
		path := filepath.Join(class.test, entry.Name())
		switch {
		case isFolder(class.test, entry):
			again, err := l.claimed(path)
			if err != nil {
				return nil, fmt.Errorf("class %s: %w", class.name, err)
			}
			if again {
				l.warn("%s is a link to another folder of the dataset and is left out", relative(l.root, path))
				continue
			}
			kinds = append(kinds, entry.Name())
		case isPicture(entry.Name()):
			loose = append(loose, relative(l.root, path))
		}
	}
	if len(loose) > 0 {
		l.warn("pictures right inside a test folder have no label and are left out: %s; put them into test/good or test/<defect>", countNamed(loose))
	}
	return kinds, nil
}

// class lists one class's rows.
func (l *mvtecLister) class(ctx context.Context, class mvtecClass, kinds []string) error {
	truths, err := readTruth(class)
	if err != nil {
		return fmt.Errorf("class %s: %w", class.name, err)
	}
	before := len(l.out.Items)
	for _, kind := range kinds {
		pictures, err := l.tree(ctx, filepath.Join(class.test, kind), l.seen)
		if err != nil {
			return fmt.Errorf("class %s: %w", class.name, err)
		}
		if isNormalFolder(kind) { // its masks, if there are any, are never looked at
			for _, path := range pictures {
				l.out.Items = append(l.out.Items, Item{Path: path, Class: class.name})
			}
			continue
		}
		if err := l.defect(ctx, class, kind, truths.of(kind), pictures); err != nil {
			return fmt.Errorf("class %s: %w", class.name, err)
		}
	}
	for _, name := range truths.unused() {
		l.warn("%s has no pictures: there is no folder test/%s", relative(l.root, filepath.Join(class.truth, name)), name)
	}
	if len(l.out.Items) == before {
		l.warn("class %s has no test pictures and is left out", class.name)
		return nil
	}
	l.out.Classes = append(l.out.Classes, class.name)
	return nil
}

// defect lists the rows of one defect. truth is its folder of masks, or "".
func (l *mvtecLister) defect(ctx context.Context, class mvtecClass, defect, truth string, pictures []string) error {
	var masks []string
	if truth != "" {
		var err error
		// Several defects may link to one folder of masks: each walk starts afresh.
		if masks, err = l.tree(ctx, truth, folderSet{}); err != nil {
			return err
		}
	}
	found := pairMasks(filepath.Join(class.test, defect), pictures, truth, masks)
	for _, problem := range found.problems {
		l.broken = append(l.broken, relative(l.root, problem.path)+" "+problem.what)
	}
	if len(found.orphans) > 0 {
		l.warn("masks without a picture in test/%s of class %s: %s", defect, class.name, countNamed(found.orphans))
	}
	if len(found.lookLikeMasks) > 0 {
		l.warn("pictures in test/%s of class %s that are named as masks of others there are taken as pictures: %s; masks belong into ground_truth/%s",
			defect, class.name, countNamed(found.lookLikeMasks), defect)
	}
	for i, path := range pictures {
		l.out.Items = append(l.out.Items, Item{Path: path, Class: class.name, Anomalous: true, Defect: defect, Mask: found.masks[i]})
	}
	return nil
}

// tree lists the pictures below folder, in natural order of their folders and names.
func (l *mvtecLister) tree(ctx context.Context, folder string, seen folderSet) ([]string, error) {
	var pictures []string
	w := walker{
		closed:  l.folders,
		seen:    seen,
		wanted:  isPicture,
		picture: func(path, _ string) { pictures = append(pictures, path) },
		failed:  func(path string, err error) error { return fmt.Errorf("%s: %w", path, err) },
	}
	err := w.walk(ctx, folder)
	return pictures, err
}

func (l *mvtecLister) warn(format string, arguments ...any) {
	l.out.Warnings = append(l.out.Warnings, fmt.Sprintf(format, arguments...))
}

// truthFolders are the folders in one class's ground_truth.
type truthFolders struct {
	path  string
	names []string
	exact map[string]bool
	lower map[string]string // a lower-case name to the first folder of it
	used  map[string]bool
}

func readTruth(class mvtecClass) (*truthFolders, error) {
	t := &truthFolders{path: class.truth, exact: map[string]bool{}, lower: map[string]string{}, used: map[string]bool{}}
	if class.truth == "" {
		return t, nil
	}
	entries, err := readFolder(class.truth)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		name := entry.Name()
		if isNormalFolder(name) || !isFolder(class.truth, entry) {
			continue
		}
		t.names = append(t.names, name)
		t.exact[name] = true
		if _, taken := t.lower[strings.ToLower(name)]; !taken {
			t.lower[strings.ToLower(name)] = name
		}
	}
	return t, nil
}

// of finds the folder of a defect's masks, in any case where none has its exact name; "" is none.
func (t *truthFolders) of(defect string) string {
	name := defect
	if !t.exact[name] {
		name = t.lower[strings.ToLower(defect)]
	}
	if name == "" {
		return ""
	}
	t.used[name] = true
	return filepath.Join(t.path, name)
}

func (t *truthFolders) unused() []string {
	var names []string
	for _, name := range t.names {
		if !t.used[name] {
			names = append(names, name)
		}
	}
	return names
}
