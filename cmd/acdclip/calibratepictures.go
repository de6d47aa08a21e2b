package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"acdclip/internal/rundir"
	"acdclip/pkg/config"
	"acdclip/pkg/data"
	"acdclip/pkg/detect"
	"acdclip/pkg/events"
	"acdclip/pkg/plural"
)

// labelled are pictures that are known to be good or bad.
type labelled struct {
	good, bad labelledPart
	set       *data.Dataset // that they are of; nil for people's own pictures
}

// labelledPart are the pictures of one kind.
type labelledPart struct {
	found []data.Found
	items []data.Item // their rows in the dataset; nil without one
}

// pictures finds the pictures to calibrate with, and refuses them where they cannot do.
func (o *calibrateOptions) pictures(ctx context.Context, c config.Config) (labelled, error) {
	find := o.ownPictures
	if o.target != "" {
		find = func(ctx context.Context) (labelled, error) { return o.datasetPictures(ctx, c) }
	}
	l, err := find(ctx)
	switch {
	case err != nil:
		return l, err
	case o.needsBad() && len(l.bad.found) == 0:
		return l, errNoBad
	}
	return l, distinct(l.good.found, l.bad.found)
}

var errNoBad = usagef("--recall and --f1 need bad pictures: give them with --bad, or a folder with subfolders such as good and bad")

// ownPictures finds the pictures of files and folders. A folder with a subfolder good, ok or
// normal has labels: its other subfolders have bad pictures.
func (o *calibrateOptions) ownPictures(ctx context.Context) (labelled, error) {
	var good, unlabelled []string
	bad := o.bad
	var said []labelledFolder
	for _, path := range o.good {
		folder, err := readLabelledFolder(path)
		if err != nil {
			return labelled{}, err
		}
		if folder == nil {
			good, unlabelled = append(good, path), append(unlabelled, path)
			continue
		}
		if o.classFrom != "" {
			return labelled{}, usagef("--class-from folder would take the folders of good and bad pictures in %s for classes; give --class", path)
		}
		folder.leaveOutEmpty(ctx)
		said = append(said, *folder)
		good, bad = append(good, folder.paths(folder.Normal)...), append(bad, folder.paths(folder.Anomalous)...)
	}
	var l labelled
	var err error
	if l.good.found, _, err = o.app.scanPictures(ctx, good, ""); err != nil {
		return l, err
	}
	for _, path := range unlabelled {
		if normal, other := data.FirstLabels(path, l.good.found); normal != "" && other != "" {
			return l, usagef("%s has folders of good pictures inside (%s), and other pictures (%s): it is not clear which are good; give the folder around good and bad ones, such as %s, or the dataset with --target",
				path, normal, other, aroundGood(normal))
		}
	}
	if bad != nil {
		if l.bad.found, _, err = o.app.scanPictures(ctx, bad, ""); err != nil {
			return l, err
		}
	}
	for _, path := range o.bad {
		if normal, _ := data.FirstLabels(path, l.bad.found); normal != "" {
			return l, usagef("--bad %s has a folder of good pictures inside (%s): give the folders of the bad ones, or the folder around both without --bad", path, filepath.Dir(normal))
		}
	}
	for _, folder := range said {
		folder.tell(o.app.emit, l)
	}
	return l, nil
}

// labelledFolder is a folder whose subfolders are labels.
type labelledFolder struct {
	path string
	data.LabelFolders
}

// readLabelledFolder looks for labels in a path; nil if it is no folder or has none.
func readLabelledFolder(path string) (*labelledFolder, error) {
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return nil, nil // what is wrong with it is found by the scan
	}
	labels, err := data.ReadLabelFolders(path, rundir.IsOutput)
	switch {
	case err != nil:
		return nil, err
	case len(labels.Normal) > 0:
		return &labelledFolder{path, labels}, nil
	case len(labels.Anomalous) > 0:
		return nil, usagef("%s has bad pictures (in %s), but no folder of good ones (good, ok or normal); put those into one, or give them by themselves and the bad ones with --bad",
			path, plural.And(labels.Anomalous))
	}
	return nil, nil
}

// leaveOutEmpty leaves out the folders without a picture, such as one of notes, which would
// be an error if they were given.
func (f *labelledFolder) leaveOutEmpty(ctx context.Context) {
	f.Anomalous = slices.DeleteFunc(f.Anomalous, func(name string) bool {
		_, err := data.Scan(ctx, f.paths([]string{name}), data.ScanOptions{})
		empty := errors.Is(err, data.ErrNoPictures)
		if empty {
			f.Unused = append(f.Unused, name+" (no picture that can be read)")
		}
		return empty
	})
}

