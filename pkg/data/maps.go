package data

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// ErrUnpaired reports anomaly maps and masks that do not belong together.
var ErrUnpaired = errors.New("maps and masks do not pair")

// MapPair is the file of an anomaly map with the files of its mask.
type MapPair struct {
	Map   string
	Masks []string // the mask's files, whose union is the mask; none for a normal picture without a mask
	Label MapLabel
	Score *float32 // the image score; nil for the map's maximum
	Class string   // the folder of its class, where the maps lie in folders of classes (CLASS/KIND/...); "" where they do not
}

// MapLabel is the label of a map's picture, derived from the map's folder.
type MapLabel int

// The labels.
const (
	LabelUnknown   MapLabel = iota // the map is in no subfolder: the picture is anomalous if its mask marks a pixel
	LabelNormal                    // the map is below a folder good, ok or normal
	LabelAnomalous                 // the map is below any other folder
)

// mapExtensions are the file extensions of anomaly maps.
var mapExtensions = []string{".npy", ".tif", ".tiff", ".png"}

// PairMaps pairs the anomaly maps below one folder with the masks below another,
// sorted by the bytes of the maps' paths. A mask has its map's relative path and
// stem, optionally with _mask, _gt or _label, or is a folder of that name with
// several files; a map may keep its picture's extension (x.png.npy). A map below a
// folder good, ok or normal needs no mask. Other maps without a mask, and masks
// without a map, give an ErrUnpaired that names them. Maps that all lie two folders deep or
// more have the outer folder as their class.
func PairMaps(ctx context.Context, maps, masks string) ([]MapPair, error) {
	mapFiles, err := filesBelow(ctx, maps, func(name string) bool {
		return slices.Contains(mapExtensions, strings.ToLower(filepath.Ext(name)))
	})
	if err != nil {
		return nil, err
	}
	if len(mapFiles) == 0 {
		return nil, fmt.Errorf("%s: no anomaly maps (%s): %w", maps, strings.Join(mapExtensions, ", "), ErrNoPictures)
	}
	maskFiles, err := filesBelow(ctx, masks, isPicture)
	if err != nil {
		return nil, err
	}
	by := stemsBelow(maps, masks)
	by.picture = func(path string) string { return mapStem(relative(maps, path)) }
	found := pairMasks(mapFiles, maskFiles, by)
	var problems, without, orphans []string
	for _, problem := range found.problems {
		problems = append(problems, relative(maps, problem.path)+" "+problem.what)
	}
	pairs := make([]MapPair, len(mapFiles))
	for i, path := range mapFiles {
		pairs[i] = MapPair{path, Item{Mask: found.masks[i], MaskParts: found.parts[i]}.MaskFiles(), mapLabel(maps, path), nil, ""}
		if found.masks[i] == "" && pairs[i].Label != LabelNormal {
			without = append(without, relative(maps, path))
		}
	}
	for _, path := range found.orphans {
		orphans = append(orphans, relative(masks, path))
	}
	if len(without) > 0 {
		problems = append(problems, "maps without a mask: "+countNamed(without))
	}
	if len(orphans) > 0 {
		problems = append(problems, "masks without a map: "+countNamed(orphans))
	}
	if len(problems) > 0 {
		return nil, fmt.Errorf("%w: %s; a mask must have its map's path and name, optionally with _mask, _gt or _label; a map below a folder good, ok or normal needs no mask", ErrUnpaired, strings.Join(problems, "; "))
	}
	nameClasses(maps, pairs)
	return pairs, nil
}

// nameClasses sets the classes of maps that all lie at least two folders deep, where the
// outer folder is the class and the inner one the kind of picture (CLASS/good, CLASS/crack).
// One folder around all of them is no class, such as test/ in a class of MVTec.
func nameClasses(maps string, pairs []MapPair) {
	classes, distinct := make([]string, len(pairs)), map[string]bool{}
	for i, pair := range pairs {
		folders := strings.Split(relative(maps, pair.Map), "/")
		const leastParts = 3 // class, kind, file
		if len(folders) < leastParts || isNormalFolder(folders[0]) {
			return
		}
		classes[i] = folders[0]
		distinct[folders[0]] = true
	}
	if len(distinct) < 2 {
		return
	}
	for i, class := range classes {
		pairs[i].Class = class
	}
}

// mapStem returns a map's stem, without its picture's extension if the map kept it.
func mapStem(path string) string {
	path = stem(path)
	if isPicture(path) {
		return stem(path)
	}
	return path
}

// mapLabel derives the label of a map from its folders, including the name of the folder of all maps.
func mapLabel(maps, path string) MapLabel {
	names := strings.Split(relative(maps, path), "/")
	folders := names[:len(names)-1]
	root, err := filepath.Abs(maps)
	switch {
	case slices.ContainsFunc(folders, isNormalFolder), err == nil && isNormalFolder(filepath.Base(root)):
		return LabelNormal
	case len(folders) > 0:
		return LabelAnomalous
	}
	return LabelUnknown
}

// filesBelow returns the wanted files below a folder, sorted by the bytes of their paths.
func filesBelow(ctx context.Context, folder string, wanted func(name string) bool) ([]string, error) {
	var files []string
	w := walker{
		seen:    folderSet{},
		wanted:  wanted,
		picture: func(path, _ string) { files = append(files, path) },
		failed:  func(path string, err error) error { return fmt.Errorf("%s: %w", path, reason(err)) },
	}
	if err := w.walk(ctx, filepath.Clean(folder)); err != nil {
		return nil, err
	}
	slices.Sort(files)
	return files, nil
}
