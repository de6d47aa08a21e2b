package data

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// mvtecLayout is the tree of MVTec-AD and of the many sets that follow it (MPDD;
// BTAD; VisA as spot-diff re-lays it; the packs of AdaCLIP and Bayes-PFL):
//
//	<class>/test/<good|ok|normal|defect>/.../<stem>.<ext>
//	<class>/ground_truth/<defect>/.../<stem>[_mask|_gt].<ext>
func mvtecLayout() Layout {
	return Layout{
		Name: "mvtec",
		Matches: func(root string) (bool, error) {
			classes, _, err := mvtecClasses(root)
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

// mvtecClasses finds the classes in root, or the one class whose own folder it
// is, and the folders that have a class's parts but no test folder.
func mvtecClasses(root string) (classes []mvtecClass, untested []string, err error) {
	folders, err := readFolders(root)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the folder: %w", err)
	}
	own, ok, err := newMVTecClass(root, folders)
	if ok || err != nil {
		own.name = filepath.Base(root)
		return []mvtecClass{own}, nil, err
	}
	for _, folder := range folders {
		path := filepath.Join(root, folder.Name())
		inside, err := readFolders(path)
		if err != nil {
			return nil, nil, fmt.Errorf("reading what may be a class: %w", err)
		}
		class, ok, err := newMVTecClass(path, inside)
		if err != nil {
			return nil, nil, err
		}
		_, trained := subfolder(path, inside, "train")
		_, marked := subfolder(path, inside, "ground_truth")
		_, tested := subfolder(path, inside, "test")
		switch {
		case ok:
			class.name = folder.Name()
			classes = append(classes, class)
		case (trained || marked) && !tested:
			untested = append(untested, path)
		}
	}
	return classes, untested, nil
}

func newMVTecClass(path string, folders []fs.DirEntry) (mvtecClass, bool, error) {
	test, ok := subfolder(path, folders, "test")
	if !ok {
		return mvtecClass{}, false, nil
	}
	// A folder test with images/ and masks/ in it holds masks, which are no defect's pictures.
	images, _, err := polypFolders(test)
	truth, _ := subfolder(path, folders, "ground_truth")
	return mvtecClass{path: path, test: test, truth: truth}, images == "" && err == nil, err
}

type mvtecLister struct{ lister }

func listMVTec(ctx context.Context, root, _ string) (Listing, error) {
	classes, untested, err := mvtecClasses(root)
	if err != nil {
		return Listing{}, err
	}
	l := &mvtecLister{newLister(root)}
	for _, path := range untested {
		l.find(EmptyClass, filepath.Base(path), path, "it has no folder test")
	}
	if _, err := l.claim(root); err != nil {
		return Listing{}, err
	}
	var kept []mvtecClass
	for _, class := range classes {
		if class.path != root {
			again, err := l.claim(class.path)
			if err != nil {
				return Listing{}, err
			}
			if again {
				l.find(LinkedFolder, class.name, class.path, "")
				continue
			}
		}
		if _, err := l.claim(class.test); err != nil {
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
			return Listing{}, fmt.Errorf("class %s: %w", class.name, err)
		}
	}
	return l.out, nil
}

// kinds lists the folders of a class's test folder, each real one once.
func (l *mvtecLister) kinds(class mvtecClass) ([]string, error) {
	entries, err := readFolder(class.test)
	if err != nil {
		return nil, fmt.Errorf("class %s: %w", class.name, err)
	}
	var kinds []string
	for _, entry := range entries {
		path := filepath.Join(class.test, entry.Name())
		switch {
		case isFolder(class.test, entry):
			again, err := l.claim(path)
			if err != nil {
				return nil, err
			}
			if again {
				l.find(LinkedFolder, class.name, path, "")
				continue
			}
			kinds = append(kinds, entry.Name())
		case isPicture(entry.Name()):
			l.find(Unlabelled, class.name, path, "put it into test/good or test/<defect>")
		}
	}
	return kinds, nil
}

// class lists one class's rows.
func (l *mvtecLister) class(ctx context.Context, class mvtecClass, kinds []string) error {
	truths, err := readTruth(class.truth)
	if err != nil {
		return err
	}
	before := len(l.out.Items)
	for _, kind := range kinds {
		folder := filepath.Join(class.test, kind)
		pictures, err := l.pictures(ctx, folder, l.seen)
		if err != nil {
			return err
		}
		if isNormalFolder(kind) { // its masks, if there are any, are never looked at
			l.normal(class.name, pictures)
			continue
		}
		truth := truths.of(kind)
		var masks []string
		if truth != "" {
			// Several defects may link to one folder of masks: each walk starts afresh.
			if masks, err = l.pictures(ctx, truth, folderSet{}); err != nil {
				return err
			}
		}
		l.anomalous(class.name, kind, pictures, masks, stemBelow(folder), stemBelow(truth))
	}
	for _, name := range truths.unused() {
		l.find(OrphanMask, class.name, filepath.Join(class.truth, name), "the whole folder: there is no folder test/"+name)
	}
	if len(l.out.Items) == before {
		l.find(EmptyClass, class.name, class.path, "")
	}
	return nil
}

// truthFolders are the folders in a folder of masks, one a defect.
type truthFolders struct {
	path   string
	names  []string
	normal []string // paths of what would be masks of normal pictures, which are never looked at
	exact  map[string]bool
	lower  map[string]string // a lower-case name to the first folder of it
	used   map[string]bool
}

// readTruth reads what is in a folder of masks; "" is none.
func readTruth(path string) (*truthFolders, error) {
	t := &truthFolders{path: path, exact: map[string]bool{}, lower: map[string]string{}, used: map[string]bool{}}
	if path == "" {
		return t, nil
	}
	folders, err := readFolders(path)
	if err != nil {
		return nil, err
	}
	for _, folder := range folders {
		name := folder.Name()
		if isNormalFolder(name) {
			t.normal = append(t.normal, filepath.Join(path, name))
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
