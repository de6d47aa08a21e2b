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

// visaLayout is the layout of VisA as published. Normal pictures of train and test
// share a folder, so only the table defines the split:
//
//	split_csv/1cls.csv
//	<class>/Data/Images/{Normal,Anomaly}/<stem>.JPG
//	<class>/Data/Masks/Anomaly/<stem>.png
func visaLayout() Layout {
	return Layout{Name: "visa", Matches: isVisA, List: listVisA}
}

// ErrNoSplit reports that VisA's table of the test split is missing.
var ErrNoSplit = errors.New("the test split is unknown")

const visaTable = "split_csv/1cls.csv"

// isVisA reports whether root contains classes in VisA's layout, is such a class, or
// is a folder inside one, down to the normal pictures. Because that folder contains
// pictures of train and test, no other layout may match it.
func isVisA(root string) (bool, error) {
	for _, way := range []string{"Data/Images", "Images", ""} {
		images := filepath.Join(root, filepath.FromSlash(way))
		if strings.HasSuffix(filepath.ToSlash(images), "/Data/Images") && present.Folder(filepath.Join(images, "Normal")) {
			return true, nil
		}
	}
	folders, err := readFolders(root)
	if err != nil {
		return false, fmt.Errorf("reading the dataset folder: %w", err)
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
		return Listing{}, fmt.Errorf("%s: %w: %s is missing, and VisA's train and test pictures share folders; copy the file from VisA's archive or from spot-diff's repository, or give a list of the test pictures (data.roots: {path, list})", root, ErrNoSplit, visaTable)
	}
	return listFile(ctx, table, root)
}
