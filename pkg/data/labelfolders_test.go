package data

import (
	"errors"
	"io/fs"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestReadLabelFolders(t *testing.T) {
	for name, c := range map[string]struct {
		files []string
		want  LabelFolders
	}{
		"good and bad":       {[]string{"good/1.png", "bad/1.png"}, LabelFolders{Normal: []string{"good"}, Anomalous: []string{"bad"}}},
		"kinds of defects":   {[]string{"OK/1.png", "crack 10/1.png", "crack 2/1.png", "normal/"}, LabelFolders{Normal: []string{"OK", "normal"}, Anomalous: []string{"crack 2", "crack 10"}}},
		"what is no label":   {[]string{"good/1.png", "nok/1.png", "ground_truth/nok/1.png", "Train/good/1.png", ".hidden/1.png", "notes.txt", "1.png", "2.JPG"}, LabelFolders{[]string{"good"}, []string{"nok"}, []string{"Train", "ground_truth"}, []string{"1.png", "2.JPG"}}},
		"output is left out": {[]string{"good/1.png", "out/1.png"}, LabelFolders{Normal: []string{"good"}}},
		"only bad ones":      {[]string{"NOK/1.png", "not-good/1.png", "line 2/1.png"}, LabelFolders{Anomalous: []string{"NOK", "not-good"}}},
		"a link":             {[]string{"good/1.png", "far/1.png", "bad -> far"}, LabelFolders{Normal: []string{"good"}, Anomalous: []string{"bad", "far"}}},
		"no labels":          {[]string{"line 1/1.png", "1.png"}, LabelFolders{Loose: []string{"1.png"}}},
	} {
		folder := writeTree(t, c.files...)
		got, err := ReadLabelFolders(folder, func(path string) bool { return filepath.Base(path) == "out" })
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, list := range []*[]string{&got.Normal, &got.Anomalous, &got.Unused, &got.Loose} {
			if len(*list) == 0 {
				*list = nil
			}
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
	if _, err := ReadLabelFolders(filepath.Join(t.TempDir(), "none"), func(string) bool { return false }); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
}

func TestFirstLabels(t *testing.T) {
	for name, c := range map[string]struct{ folder, paths, normal, other string }{
		"deep labels":       {"p", "p/line1/good/1.png p/line1/crack/1.png p/line1/crack/2.png", "p/line1/good/1.png", "p/line1/crack/1.png"},
		"deep and loose":    {"p/", "p/1.png p/a/ok/b/1.png", "p/a/ok/b/1.png", "p/1.png"},
		"only good":         {"p", "p/line1/good/1.png p/line2/Normal/1.png", "p/line1/good/1.png", ""},
		"no labels":         {"p", "p/1.png p/line1/1.png", "", "p/1.png"},
		"in another folder": {"p", "p/a/1.png q/good/1.png", "", "p/a/1.png"},
		"in its own name":   {"good", "good/1.png good/a/2.png", "", "good/1.png"},
		"the current one":   {".", "good.png a/good/1.png", "a/good/1.png", "good.png"},
		"outside":           {"p", "p/good/1.png ../1.png /1.png", "p/good/1.png", ""},
	} {
		var pictures []Found
		for _, path := range strings.Fields(c.paths) {
			pictures = append(pictures, Found{Path: path})
		}
		if normal, other := FirstLabels(c.folder, pictures); normal != c.normal || other != c.other {
			t.Errorf("%s: %q and %q, want %q and %q", name, normal, other, c.normal, c.other)
		}
	}
}
