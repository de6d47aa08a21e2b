package data

import (
	"context"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

// maskFolders are the names of mask folders, in the form of plainKey.
var maskFolders = []string{
	"mask", "masks", "groundtruth", "gt", "label", "labels", "annotation", "annotations", "segmentation", "segmentations", "anomalymask", "anomalymasks",
}

// maskWords mark a mask folder if its name has several words, such as binary_masks.
var maskWords = []string{"mask", "masks", "groundtruth", "gt", "truth", "annotation", "annotations", "segmentation", "segmentations"}

// isMaskFolder reports whether a folder's name means masks.
func isMaskFolder(name string) bool {
	if slices.Contains(maskFolders, plainKey(name)) {
		return true
	}
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return slices.ContainsFunc(words, func(word string) bool { return slices.Contains(maskWords, word) })
}

// imageFolders are the names of the folder of pictures beside a mask folder.
var imageFolders = []string{"image", "images", "img", "imgs"}

func isImageFolder(name string) bool { return slices.Contains(imageFolders, strings.ToLower(name)) }

// maskFoldersIn returns the mask folders among the subfolders of parent, ground_truth first.
func maskFoldersIn(parent string, folders []fs.DirEntry) []string {
	var found []string
	for _, folder := range folders {
		switch name := folder.Name(); {
		case plainKey(name) == "groundtruth":
			found = slices.Insert(found, 0, filepath.Join(parent, name))
		case isMaskFolder(name):
			found = append(found, filepath.Join(parent, name))
		}
	}
	return found
}

// truthFolders are the subfolders of a mask folder, one per defect.
type truthFolders struct {
	path   string
	names  []string
	normal []string // folders of masks of normal pictures, which are never read
	exact  map[string]bool
	lower  map[string]string // lower-case name to the first folder with that name
	used   map[string]bool
}

// readTruth lists the subfolders of a mask folder; path "" gives an empty result.
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

// named returns the folder of a defect's masks: the exact name, else ignoring case; "" if there is none.
func (t *truthFolders) named(defect string) string {
	if t.exact[defect] {
		return defect
	}
	return t.lower[strings.ToLower(defect)]
}

// take returns the path of the folder of a defect's masks and marks it as used; "" if there is none.
func (t *truthFolders) take(defect string) string {
	name := t.named(defect)
	if name == "" {
		return ""
	}
	t.used[name] = true
	return filepath.Join(t.path, name)
}

func (t *truthFolders) unused() []string {
	return slices.DeleteFunc(slices.Clone(t.names), func(name string) bool { return t.used[name] })
}

// split lists the pictures below a folder, like lister.pictures, and the mask folders
// in it, which it does not enter. It also does not enter the folders for which apart
// returns true; apart may be nil.
func (l *lister) split(ctx context.Context, folder string, apart func(path string) bool) (pictures, masks []string, err error) {
	w := l.walker(&pictures, l.seen)
	w.apart = func(path string) bool {
		if isMaskFolder(filepath.Base(path)) {
			masks = append(masks, path)
			return true
		}
		return apart != nil && apart(path)
	}
	err = w.walk(ctx, folder)
	return pictures, masks, err
}

// normalFolder lists a folder of normal pictures.
func (l *lister) normalFolder(ctx context.Context, class, folder string) ([]string, error) {
	pictures, masks, err := l.split(ctx, folder, nil)
	if err != nil {
		return nil, err
	}
	for _, path := range masks {
		l.addFinding(OrphanMask, class, path, "the whole folder is ignored: masks of normal pictures are not used")
	}
	l.normal(class, pictures)
	return pictures, nil
}

// pictureFolder is a folder of pictures, all normal or all of one defect, which has the folder's name.
type pictureFolder struct {
	path   string
	normal bool
}

// classFolders are a class's picture folders and its masks.
type classFolders struct {
	class   string
	folders []pictureFolder
	truth   *truthFolders
	deep    bool // masks outside the defects' mask folders may be in other folders, at any depth
}

// classPictures lists a class's pictures in the order of its folders. The masks of a
// defect are in the subfolder of its name in the mask folder; or in a mask folder
// inside its own folder; or together with other defects' masks, which then pair by
// file name alone.
func (l *lister) classPictures(ctx context.Context, c classFolders) error {
	for _, folder := range c.truth.normal {
		if _, err := l.claim(folder); err != nil {
			return err
		}
	}
	var normal, rest, kinds []string // rest are the pictures whose masks are stored together, kinds are their defects
	for _, folder := range c.folders {
		if folder.normal {
			pictures, err := l.normalFolder(ctx, c.class, folder.path)
			if err != nil {
				return err
			}
			normal = append(normal, pictures...)
			continue
		}
		pictures, err := l.defect(ctx, c, folder.path)
		if err != nil {
			return err
		}
		rest = append(rest, pictures...)
		kinds = append(kinds, slices.Repeat([]string{filepath.Base(folder.path)}, len(pictures))...)
	}
	masks, err := l.looseMasks(ctx, c, rest)
	if err != nil {
		return err
	}
	before := len(l.out.Items)
	l.anomalous(c.class, "", rest, masks, stemsAlone(c.truth.path), normal...)
	for i, kind := range kinds {
		l.out.Items[before+i].Defect = kind
	}
	return nil
}

// defect lists a defect's pictures if they have their own mask folder, and returns
// them otherwise. It skips normal pictures inside a defect's folder, because the
// folder may be a class rather than a defect.
func (l *lister) defect(ctx context.Context, c classFolders, folder string) (rest []string, err error) {
	pictures, inner, err := l.split(ctx, folder, func(path string) bool {
		normal := isNormalFolder(filepath.Base(path))
		if normal {
			l.addFinding(Unlabelled, c.class, path, "a folder of normal pictures inside a folder of anomalous pictures")
		}
		return normal
	})
	if err != nil {
		return nil, err
	}
	truth := c.truth.take(filepath.Base(folder))
	switch {
	case truth != "":
		for _, path := range inner {
			l.addFinding(OrphanMask, c.class, path, "the whole folder is ignored: the masks of "+relative(l.root, truth)+" are used")
		}
		return nil, l.ownMasks(ctx, c.class, folder, truth, pictures)
	case inner != nil:
		return nil, l.innerMasks(ctx, c.class, folder, inner, pictures)
	}
	return pictures, nil
}

// ownMasks adds a defect's pictures with the masks of the folder truth.
func (l *lister) ownMasks(ctx context.Context, class, folder, truth string, pictures []string) error {
	if _, err := l.claim(truth); err != nil {
		return err
	}
	// Several defects may link to the same mask folder, so each walk has its own set.
	masks, err := l.pictures(ctx, truth, folderSet{})
	if err != nil {
		return err
	}
	l.anomalous(class, filepath.Base(folder), pictures, masks, stemsBelow(folder, truth))
	return nil
}

// innerMasks adds a defect's pictures with masks from mask folders inside its folder:
// images/a.png with masks/a.png, or a.png with masks/a.png.
func (l *lister) innerMasks(ctx context.Context, class, folder string, inner, pictures []string) error {
	var masks []string
	for _, path := range inner {
		found, err := l.pictures(ctx, path, folderSet{})
		if err != nil {
			return err
		}
		masks = append(masks, found...)
	}
	by := stemsBelow(folder, folder)
	below, above := by.mask, by.folder
	by.picture = func(path string) string { return withoutFolder(below(path), isImageFolder) }
	by.mask = func(path string) string { return withoutFolder(below(path), isMaskFolder) }
	by.folder = func(path string) string { return withoutFolder(above(path), isMaskFolder) }
	l.anomalous(class, filepath.Base(folder), pictures, masks, by)
	return nil
}

// withoutFolder removes the folders for which drop returns true from a path.
func withoutFolder(path string, drop func(name string) bool) string {
	names := strings.Split(path, "/")
	last := len(names) - 1
	kept := slices.DeleteFunc(names[:last:last], drop)
	return strings.Join(append(kept, names[last]), "/")
}

// looseMasks lists the masks that are in no defect's own folder.
func (l *lister) looseMasks(ctx context.Context, c classFolders, pictures []string) ([]string, error) {
	if c.truth.path == "" {
		return nil, nil
	}
	owners := map[string]int{}
	for i, path := range pictures {
		owners[stemAlone(path)] = i
	}
	var masks []string
	w := l.walker(&masks, folderSet{})
	if !c.deep {
		w.apart = func(path string) bool { // the owner of masks in any other folder is unknown
			name := relative(c.truth.path, path)
			_, ofPicture := maskOwner(owners, name)
			if ofPicture {
				c.truth.used[name] = true
			}
			return !ofPicture
		}
	}
	err := w.walk(ctx, c.truth.path)
	return masks, err
}
