package data

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"acdclip/pkg/config"
	"acdclip/pkg/present"
)

// plainLayout is the layout of a folder with good and bad pictures, with or without masks:
//
//	<good|ok|normal>/...
//	<defect>/...                              any other name
//	<masks|ground_truth|labels>/[<defect>/]<stem>[_mask|_gt|_label].<ext>
//
// The configuration can name other folders for these.
func plainLayout(given config.Root) Layout {
	name := "good and bad"
	if namesFolders(given) {
		name = "named folders"
	}
	return Layout{
		Name: name,
		Matches: func(root string) (bool, error) {
			found, err := findPlain(root, given)
			return found.normal != nil || given.Anomalous != "", err
		},
		List: func(ctx context.Context, root, class string) (Listing, error) {
			found, err := findPlain(root, given)
			if err != nil {
				return Listing{}, err
			}
			return found.list(ctx, root, class)
		},
	}
}

// namesFolders reports whether the configuration names folders of a plain dataset.
func namesFolders(given config.Root) bool {
	return given.Normal != "" || given.Anomalous != "" || given.Masks != ""
}

// plainFolders are the absolute paths of a plain dataset's folders.
type plainFolders struct {
	normal, defects []string
	masks           string   // "" if there is none
	spare           []string // further mask folders, which are ignored
}

// findPlain finds the folders that the configuration names, and the others by their
// default names. If a configured folder does not exist, the error is ErrNoLayout.
func findPlain(root string, given config.Root) (plainFolders, error) {
	folders, err := readFolders(root)
	if err != nil {
		return plainFolders{}, fmt.Errorf("reading the dataset folder: %w", err)
	}
	place := func(name string) (string, error) {
		path := filepath.Join(root, name)
		if name == "" {
			return "", nil
		}
		if !present.Folder(path) {
			return "", fmt.Errorf("%w: the folder %q of data.roots does not exist in %s", ErrNoLayout, name, root)
		}
		return path, nil
	}
	normal, err1 := place(given.Normal)
	anomalous, err2 := place(given.Anomalous)
	masks, err3 := place(given.Masks)
	if err := cmp.Or(err1, err2, err3); err != nil {
		return plainFolders{}, err
	}
	f := plainFolders{masks: masks}
	if normal != "" {
		f.normal = []string{normal}
	}
	if anomalous != "" {
		f.defects = []string{anomalous}
	}
	for _, entry := range folders {
		path := filepath.Join(root, entry.Name())
		switch name := strings.ToLower(entry.Name()); {
		case path == normal || path == anomalous || path == masks || slices.Contains(otherSplits, name):
		case isNormalFolder(name):
			if normal == "" {
				f.normal = append(f.normal, path)
			}
		case isMaskFolder(name):
			switch {
			case f.masks == "":
				f.masks = path
			case masks == "":
				f.spare = append(f.spare, path)
			}
		case anomalous == "":
			f.defects = append(f.defects, path)
		}
	}
	return f, nil
}

func (f plainFolders) list(ctx context.Context, root, class string) (Listing, error) {
	l := newLister(root)
	for _, folder := range slices.Concat(f.normal, f.defects, []string{f.masks}) {
		if folder == "" {
			continue
		}
		if _, err := l.claim(folder); err != nil {
			return Listing{}, err
		}
	}
	entries, err := readFolder(root)
	if err != nil {
		return Listing{}, err
	}
	listed := slices.Contains(slices.Concat(f.normal, f.defects), root)
	for _, entry := range entries {
		switch path := filepath.Join(root, entry.Name()); {
		case listed || isFolder(root, entry):
		case isPicture(entry.Name()):
			l.addFinding(Unlabelled, class, path, "")
		default:
			l.other(path)
		}
	}
	for _, folder := range f.spare {
		l.addFinding(OrphanMask, class, folder, "the whole folder is ignored: the masks of "+relative(root, f.masks)+" are used")
	}
	truth, err := readTruth(f.masks)
	if err != nil {
		return Listing{}, err
	}
	c := classFolders{class: class, truth: truth, deep: true}
	for _, folder := range f.normal {
		c.folders = append(c.folders, pictureFolder{folder, true})
	}
	for _, folder := range f.defects {
		c.folders = append(c.folders, pictureFolder{folder, false})
	}
	err = l.classPictures(ctx, c)
	return l.out, err
}
