package data

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
)

// polypLayout is the layout of the endoscopy datasets, in which all pictures are
// anomalous:
//
//	images/<stem>.<ext> with masks/<stem>.<ext>
//	Original/<n>.tif with Ground Truth/<n>.tif      CVC-ClinicDB's own
func polypLayout() Layout {
	return Layout{
		Name: "images and masks",
		Matches: func(root string) (bool, error) {
			images, _, err := polypFolders(root)
			return images != "", err
		},
		List: listPolyps,
	}
}

// polypFolders returns the folders of pictures and masks; "" if they do not exist, or
// if there is a folder of normal pictures beside or inside them.
func polypFolders(root string) (images, masks string, err error) {
	folders, err := readFolders(root)
	if err != nil {
		return "", "", fmt.Errorf("reading the dataset folder: %w", err)
	}
	if slices.ContainsFunc(folders, isNormalEntry) {
		return "", "", nil
	}
	for _, pair := range [][2]string{{"images", "masks"}, {"original", "groundtruth"}} {
		images, found := childFolder(root, folders, pair[0])
		masks, paired := childFolder(root, folders, pair[1])
		if !found || !paired {
			continue
		}
		inside, err := readFolders(images)
		if err != nil {
			return "", "", err
		}
		if !slices.ContainsFunc(inside, isNormalEntry) {
			return images, masks, nil
		}
	}
	return "", "", nil
}

func isNormalEntry(entry fs.DirEntry) bool { return isNormalFolder(entry.Name()) }

func listPolyps(ctx context.Context, root, class string) (Listing, error) {
	images, masks, err := polypFolders(root)
	if err != nil {
		return Listing{}, err
	}
	l := newLister(root)
	err = l.paired(ctx, class, "", images, masks)
	return l.out, err
}

// paired adds the pictures of one folder as anomalous, with the masks of another folder.
func (l *lister) paired(ctx context.Context, class, defect, pictureFolder, maskFolder string) error {
	for _, folder := range []string{pictureFolder, maskFolder} {
		if _, err := l.claim(folder); err != nil {
			return err
		}
	}
	pictures, inner, err := l.split(ctx, pictureFolder, nil)
	if err != nil {
		return err
	}
	for _, path := range inner {
		l.addFinding(OrphanMask, class, path, "the whole folder is ignored: the masks of "+relative(l.root, maskFolder)+" are used")
	}
	masks, err := l.pictures(ctx, maskFolder, folderSet{})
	if err != nil {
		return err
	}
	l.anomalous(class, defect, pictures, masks, stemsBelow(pictureFolder, maskFolder))
	return nil
}
