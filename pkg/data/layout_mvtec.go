package data

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"acdclip/pkg/present"
)

// mvtecLayout is the layout of MVTec-AD and of the many datasets that copy it (MPDD;
// BTAD; VisA as spot-diff converts it; the packs of AdaCLIP and Bayes-PFL):
//
//	<class>/test/<good|ok|normal|defect>/.../<stem>.<ext>
//	<class>/ground_truth/<defect>/.../<stem>[_mask|_gt|_label].<ext>
//
// A picture may have a folder of several masks, <stem>/000.png (MVTec LOCO). The
// mask folder may have any name in maskFolders. It may be inside test (MVTec AD 2,
// where test is named test_public) or inside a defect's folder, and may contain the
// masks of all defects together.
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

// mvtecClass is the folders of one class.
type mvtecClass struct {
	name, path string
	test       string
	truths     []string // the mask folders beside test, or beside its folder of pictures
}

// mvtecClasses returns the classes in root, or the one class whose folder root is,
// and the folders that look like a class but have no test folder.
func mvtecClasses(root string) (classes []mvtecClass, untested []string, err error) {
	folders, err := readFolders(root)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the dataset folder: %w", err)
	}
	own, ok, err := newMVTecClass(root, folders)
	if ok || err != nil {
		own.name = filepath.Base(root)
		return []mvtecClass{own}, nil, err
	}
	common := "" // one mask folder for all classes
	if found := maskFoldersIn(root, folders); found != nil {
		common = found[0]
	}
	for _, folder := range folders {
		path := filepath.Join(root, folder.Name())
		inside, err := readFolders(path)
		if err != nil {
			return nil, nil, fmt.Errorf("reading a possible class folder: %w", err)
		}
		class, ok, err := newMVTecClass(path, inside)
		if err != nil {
			return nil, nil, err
		}
		_, trained := subfolder(path, inside, "train")
		_, tested := subfolder(path, inside, "test")
		marked := len(maskFoldersIn(path, inside)) > 0
		switch {
		case ok:
			class.name = folder.Name()
			if masks := filepath.Join(common, class.name); class.truths == nil && common != "" && present.Folder(masks) {
				class.truths = []string{masks}
			}
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
		test, ok = subfolder(path, folders, "test_public")
	}
	if !ok {
		return mvtecClass{}, false, nil
	}
	// A folder test with images/ and masks/ contains masks, which are not pictures of a defect.
	images, _, err := polypFolders(test)
	if err != nil || images != "" {
		return mvtecClass{}, false, err
	}
	class := mvtecClass{path: path, test: test, truths: maskFoldersIn(path, folders)}
	return class, true, class.enterImages()
}

// enterImages moves to the folder of pictures if test has one beside a folder of
// masks: test/images/good, test/masks/bad.
func (c *mvtecClass) enterImages() error {
	folders, err := readFolders(c.test)
	if err != nil {
		return err
	}
	for _, folder := range folders {
		if !isImageFolder(folder.Name()) {
			continue
		}
		inner := filepath.Join(c.test, folder.Name())
		inside, err := readFolders(inner)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(inside, isNormalEntry) {
			c.truths = append(c.truths, maskFoldersIn(c.test, folders)...)
			c.test = inner
			return nil
		}
	}
	return nil
}

type mvtecLister struct{ lister }

func listMVTec(ctx context.Context, root, _ string) (Listing, error) {
	classes, untested, err := mvtecClasses(root)
	if err != nil {
		return Listing{}, err
	}
	l := &mvtecLister{newLister(root)}
	for _, path := range untested {
		l.addFinding(EmptyClass, filepath.Base(path), path, "the class has no folder test")
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
				l.addFinding(LinkedFolder, class.name, class.path, "")
				continue
			}
		}
		if _, err := l.claim(class.test); err != nil {
			return Listing{}, err
		}
		kept = append(kept, class)
	}
	kinds := make([]mvtecKinds, len(kept))
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

// mvtecKinds are the subfolders of a class's test folder, by their content.
type mvtecKinds struct {
	folders []pictureFolder
	truth   *truthFolders
}

// kinds lists the subfolders of a class's test folder, each real folder once. A
// folder with a name from maskFolders is a defect only if the masks have a folder
// of the same name.
func (l *mvtecLister) kinds(class mvtecClass) (mvtecKinds, error) {
	entries, err := readFolder(class.test)
	if err != nil {
		return mvtecKinds{}, fmt.Errorf("class %s: %w", class.name, err)
	}
	k := mvtecKinds{}
	if k.truth, err = readTruth(first(class.truths)); err != nil {
		return k, fmt.Errorf("class %s: %w", class.name, err)
	}
	truths := class.truths
	for _, entry := range entries {
		path := filepath.Join(class.test, entry.Name())
		switch {
		case isFolder(class.test, entry):
			again, err := l.claim(path)
			switch {
			case err != nil:
				return k, err
			case again:
				l.addFinding(LinkedFolder, class.name, path, "")
			case isMaskFolder(entry.Name()) && k.truth.named(entry.Name()) == "":
				truths = append(truths, path)
			default:
				k.folders = append(k.folders, pictureFolder{path, isNormalFolder(entry.Name())})
			}
		case isPicture(entry.Name()):
			l.addFinding(Unlabelled, class.name, path, "move it into test/good or test/<defect>")
		default:
			l.other(path)
		}
	}
	if class.truths == nil {
		if k.truth, err = readTruth(first(truths)); err != nil {
			return k, fmt.Errorf("class %s: %w", class.name, err)
		}
	}
	for _, path := range truths[min(1, len(truths)):] {
		l.addFinding(OrphanMask, class.name, path, "the whole folder is ignored: the masks of "+relative(l.root, truths[0])+" are used")
	}
	return k, nil
}

// first returns the first path, or "" if there is none.
func first(paths []string) string {
	if len(paths) == 0 {
		return ""
	}
	return paths[0]
}

// class lists the rows of one class.
func (l *mvtecLister) class(ctx context.Context, class mvtecClass, kinds mvtecKinds) error {
	before := len(l.out.Items)
	if err := l.classPictures(ctx, classFolders{class: class.name, folders: kinds.folders, truth: kinds.truth}); err != nil {
		return err
	}
	for _, name := range kinds.truth.unused() {
		l.addFinding(OrphanMask, class.name, filepath.Join(kinds.truth.path, name), "the whole folder is ignored: there is no folder test/"+name)
	}
	if len(l.out.Items) == before {
		l.addFinding(EmptyClass, class.name, class.path, "")
	}
	return nil
}