func (f *labelledFolder) paths(names []string) []string {
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = filepath.Join(f.path, name)
	}
	return paths
}

// tell says what the subfolders were taken for.
func (f *labelledFolder) tell(emit func(events.Event), l labelled) {
	text := fmt.Sprintf("%s: %s in %s", f.path, plural.Of(f.count(l.good.found, f.Normal), "good picture", "good pictures"), plural.And(f.Normal))
	if len(f.Anomalous) > 0 {
		text += fmt.Sprintf(", %d bad in %s", f.count(l.bad.found, f.Anomalous), plural.And(f.Anomalous))
	}
	if len(f.Unused) > 0 {
		text += "; not used: " + plural.And(f.Unused)
	}
	emit(events.Notice{Text: text})
	if len(f.Loose) > 0 {
		emit(events.Warning{Text: fmt.Sprintf("%s: %s in the folder itself not used, because nothing says if they are good: %s", f.path, plural.Of(len(f.Loose), "picture", "pictures"), plural.Few(f.Loose))})
	}
}

// count counts the pictures in some of the subfolders.
func (f *labelledFolder) count(pictures []data.Found, names []string) int {
	count := 0
	for _, path := range f.paths(names) {
		for _, picture := range pictures {
			if strings.HasPrefix(filepath.Clean(picture.Path), path+string(filepath.Separator)) {
				count++
			}
		}
	}
	return count
}

// aroundGood is the folder around the folder of good pictures that a picture lies in.
func aroundGood(picture string) string { return filepath.Dir(filepath.Dir(picture)) }

// datasetPictures takes the test pictures of a dataset, and its domain and class where no flag
// gives them.
func (o *calibrateOptions) datasetPictures(ctx context.Context, c config.Config) (labelled, error) {
	name := o.datasets[0].name
	set, err := o.app.choose(ctx, c, name, o.selection)
	if err != nil {
		return labelled{}, err
	}
	l := labelled{set: set}
	for _, item := range set.Items {
		part := &l.good
		if item.Anomalous {
			part = &l.bad
		}
		part.items = append(part.items, item)
		part.found = append(part.found, data.Found{Path: item.Path, Rel: set.Relative(item.Path)})
	}
	classes := make([]string, len(set.Classes))
	for i, class := range set.Classes {
		classes[i] = class.Name
	}
	switch {
	case len(l.good.found) == 0:
		return l, usagef("%s has only bad pictures; a calibration needs good ones", name)
	case len(l.bad.found) == 0 && o.needsBad():
		return l, usagef("--recall and --f1 need bad pictures, but %s has only good ones", name)
	case len(classes) > 1 && !o.config.flags.Changed("class"):
		return l, usagef("%s has %d classes (%s), and scores of different things are not comparable: choose one with --classes, or give --class NAME for what all of them show", name, len(classes), plural.Few(classes))
	}
	if !o.config.flags.Changed("domain") {
		o.domain = set.Domain
	}
	o.classKnown = true
	o.app.emit(events.Notice{Text: fmt.Sprintf("%s: %s, %d bad, of %s", name, plural.Of(len(l.good.found), "good picture", "good pictures"), len(l.bad.found), plural.And(classes))})
	return l, nil
}

// nameClass takes the dataset's name of the class for the prompts, unless a flag gives one, and
// warns if the model has seen the pictures.
func (o *calibrateOptions) nameClass(ctx context.Context, detector *detect.Detector, set *data.Dataset) error {
	if set == nil {
		return nil
	}
	if !o.config.flags.Changed("class") {
		o.class = set.PromptOf(detector.Model.Options, set.Classes[0])
		if namesClass(detector.Model.Options) {
			o.app.emit(events.Notice{Text: fmt.Sprintf("the prompts call what the pictures show %q; --class NAME sets another name", o.class)})
		}
	}
	leak, err := detector.Model.Leak(ctx, set)
	if leak != "" {
		o.app.emit(events.Warning{Text: leak + ", so the thresholds may not fit pictures that it has not seen"})
	}
	return err
}

// distinct refuses a picture that is given as good and as bad, also by a link.
func distinct(good, bad []data.Found) error {
	known := map[string]bool{}
	for _, picture := range good {
		known[realPath(picture.Path)] = true
	}
	for _, picture := range bad {
		if known[realPath(picture.Path)] {
			return usagef("%s is among the good pictures and among the bad ones", picture.Path)
		}
	}
	return nil
}

// realPath is the absolute path without links; where there is none, the absolute path.
func realPath(path string) string {
	if real, err := withoutLinks(path); err == nil {
		return real
	}
	return absolutePath(path)
}
