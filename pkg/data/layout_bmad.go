package data

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// bmadLayout is the layout of BMAD's datasets in all releases and packs. Below the
// folder test, a picture's path contains good or ungood, and maybe a folder for
// pictures or masks before or after it, in any letter case:
//
//	<set>/.../test/{good,Ungood}/{img,label}/<name>.png
//	<set>/.../test/{img,label}/{good,Ungood}/<name>.png
//	<set>/.../test/{good/img,Ungood/{img,anomaly_mask}}/<name>.png
//	<set>/.../Test/test/{good,Ungood}/<name>.png with Test/test_label/Ungood/<name>.png
//
// A mask has its picture's name; its folder may have any name in maskFolders. The
// root may be the folder test itself.
func bmadLayout() Layout {
	return Layout{
		Name: "bmad",
		Matches: func(root string) (bool, error) {
			found, err := bmadTests(root)
			return len(found) > 0, err
		},
		List: listBMAD,
	}
}

// bmadImages are the names of the optional folder of pictures.
var bmadImages = []string{"img"}

// isBMADMasks reports whether a folder's name means masks.
func isBMADMasks(name string) bool {
	return isMaskFolder(name) || strings.EqualFold(name, "test_label")
}

// bmadTests returns the folders named test at root or up to two levels below it.
func bmadTests(root string) ([]string, error) {
	if strings.EqualFold(filepath.Base(root), "test") {
		ok, err := isBMADTest(root)
		if ok || err != nil {
			return []string{root}, err
		}
	}
	const deepest = 2 // folders between root and test
	var found []string
	var search func(folder string, depth int) error
	search = func(folder string, depth int) error {
		folders, err := readFolders(folder)
		if err != nil {
			return err
		}
		if test, ok := subfolder(folder, folders, "test"); ok {
			ok, err := isBMADTest(test)
			if _, truth := subfolder(folder, folders, "ground_truth"); ok && !truth {
				found = append(found, test)
			}
			return err // other folders beside a folder test belong to it
		}
		for _, entry := range folders {
			if depth < deepest {
				if err := search(filepath.Join(folder, entry.Name()), depth+1); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if err := search(root, 0); err != nil {
		return nil, fmt.Errorf("reading the dataset folder: %w", err)
	}
	return found, nil
}

// isBMADTest reports whether a folder test contains a folder ungood, directly or below a pictures, masks or inner test folder.
func isBMADTest(test string) (bool, error) {
	folders, err := readFolders(test)
	if err != nil {
		return false, err
	}
	if _, ok := subfolder(test, folders, "ungood"); ok {
		return true, nil
	}
	for _, name := range slices.Concat([]string{"test"}, bmadImages) {
		inner, ok := subfolder(test, folders, name)
		if !ok {
			continue
		}
		inside, err := readFolders(inner)
		if err != nil {
			return false, err
		}
		if _, ok := subfolder(inner, inside, "ungood"); ok {
			return true, nil
		}
	}
	return false, nil
}

func listBMAD(ctx context.Context, root, class string) (Listing, error) {
	tests, err := bmadTests(root)
	if err != nil {
		return Listing{}, err
	}
	if len(tests) > 1 {
		var names []string
		for _, test := range tests {
			names = append(names, relative(root, test))
		}
		return Listing{}, fmt.Errorf("%s contains %w: %s; give the folder of one of them", root, ErrSeveral, countNamed(names))
	}
	test := tests[0]
	l := newLister(root)
	files, err := l.pictures(ctx, test, l.seen)
	if err != nil {
		return Listing{}, err
	}
	beside, err := bmadMasksBeside(test)
	if err != nil {
		return Listing{}, err
	}
	for _, folder := range beside {
		masks, err := l.pictures(ctx, folder, l.seen)
		if err != nil {
			return Listing{}, err
		}
		files = append(files, masks...)
	}
	var normal, anomalous, masks []string
	for _, path := range files {
		switch role, state := bmadPlace(relative(filepath.Dir(test), path)); {
		case role == bmadOtherSplit, role == bmadMask && state == "good":
		case role == bmadPicture && state == "":
			l.addFinding(Unlabelled, class, path, "")
		case state == "good":
			normal = append(normal, path)
		case role == bmadMask:
			masks = append(masks, path)
		default:
			anomalous = append(anomalous, path)
		}
	}
	l.normal(class, normal)
	l.anomalous(class, "ungood", anomalous, masks, stemsAlone(filepath.Dir(test)), normal...)
	l.out.Hints = bmadHints(root, test, slices.Concat(normal, anomalous))
	return l.out, nil
}

// bmadMasksBeside returns the mask folders beside a folder test, such as test_label
// if the inner one of two nested test folders is the root.
func bmadMasksBeside(test string) ([]string, error) {
	parent := filepath.Dir(test)
	folders, err := readFolders(parent)
	if err != nil {
		return nil, fmt.Errorf("reading the dataset folder: %w", err)
	}
	var found []string
	for _, folder := range folders {
		if isBMADMasks(folder.Name()) {
			found = append(found, filepath.Join(parent, folder.Name()))
		}
	}
	return found, nil
}

// bmadHints returns names that distinguish BMAD's datasets: the folders from root to
// test, or those above a root named test, and Brain if the pictures have the names
// of its slices.
func bmadHints(root, test string, pictures []string) []string {
	top := root
	for strings.EqualFold(filepath.Base(top), "test") {
		top = filepath.Dir(top)
	}
	var hints []string
	for name := range strings.SplitSeq(relative(filepath.Dir(top), test), "/") {
		name = plainKey(name)
		for _, prefix := range []string{"liver", "retinaresc"} {
			if strings.HasPrefix(name, prefix) {
				name = prefix
			}
		}
		hints = append(hints, name)
	}
	if !slices.ContainsFunc(pictures, func(path string) bool { return !isBrainStem(stemAlone(path)) }) {
		hints = append(hints, "brain")
	}
	return hints
}

type bmadRole int

const (
	bmadPicture bmadRole = iota
	bmadMask
	bmadOtherSplit
)

// bmadPlace interprets the folders of a path from test on; state is "good", "ungood" or "".
func bmadPlace(path string) (role bmadRole, state string) {
	segments := strings.Split(strings.ToLower(path), "/")
	for _, segment := range segments[:len(segments)-1] {
		split, _, _ := strings.Cut(segment, "_") // val_label contains the masks of val
		switch {
		case slices.Contains(otherSplits, split):
			return bmadOtherSplit, ""
		case isBMADMasks(segment):
			role = bmadMask
		case segment == "good" || segment == "ungood":
			state = segment
		}
	}
	return role, state
}
