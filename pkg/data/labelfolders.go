package data

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// LabelFolders are the subfolders of a folder, by what their names say of the pictures in
// them. They are names, in natural order.
type LabelFolders struct {
	Normal    []string // good, ok or normal
	Anomalous []string // beside Normal any other name, as in a dataset; without Normal only names such as bad or nok
	Unused    []string // masks, and other splits such as train
	Loose     []string // the pictures in the folder itself, which have no label
}

// anomalousFolders are names that mean anomalous pictures even where no folder of normal ones
// lies beside.
var anomalousFolders = []string{
	"bad", "nok", "notok", "ng", "notgood", "defect", "defects", "defective", "anomaly", "anomalies", "anomalous", "abnormal", "fault", "faults", "faulty", "reject", "rejects", "rejected",
}

// ReadLabelFolders reads the names in a folder. It leaves out subfolders for which apart
// returns true, such as those with output pictures.
func ReadLabelFolders(folder string, apart func(path string) bool) (LabelFolders, error) {
	entries, err := readFolder(folder)
	if err != nil {
		return LabelFolders{}, fmt.Errorf("%s: %w", folder, reason(err))
	}
	var l LabelFolders
	for _, entry := range entries {
		name := entry.Name()
		switch {
		case !isFolder(folder, entry):
			if isPicture(name) {
				l.Loose = append(l.Loose, name)
			}
		case apart(filepath.Join(folder, name)):
		case isNormalFolder(name):
			l.Normal = append(l.Normal, name)
		case isMaskFolder(name) || slices.Contains(otherSplits, strings.ToLower(name)):
			l.Unused = append(l.Unused, name)
		default:
			l.Anomalous = append(l.Anomalous, name)
		}
	}
	if len(l.Normal) == 0 {
		l.Anomalous = slices.DeleteFunc(l.Anomalous, func(name string) bool { return !slices.Contains(anomalousFolders, plainKey(name)) })
	}
	return l, nil
}

// FirstLabels returns the first picture inside a folder that lies below a folder of normal
// pictures, and the first that does not; "" for none.
func FirstLabels(folder string, pictures []Found) (normal, other string) {
	for _, picture := range pictures {
		below, err := filepath.Rel(folder, picture.Path)
		if err != nil || !filepath.IsLocal(below) {
			continue
		}
		names := strings.Split(filepath.Dir(below), string(filepath.Separator))
		first := &other
		if slices.ContainsFunc(names, isNormalFolder) {
			first = &normal
		}
		*first = cmp.Or(*first, picture.Path)
	}
	return normal, other
}
