package data

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"acdclip/pkg/config"
)

// plainLayout is a folder of good and bad pictures, with or without masks:
//
//	<good|ok|normal>/...
//	<defect>/...                              any other name
//	<masks|ground_truth>/[<defect>/]<stem>[_mask|_gt].<ext>
func plainLayout() Layout {
	return Layout{
		Name: "good and bad",
		Matches: func(root string) (bool, error) {
			found, err := findPlain(root)
			return found.normal != "", err
		},
		List: func(ctx context.Context, root, class string) (Listing, error) {
			found, err := findPlain(root)
			if err != nil {
				return Listing{}, err
			}
			return found.list(ctx, root, class)
		},
	}
}

// namedLayout is plainLayout with the folders that the configuration names.
func namedLayout(names config.Root) Layout {
	folders := func(root string) plainFolders {
		place := func(name string) string {
			if name == "" {
				return ""
			}
			return filepath.Join(root, name)
		}
		f := plainFolders{normal: place(names.Normal), masks: place(names.Masks)}
		if names.Anomalous != "" {
			f.defects = []string{place(names.Anomalous)}
		}
		return f
	}
	return Layout{
		Name: "named folders",
		Matches: func(root string) (bool, error) {
			f := folders(root)
			for _, folder := range slices.Concat([]string{f.normal, f.masks}, f.defects) {
				if folder != "" && !isDirectory(folder) {
					return false, nil
				}
			}
			return f.normal != "" || f.defects != nil, nil
		},
		List: func(ctx context.Context, root, class string) (Listing, error) {
			return folders(root).list(ctx, root, class)
		},
	}
}

// plainFolders are the folders of a plain dataset; "" is none.
type plainFolders struct {
	normal, masks string
	defects       []string
}

// findPlain finds the folders by their names.
func findPlain(root string) (plainFolders, error) {
	folders, err := readFolders(root)
	if err != nil {
		return plainFolders{}, fmt.Errorf("reading the folder: %w", err)
	}
	var f plainFolders
	for _, entry := range folders {
		path := filepath.Join(root, entry.Name())
		switch name := strings.ToLower(entry.Name()); {
		case isNormalFolder(name) && f.normal == "":
			f.normal = path
		case slices.Contains([]string{"masks", "mask", "ground_truth", "ground truth", "groundtruth", "gt"}, name):
			f.masks = path
		case slices.Contains(otherSplits, name):
		default:
			f.defects = append(f.defects, path)
		}
	}
	return f, nil
}

func (f plainFolders) list(ctx context.Context, root, class string) (Listing, error) {
	l := newLister(root)
	for _, folder := range slices.Concat([]string{f.normal, f.masks}, f.defects) {
		if folder == "" {
			continue
		}
		if _, err := l.claim(folder); err != nil {
			return Listing{}, err
		}
	}
	if f.normal != "" {
		pictures, err := l.pictures(ctx, f.normal, l.seen)
		if err != nil {
			return Listing{}, err
		}
		l.normal(class, pictures)
	}
	err := f.listDefects(ctx, &l, class)
	return l.out, err
}

// listDefects lists the defects. One that has a folder of masks to itself pairs
// with that; the masks that lie in no such folder serve all others.
func (f plainFolders) listDefects(ctx context.Context, l *lister, class string) error {
	truths, err := readTruth(f.masks)
	if err != nil {
		return err
	}
	var rest, defects []string // pictures of the defects without a mask folder to themselves
	for _, folder := range f.defects {
		pictures, err := l.pictures(ctx, folder, l.seen)
		if err != nil {
			return err
		}
		defect := filepath.Base(folder)
		truth := truths.of(defect)
		if truth == "" {
			rest = append(rest, pictures...)
			defects = append(defects, slices.Repeat([]string{defect}, len(pictures))...)
			continue
		}
		if _, err := l.claim(truth); err != nil {
			return err
		}
		masks, err := l.pictures(ctx, truth, folderSet{})
		if err != nil {
			return err
		}
		l.anomalous(class, defect, pictures, masks, stemBelow(folder), stemBelow(truth))
	}
	var masks []string
	if f.masks != "" {
		if masks, err = l.pictures(ctx, f.masks, folderSet{}); err != nil {
			return err
		}
	}
	before := len(l.out.Items)
	l.anomalous(class, "", rest, masks, stemAlone, stemAlone)
	for i, defect := range defects {
		l.out.Items[before+i].Defect = defect
	}
	return nil
}
