package data

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestPairMaps(t *testing.T) {
	tests := []struct {
		name    string
		tree    []string
		want    []string // "label map masks"
		err     error
		message string
	}{
		{
			name: "by name, folders included; suffixes, the picture's extension, normal ones",
			tree: []string{"maps/hole/a.npy", "maps/hole/b.png.npy", "maps/c.TIFF", "maps/good/a.npy", "maps/note.txt", "maps/.x.npy", "masks/hole/a_mask.png", "masks/hole/b.bmp", "masks/c_gt.png"},
			want: []string{"? maps/c.TIFF masks/c_gt.png", "- maps/good/a.npy ", "+ maps/hole/a.npy masks/hole/a_mask.png", "+ maps/hole/b.png.npy masks/hole/b.bmp"},
		},
		{name: "a normal picture's mask is taken where there is one", tree: []string{"maps/good/a.png", "masks/good/a.png"}, want: []string{"- maps/good/a.png masks/good/a.png"}},
		{
			name: "a folder of masks a picture, as in MVTec LOCO",
			tree: []string{"maps/logical/{0,1}.npy", "maps/ok/0.npy", "masks/logical/0/{000,001}.png", "masks/logical/1/000.png"},
			want: []string{"+ maps/logical/0.npy masks/logical/0/000.png masks/logical/0/001.png", "+ maps/logical/1.npy masks/logical/1/000.png", "- maps/ok/0.npy "},
		},
		{name: "a label in the mask's name", tree: []string{"maps/a.npy", "masks/a_Label.PNG"}, want: []string{"? maps/a.npy masks/a_Label.PNG"}},
		{name: "a mask and a folder of masks", tree: []string{"maps/x/a.npy", "masks/x/a.png", "masks/x/a/0.png"}, err: ErrUnpaired, message: "has two masks"},
		{name: "missing on both sides", tree: []string{"maps/a.npy", "maps/b.npy", "masks/b.png", "masks/c.png"}, err: ErrUnpaired, message: "maps without a mask: 1 (a.npy); masks without a map: 1 (c.png)"},
		{name: "two maps of one name", tree: []string{"maps/a.npy", "maps/a.tif", "masks/a.png"}, err: ErrUnpaired, message: "same stem as a.npy"},
		{name: "two masks", tree: []string{"maps/a.npy", "masks/a.png", "masks/a_mask.png"}, err: ErrUnpaired, message: "has two masks"},
		{name: "no maps", tree: []string{"maps/a.jpg", "masks/a.png"}, err: ErrNoPictures, message: ".npy, .tif"},
		{name: "no folder of masks", tree: []string{"maps/a.npy"}, err: fs.ErrNotExist, message: "masks"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			root := writeTree(t, expand(test.tree...)...)
			pairs, err := PairMaps(t.Context(), filepath.Join(root, "maps"), filepath.Join(root, "masks"))
			if isRefused(t, err, test.err, test.message) {
				return
			}
			var got []string
			for _, pair := range pairs {
				var masks []string
				for _, mask := range pair.Masks {
					masks = append(masks, relative(root, mask))
				}
				label := map[MapLabel]string{LabelUnknown: "?", LabelNormal: "-", LabelAnomalous: "+"}[pair.Label]
				got = append(got, label+" "+relative(root, pair.Map)+" "+strings.Join(masks, " "))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("pairs %q, want %q", got, test.want)
			}
		})
	}
}
