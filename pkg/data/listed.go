package data

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"acdclip/pkg/data/list"
)

// listFile reads a list of a dataset's test pictures and finds them below root. A
// missing picture or mask becomes a Finding; its row stays.
func listFile(ctx context.Context, path, root string) (Listing, error) {
	read, err := list.Read(ctx, path)
	if err != nil {
		return Listing{}, err
	}
	l := &listedLister{
		lister:   newLister(root),
		resolver: newResolver(root, read.Format == list.Meta),
		repair:   read.Format == list.Meta, // such lists pair pictures and masks by sorted position
	}
	l.out.Listed = true
	l.out.Items = make([]Item, 0, len(read.Rows))
	for _, oddity := range read.Oddities {
		l.addFinding(LabelFormat, "", "", fmt.Sprintf("%s (%d times, first on line %d)", oddity.Text, oddity.Count, oddity.Line))
	}
	for i, row := range read.Rows {
		if err := ctx.Err(); i%1024 == 0 && err != nil {
			return Listing{}, err
		}
		l.row(row)
		read.Rows[i] = list.Row{} // frees its paths, which the dataset has now
	}
	return l.out, nil
}

type listedLister struct {
	lister
	*resolver
	repair bool
}

func (l *listedLister) row(row list.Row) {
	item := Item{Class: row.Class, Anomalous: row.Anomalous, Defect: row.Defect}
	var there bool
	if item.Path, there = l.locate(row, row.Image); !there {
		item.Path = l.below(row.Image)
		l.addFinding(MissingImage, row.Class, item.Path, fmt.Sprintf("line %d", row.Line))
	}
	if row.Anomalous {
		item.Mask, item.MaskParts = l.mask(row, item.Path)
	}
	l.out.Items = append(l.out.Items, item)
}

// locate finds the file of a listed path.
func (l *listedLister) locate(row list.Row, listed string) (string, bool) {
	found, how, ok := l.resolve(listed)
	if ok && how != asListed {
		l.addFinding(PathFallback, row.Class, found, string(how))
	}
	return found, ok
}

// mask finds an anomalous row's mask: a file, or a folder of files with the picture's
// name; "" if there is none.
func (l *listedLister) mask(row list.Row, picture string) (path string, parts []string) {
	if row.Mask == "" {
		l.addFinding(NoMaskListed, row.Class, picture, "")
		return "", nil
	}
	path, ok := l.locate(row, row.Mask)
	if !ok {
		folder, isFolder := l.resolver.folder(row.Mask)
		if !isFolder {
			l.addFinding(MissingMask, row.Class, picture, fmt.Sprintf("line %d lists the mask %s, which does not exist", row.Line, row.Mask))
			return "", nil
		}
		if path, parts = l.maskFolder(row, picture, folder); parts == nil {
			l.addFinding(NoMaskListed, row.Class, picture, "the listed mask "+row.Mask+" is a folder")
		}
		return path, parts
	}
	if belongs(path, picture) || belongs(filepath.Dir(path), picture) {
		return path, nil
	}
	if l.repair {
		for _, suffix := range maskSuffixes {
			if better := l.withStem(filepath.Dir(path), stemAlone(picture)+suffix); better != "" {
				l.addFinding(PairingDisagrees, row.Class, picture, "listed with "+filepath.Base(path)+"; "+filepath.Base(better)+" is used")
				return better, nil
			}
		}
	}
	l.addFinding(PairingDisagrees, row.Class, picture, "listed with "+filepath.Base(path))
	return path, nil
}

// maskFolder returns a picture's mask folder and its files: the listed folder or, in
// lists that pair by sorted position, the folder beside it with the picture's name.
func (l *listedLister) maskFolder(row list.Row, picture, listed string) (folder string, parts []string) {
	candidates := []string{listed}
	if l.repair {
		for _, suffix := range maskSuffixes {
			candidates = append(candidates, filepath.Join(filepath.Dir(listed), stemAlone(picture)+suffix))
		}
	}
	for _, folder := range candidates {
		if !belongs(folder, picture) {
			continue
		}
		for _, name := range l.pictureNames(folder) {
			parts = append(parts, filepath.Join(folder, name))
		}
		if parts == nil {
			continue
		}
		if folder != listed {
			l.addFinding(PairingDisagrees, row.Class, picture, "listed with "+filepath.Base(listed)+"; "+filepath.Base(folder)+" is used")
		}
		return folder, parts
	}
	return "", nil
}

// belongs reports whether a mask has its picture's name, with or without a mask suffix.
func belongs(mask, picture string) bool {
	for _, key := range [...]string{stemAlone(mask), filepath.Base(mask)} { // a folder's name has no extension
		for _, suffix := range maskSuffixes {
			if bare, cut := cutSuffixFold(key, suffix); cut && strings.EqualFold(bare, stemAlone(picture)) {
				return true
			}
		}
	}
	return false
}

// findList returns the list in a dataset's folder or beside it; "" if there is none.
func findList(root string, names []string) (string, error) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return "", fmt.Errorf("reading the dataset folder: %w", err)
	}
	wanted := make([]string, 0, len(names)+1)
	for _, name := range names {
		wanted = append(wanted, name+".jsonl")
	}
	for _, want := range append(wanted, "meta.json") {
		for _, entry := range entries {
			if !strings.EqualFold(entry.Name(), want) || isFolder(root, entry) {
				continue
			}
			path := filepath.Join(root, entry.Name())
			if want != "meta.json" {
				return path, nil // it has the dataset's name, so an invalid list is reported
			}
			if ok, err := isList(path); ok || err != nil {
				return path, err
			}
		}
	}
	return besideList(root, names)
}

// besideList finds Bayes-PFL's meta_<Name>.json in the parent of the dataset's folder.
func besideList(root string, names []string) (string, error) {
	above := filepath.Dir(root)
	entries, _ := os.ReadDir(above) // the parent folder need not be readable
	for _, entry := range entries {
		name, isMeta := strings.CutPrefix(entry.Name(), "meta_")
		name, isJSON := strings.CutSuffix(name, ".json")
		if !isMeta || !isJSON || !slices.ContainsFunc(names, func(known string) bool { return SameDataset(name, known) }) {
			continue
		}
		path := filepath.Join(above, entry.Name())
		if ok, err := isList(path); ok || err != nil {
			return path, err
		}
	}
	return "", nil
}

// isList reports whether a file's content is a list of pictures.
func isList(path string) (bool, error) {
	_, err := list.Sniff(path)
	if errors.Is(err, list.ErrNotList) {
		return false, nil
	}
	return err == nil, err
}
