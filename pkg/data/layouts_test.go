package data

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"acdclip/pkg/config"
)

// Folders of good and bad pictures, recognised by default names or named in the configuration.
func TestPlainFolders(t *testing.T) {
	tests := []struct {
		name     string
		tree     []string
		given    config.Root
		want     []string
		findings []string
		err      error
		message  string
	}{
		{
			name: "good and bad, masks beside them",
			tree: []string{"{good/0,bad/1,bad/2,masks/1,masks/2_mask}.png"},
			want: []string{"mine bad bad/1.png masks/1.png", "mine bad bad/2.png masks/2_mask.png", "mine - good/0.png"},
		},
		{
			name: "masks in a folder a defect",
			tree: []string{"{good/0,crack/0,hole/0,masks/crack/0,masks/hole/0_gt}.png"},
			want: []string{"mine crack crack/0.png masks/crack/0.png", "mine - good/0.png", "mine hole hole/0.png masks/hole/0_gt.png"},
		},
		{
			name: "masks of one defect in a folder, the others' flat",
			tree: []string{"{good/0,crack/0,hole/1,dent/2,masks/crack/0,masks/1,masks/2}.png"},
			want: []string{"mine crack crack/0.png masks/crack/0.png", "mine dent dent/2.png masks/2.png", "mine - good/0.png", "mine hole hole/1.png masks/1.png"},
		},
		{
			name: "no masks",
			tree: []string{"OK/{0..1}.jpg", "NOK/0.jpg"},
			want: []string{"mine NOK NOK/0.jpg", "mine - OK/0.jpg", "mine - OK/1.jpg"},
		},
		{
			name: "sub-folders",
			tree: []string{"{good/a/0,bad/a/0,bad/b/1,ground_truth/bad/a/0,ground_truth/bad/b/1}.png"},
			want: []string{"mine bad bad/a/0.png ground_truth/bad/a/0.png", "mine bad bad/b/1.png ground_truth/bad/b/1.png", "mine - good/a/0.png"},
		},
		{
			name: "masks of normal pictures are nobody's",
			tree: []string{"{good/0,bad/0,masks/good/0,masks/0}.png"},
			want: []string{"mine bad bad/0.png masks/0.png", "mine - good/0.png"},
		},
		{
			name: "masks of normal pictures beside a defect's own folder of masks",
			tree: []string{"{good/0,bad/0,masks/good/0,masks/bad/0}.png"},
			want: []string{"mine bad bad/0.png masks/bad/0.png", "mine - good/0.png"},
		},
		{
			name: "two names of normal are both normal",
			tree: []string{"{good/0,ok/1,Normal/2,bad/3}.png"},
			want: []string{"mine - Normal/2.png", "mine bad bad/3.png", "mine - good/0.png", "mine - ok/1.png"},
		},
		{
			name: "images, not sorted, beside good ones: no polyp set",
			tree: []string{"{good/0,images/1,masks/1}.png"},
			want: []string{"mine - good/0.png", "mine images images/1.png masks/1.png"},
		},
		{
			name:     "two folders of masks: one is taken, and the other told of",
			tree:     []string{"{good/0,bad/1,gt/1,masks/1}.png"},
			want:     []string{"mine bad bad/1.png gt/1.png", "mine - good/0.png"},
			findings: []string{"orphan_mask masks"},
		},
		{
			name:     "pictures beside the folders are told of",
			tree:     []string{"{good/0,bad/1,2}.png"},
			want:     []string{"mine bad bad/1.png", "mine - good/0.png"},
			findings: []string{"unlabelled 2.png"},
		},
		{
			name: "other splits are not read",
			tree: []string{"{good/0,bad/1,train/2,Valid/3,val/4}.png"},
			want: []string{"mine bad bad/1.png", "mine - good/0.png"},
		},
		{
			name: "only normal ones",
			tree: []string{"good/{0..1}.png"},
			want: []string{"mine - good/0.png", "mine - good/1.png"},
		},
		{
			name:     "some masks are missing, one is nobody's",
			tree:     []string{"{good/0,bad/1,bad/2,masks/1,masks/3}.png"},
			want:     []string{"mine bad bad/1.png masks/1.png", "mine bad bad/2.png", "mine - good/0.png"},
			findings: []string{"missing_mask bad/2.png", "orphan_mask masks/3.png"},
		},
		{
			name:     "two defects share flat masks and a stem",
			tree:     []string{"{good/0,a/1,b/1,masks/1}.png"},
			want:     []string{"mine a a/1.png masks/1.png", "mine b b/1.png", "mine - good/0.png"},
			findings: []string{"duplicate_path b/1.png", "missing_mask b/1.png"},
		},
		{
			name:  "named folders",
			tree:  []string{"{gut/0,schlecht/1,Masken/1,docs/2}.png"},
			given: config.Root{Normal: "gut", Anomalous: "schlecht", Masks: "Masken"},
			want:  []string{"mine - gut/0.png", "mine schlecht schlecht/1.png Masken/1.png"},
		},
		{
			name:  "the named folder of normal pictures alone: the rest is found by its names",
			tree:  []string{"{gut/0,crack/1,masks/1}.png"},
			given: config.Root{Normal: "gut"},
			want:  []string{"mine crack crack/1.png masks/1.png", "mine - gut/0.png"},
		},
		{
			name:  "the named folder of masks alone",
			tree:  []string{"{good/0,bad/1,truth/1}.png"},
			given: config.Root{Masks: "truth"},
			want:  []string{"mine bad bad/1.png truth/1.png", "mine - good/0.png"},
		},
		{
			name:  "only anomalous ones, named",
			tree:  []string{"{nok/1,other/2}.png"},
			given: config.Root{Anomalous: "nok"},
			want:  []string{"mine nok nok/1.png"},
		},
		{
			name:  "named folders inside others, and where another layout would match",
			tree:  []string{"test/{good,ko}/0.png", "a/{0..1}.png"},
			given: config.Root{Normal: "a", Anomalous: "test/ko"},
			want:  []string{"mine - a/0.png", "mine - a/1.png", "mine ko test/ko/0.png"},
		},
		{
			name:  "anomalous ones around the normal folder",
			tree:  []string{"{0,1,ok/2}.png"},
			given: config.Root{Normal: "ok", Anomalous: "."},
			want:  []string{"mine somewhere 0.png", "mine somewhere 1.png", "mine - ok/2.png"},
		},
		{name: "a named folder is not there", tree: []string{"good/0.png"}, given: config.Root{Normal: "good", Anomalous: "nok"}, err: ErrNoLayout, message: `"nok"`},
		{name: "a named folder is a picture", tree: []string{"good/0.png", "nok.png"}, given: config.Root{Anomalous: "nok.png"}, err: ErrNoLayout, message: `"nok.png"`},
		{name: "masks named, and no normal folder", tree: []string{"a/0.png", "b/0.png"}, given: config.Root{Masks: "b"}, err: ErrNoLayout, message: "normal"},
		{name: "a flat folder of pictures", tree: []string{"{0..3}.png"}, err: ErrNoLayout, message: "good/ and bad/"},
		{name: "folders of no known names", tree: []string{"a/0.png", "b/0.png"}, err: ErrNoLayout, message: "acdclip help datasets"},
		{name: "an empty folder", tree: nil, err: ErrNoLayout},
		{name: "good and bad, both empty", tree: []string{"good/", "bad/"}, err: ErrNoPictures},
		{name: "a link to nowhere", tree: []string{"good -> nowhere"}, err: ErrNoLayout},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.given.Path = plant(t, "somewhere", test.tree...)
			d, err := Discover(context.Background(), "mine", test.given, nil)
			if isRefused(t, err, test.err, test.message) {
				return
			}
			checkRows(t, d, test.want...)
			checkFindings(t, d, test.findings...)
			if want := namesFolders(test.given); (d.Layout == "named folders") != want || keyOf(d) != "" {
				t.Errorf("layout %q, benchmark %q", d.Layout, keyOf(d))
			}
		})
	}
}

// A path that is not a dataset gives an error that names the problem.
func TestDiscoverRefuses(t *testing.T) {
	root := plant(t, "somewhere", "0.png", "loop -> loop", "good/0.png")
	for _, test := range []struct {
		path, message string
		err           error
	}{
		{"0.png", "not a list", nil},
		{"nowhere", "nowhere", fs.ErrNotExist},
		{"loop", "loop", nil},
	} {
		_, err := Discover(context.Background(), "mine", config.Root{Path: filepath.Join(root, test.path)}, nil)
		if err == nil || !errors.Is(err, cmp.Or(test.err, err)) || !strings.Contains(err.Error(), test.message) || !strings.Contains(err.Error(), "dataset mine") {
			t.Errorf("%s: error %v, want one that says %q", test.path, err, test.message)
		}
	}
	if _, err := Discover(context.Background(), "mine", config.Root{Path: root, List: filepath.Join(root, "nowhere")}, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no list: error %v", err)
	}
	forbid(t, root)
	if _, err := Discover(context.Background(), "mine", config.Root{Path: root}, nil); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "somewhere") {
		t.Errorf("a folder that cannot be read: error %v", err)
	}
}
