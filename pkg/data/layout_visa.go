package data

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"acdclip/pkg/present"
)

// visaLayout is VisA as it is published. Train and test normals share a folder,
// so that the split is in the table alone:
//
//	split_csv/1cls.csv
//	<class>/Data/Images/{Normal,Anomaly}/<stem>.JPG
//	<class>/Data/Masks/Anomaly/<stem>.png
func visaLayout() Layout {
	return Layout{Name: "visa", Matches: isVisA, List: listVisA}
}

// ErrNoSplit says that VisA's table of its test split is missing.
var ErrNoSplit = errors.New("the test split is unknown")

const visaTable = "split_csv/1cls.csv"

// isVisA reports whether root holds classes as VisA has them, or is one of them,
// or a folder in one down to the normal pictures: those of train and test lie in
// it together, which is why no other layout may take it.
func isVisA(root string) (bool, error) {
	for _, way := range []string{"Data/Images", "Images", ""} {
		images := filepath.Join(root, filepath.FromSlash(way))
		if strings.HasSuffix(filepath.ToSlash(images), "/Data/Images") && present.Folder(filepath.Join(images, "Normal")) {
			return true, nil
		}
	}
	folders, err := readFolders(root)
	if err != nil {
		return false, fmt.Errorf("reading the folder: %w", err)
	}
	for _, folder := range folders {
		if present.Folder(filepath.Join(root, folder.Name(), "Data", "Images")) {
			return true, nil
		}
	}
	return false, nil
}

func listVisA(ctx context.Context, root, _ string) (Listing, error) {
	table := filepath.Join(root, filepath.FromSlash(visaTable))
	if _, err := os.Stat(table); errors.Is(err, fs.ErrNotExist) {
		return Listing{}, fmt.Errorf("%s: %w: %s is missing, and VisA's train and test pictures share their folders; take the file from VisA's archive or from spot-diff's repository, or give a list of the test pictures (data.roots: {path, list})", root, ErrNoSplit, visaTable)
	}
	return listFile(ctx, table, root)
}
