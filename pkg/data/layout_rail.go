package data

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
)

// railLayout is the layout of RSDDs as published: two types of rail; all pictures are
// defective; a picture and its mask (a JPEG) have the same name:
//
//	Type-I RSDDs dataset/Rail surface images/rail_<n>.jpg
//	Type-I RSDDs dataset/GroundTruth/rail_<n>.jpg          likewise Type-II
func railLayout() Layout {
	return Layout{
		Name: "rsdds",
		Matches: func(root string) (bool, error) {
			types, err := railTypes(root)
			return len(types) > 0, err
		},
		List: listRails,
	}
}

// railType is the folders of one type.
type railType struct{ name, images, masks string }

// railTypes returns the types in root, or the one type whose folder root is.
func railTypes(root string) ([]railType, error) {
	folders, err := readFolders(root)
	if err != nil {
		return nil, fmt.Errorf("reading the dataset folder: %w", err)
	}
	if own, ok, err := newRailType(root, filepath.Base(root)); ok || err != nil {
		return []railType{own}, err
	}
	var types []railType
	for _, entry := range folders {
		if railName(entry.Name()) == "" {
			continue
		}
		found, ok, err := newRailType(filepath.Join(root, entry.Name()), entry.Name())
		if err != nil {
			return nil, err
		}
		if ok {
			types = append(types, found)
		}
	}
	return types, nil
}

func newRailType(path, folder string) (railType, bool, error) {
	folders, err := readFolders(path)
	if err != nil {
		return railType{}, false, fmt.Errorf("reading the dataset folder: %w", err)
	}
	images, found := childFolder(path, folders, "railsurfaceimages")
	masks, paired := childFolder(path, folders, "groundtruth")
	return railType{railName(folder), images, masks}, found && paired && railName(folder) != "", nil
}

// railName returns the class name of a type's folder; "" for any other folder.
func railName(folder string) string {
	switch key := strings.TrimSuffix(plainKey(folder), "rsddsdataset"); key {
	case "typei", "type1":
		return "Type-I"
	case "typeii", "type2":
		return "Type-II"
	}
	return ""
}

func listRails(ctx context.Context, root, _ string) (Listing, error) {
	types, err := railTypes(root)
	if err != nil {
		return Listing{}, err
	}
	l := newLister(root)
	l.out.MaskThreshold = rsddJPEGThreshold
	l.out.Hints = []string{"rsdd"} // no other dataset has this layout
	for _, t := range types {
		if err := l.paired(ctx, t.name, "", t.images, t.masks); err != nil {
			return Listing{}, fmt.Errorf("class %s: %w", t.name, err)
		}
	}
	return l.out, nil
}
