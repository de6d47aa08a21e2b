package data

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"acdclip/pkg/config"
)

// Mask folders at all positions that datasets use: they are read as masks, or ignored with a finding.
func TestMaskFolders(t *testing.T) {
	tests := []struct {
		name     string
		tree     []string
		want     []string
		findings []string
	}{
		// MVTec's layout.
		{
			name: "masks in the folder test",
			tree: []string{"part/test/{good,bad,masks}/{0..1}.png"},
			want: []string{"part bad part/test/bad/0.png part/test/masks/0.png", "part bad part/test/bad/1.png part/test/masks/1.png", "part - part/test/good/0.png", "part - part/test/good/1.png"},
		},
		{
			name: "masks in the folder test, a folder a defect",
			tree: []string{"part/test/{good,bad,mask/bad,mask/good}/0.png"},
			want: []string{"part bad part/test/bad/0.png part/test/mask/bad/0.png", "part - part/test/good/0.png"},
		},
		{
			name: "DAGM's Label, with _label in the names",
			tree: []string{"Class1/Test/{good,defect}/{0576,0577}.PNG", "Class1/Test/Label/{0576,0577}_label.PNG"},
			want: []string{
				"Class1 defect Class1/Test/defect/0576.PNG Class1/Test/Label/0576_label.PNG", "Class1 defect Class1/Test/defect/0577.PNG Class1/Test/Label/0577_label.PNG",
				"Class1 - Class1/Test/good/0576.PNG", "Class1 - Class1/Test/good/0577.PNG",
			},
		},
		{
			name: "MVTec AD 2",
			tree: []string{"can/{train/good,validation/good,test_private/x,test_private_mixed/x,test_public/good,test_public/bad}/0_regular.png", "can/test_public/ground_truth/bad/0_regular_mask.png"},
			want: []string{"can bad can/test_public/bad/0_regular.png can/test_public/ground_truth/bad/0_regular_mask.png", "can - can/test_public/good/0_regular.png"},
		},
		{
			name: "masks in a defect's folder",
			tree: []string{"part/test/{good/0,bad/0,bad/masks/0,cut/0,cut/GT/0_gt}.png"},
			want: []string{"part bad part/test/bad/0.png part/test/bad/masks/0.png", "part cut part/test/cut/0.png part/test/cut/GT/0_gt.png", "part - part/test/good/0.png"},
		},
		{
			name:     "images and masks in each folder",
			tree:     []string{"part/test/{good,bad}/{img,label}/0.png"},
			want:     []string{"part bad part/test/bad/img/0.png part/test/bad/label/0.png", "part - part/test/good/img/0.png"},
			findings: []string{"orphan_mask part/test/good/label"},
		},
		{
			name: "pictures and masks one folder deeper than MVTec has them",
			tree: []string{"part/test/{images/good,images/bad,masks/bad}/0.png"},
			want: []string{"part bad part/test/images/bad/0.png part/test/masks/bad/0.png", "part - part/test/images/good/0.png"},
		},
		{
			name: "other names for ground_truth",
			tree: []string{"a/{test/good,test/bad,masks/bad}/0.png", "b/{test/good,test/bad,Ground Truth/bad}/0.png", "c/{test/good,test/bad,annotations}/0.png"},
			want: []string{
				"a bad a/test/bad/0.png a/masks/bad/0.png", "a - a/test/good/0.png", "b bad b/test/bad/0.png b/Ground Truth/bad/0.png", "b - b/test/good/0.png",
				"c bad c/test/bad/0.png c/annotations/0.png", "c - c/test/good/0.png",
			},
		},
		{
			name: "one folder of masks for all classes",
			tree: []string{"{a,b}/test/{good,bad}/0.png", "ground_truth/{a,b}/bad/0_mask.png"},
			want: []string{
				"a bad a/test/bad/0.png ground_truth/a/bad/0_mask.png", "a - a/test/good/0.png", "b bad b/test/bad/0.png ground_truth/b/bad/0_mask.png", "b - b/test/good/0.png",
			},
		},
		{
			name:     "two folders of masks: one is taken, and the other told of",
			tree:     []string{"part/{test/good,test/bad,test/masks,ground_truth/bad}/0.png"},
			want:     []string{"part bad part/test/bad/0.png part/ground_truth/bad/0.png", "part - part/test/good/0.png"},
			findings: []string{"orphan_mask part/test/masks"},
		},
		{
			name: "a defect called label is one where masks lie in a folder of its name",
			tree: []string{"part/{test/good,test/label,ground_truth/label}/0.png"},
			want: []string{"part - part/test/good/0.png", "part label part/test/label/0.png part/ground_truth/label/0.png"},
		},
		{
			name: "flat masks, empty ones of normal pictures among them",
			tree: []string{"part/{test/good/0,test/bad/1,ground_truth/0,ground_truth/1}.png"},
			want: []string{"part bad part/test/bad/1.png part/ground_truth/1.png", "part - part/test/good/0.png"},
		},
		{
			name:     "flat masks do not pair where stems repeat",
			tree:     []string{"part/{test/a/0,test/b/0,ground_truth/0}.png"},
			want:     []string{"part a part/test/a/0.png part/ground_truth/0.png", "part b part/test/b/0.png"},
			findings: []string{"duplicate_path part/test/b/0.png", "missing_mask part/test/b/0.png"},
		},
		{
			name: "MVTec LOCO: a folder of masks a picture",
			tree: []string{"bag/{test/good/000,test/logical_anomalies/{000..001},ground_truth/logical_anomalies/000/{000..002},ground_truth/logical_anomalies/001/000}.png"},
			want: []string{
				"bag - bag/test/good/000.png", "bag logical_anomalies bag/test/logical_anomalies/000.png bag/ground_truth/logical_anomalies/000[000.png 001.png 002.png]",
				"bag logical_anomalies bag/test/logical_anomalies/001.png bag/ground_truth/logical_anomalies/001[000.png]",
			},
		},
		{
			name: "a folder of masks a picture, and no folder a defect",
			tree: []string{"bag/{test/good/7,test/bad/{5..6},ground_truth/5/{0..1},ground_truth/6/5}.png"},
			want: []string{"bag bad bag/test/bad/5.png bag/ground_truth/5[0.png 1.png]", "bag bad bag/test/bad/6.png bag/ground_truth/6[5.png]", "bag - bag/test/good/7.png"},
		},
		{
			name:     "a mask and a folder of masks",
			tree:     []string{"bag/{test/good/1,test/bad/0,ground_truth/bad/0,ground_truth/bad/0/0}.png"},
			want:     []string{"bag bad bag/test/bad/0.png bag/ground_truth/bad/0[0.png]", "bag - bag/test/good/1.png"},
			findings: []string{"ambiguous_mask bag/test/bad/0.png"},
		},
		{
			name:     "pictures in formats that are not read",
			tree:     []string{"a/test/{good/0.png,good/1.HEIC,bad/0.jfif,bad/1.avif,bad/2.JPE,2.jp2}", "a/ground_truth/bad/{0,2}.png"},
			want:     []string{"a bad a/test/bad/0.jfif a/ground_truth/bad/0.png", "a bad a/test/bad/2.JPE a/ground_truth/bad/2.png", "a - a/test/good/0.png"},
			findings: []string{"unread_picture a/test/2.jp2", "unread_picture a/test/bad/1.avif", "unread_picture a/test/good/1.HEIC"},
		},

		{
			name:     "normal pictures inside a folder of anomalous ones are none of these",
			tree:     []string{"test/bottle/{good,broken}/0.png", "ground_truth/bottle/broken/0_mask.png"},
			want:     []string{"somewhere bottle test/bottle/broken/0.png ground_truth/bottle/broken/0_mask.png"},
			findings: []string{"unlabelled test/bottle/good"},
		},

		// Good and bad pictures.
		{
			name:     "plain: masks in the folders of pictures",
			tree:     []string{"{good/0,good/mask/0,bad/1,bad/masks/1}.png"},
			want:     []string{"mine bad bad/1.png bad/masks/1.png", "mine - good/0.png"},
			findings: []string{"orphan_mask good/mask"},
		},
		{
			name: "plain: a folder of masks a picture, whose names are pictures' too",
			tree: []string{"{good/2,bad/{0..1},masks/0/{0..1},masks/1/{0..1}}.png"},
			want: []string{"mine bad bad/0.png masks/0[0.png 1.png]", "mine bad bad/1.png masks/1[0.png 1.png]", "mine - good/2.png"},
		},
		{
			name: "plain: masks of normal pictures among the others",
			tree: []string{"{good/0,bad/1,label/0_label,label/1_label}.png"},
			want: []string{"mine bad bad/1.png label/1_label.png", "mine - good/0.png"},
		},
		{
			name: "one class, and its folder test",
			tree: []string{"test/{good,bad,Annotations}/0.png"},
			want: []string{"somewhere bad test/bad/0.png test/Annotations/0.png", "somewhere - test/good/0.png"},
		},

		// Polyps.
		{
			name:     "polyps: more masks among the pictures",
			tree:     []string{"images/{0.png,label/0.png}", "masks/0.png"},
			want:     []string{"mine  images/0.png masks/0.png"},
			findings: []string{"orphan_mask images/label"},
		},
		{
			name: "polyps: a folder of masks a picture",
			tree: []string{"images/0.png", "masks/0/{0..1}.png"},
			want: []string{"mine  images/0.png masks/0[0.png 1.png]"},
		},

		// BMAD.
		{
			name: "bmad: other names of the folder of masks",
			tree: []string{"test/{good,Ungood}/{img,mask}/{1,2}.png"},
			want: []string{"mine ungood test/Ungood/img/1.png test/Ungood/mask/1.png", "mine ungood test/Ungood/img/2.png test/Ungood/mask/2.png", "mine - test/good/img/1.png", "mine - test/good/img/2.png"},
		},
		{
			name: "bmad: masks beside good and ungood, and beside test",
			tree: []string{"test/{good/1,Ungood/2,masks/1,masks/2}.png", "x/readme.txt"},
			want: []string{"mine ungood test/Ungood/2.png test/masks/2.png", "mine - test/good/1.png"},
		},
		{
			name: "bmad: masks beside test",
			tree: []string{"a/test/{good/1,Ungood/2}.png", "a/labels/Ungood/2.png"},
			want: []string{"mine ungood a/test/Ungood/2.png a/labels/Ungood/2.png", "mine - a/test/good/1.png"},
		},

		// Rails.
		{
			name: "rails: masks among the pictures",
			tree: []string{"Type-I RSDDs dataset/{Rail surface images,Rail surface images/gt,GroundTruth}/rail_1.jpg"},
			want: []string{"Type-I  Type-I RSDDs dataset/Rail surface images/rail_1.jpg Type-I RSDDs dataset/GroundTruth/rail_1.jpg"},
			findings: []string{
				"orphan_mask Type-I RSDDs dataset/Rail surface images/gt",
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := discover(t, "mine", config.Root{Path: plant(t, "somewhere", test.tree...)})
			checkRows(t, d, test.want...)
			checkFindings(t, d, test.findings...)
		})
	}
}

// All names of mask folders, ignoring case, mean masks below test/ and inside a defect's folder.
func TestNamesOfMaskFolders(t *testing.T) {
	for _, name := range []string{"masks", "mask", "label", "labels", "gt", "ground_truth", "ground truth", "GroundTruth", "annotations", "Annotation", "MASKS", "Label", "GT", "Ground_Truth"} {
		for _, place := range []string{"part/test/" + name, "part/test/bad/" + name, "part/" + name, "part/" + name + "/bad"} {
			d := discover(t, "mine", config.Root{Path: plant(t, "somewhere", "part/test/{good,bad}/0.png", place+"/0.png")})
			checkRows(t, d, "part bad part/test/bad/0.png "+place+"/0.png", "part - part/test/good/0.png")
			checkFindings(t, d)
		}
	}
}

// DAGM has normal and anomalous pictures in one folder: their labels are not guessed.
func TestUnlabelledPicturesAreNoDataset(t *testing.T) {
	root := plant(t, "DAGM", "Class1/Test/{0576,0577}.PNG", "Class1/Test/Label/0576_label.PNG")
	_, err := Discover(context.Background(), "mine", config.Root{Path: root}, nil)
	if !errors.Is(err, ErrNoPictures) || !strings.Contains(err.Error(), "move it into test/good or test/<defect>") {
		t.Errorf("error %v", err)
	}
}

// Pictures in unsupported formats are reported even if there are no others.
func TestNothingButUnreadPictures(t *testing.T) {
	_, err := Discover(context.Background(), "mine", config.Root{Path: plant(t, "x", "{good,bad}/{0,1}.heic", "bad/2.jp2")}, nil)
	if !errors.Is(err, ErrNoPictures) || !strings.Contains(err.Error(), "4 HEIC pictures and 1 JPEG 2000 picture, which are not supported: convert them to PNG or JPEG") {
		t.Errorf("error %v", err)
	}
}

// TestIsMaskFolder: one mask word in a name of several words is enough.
func TestIsMaskFolder(t *testing.T) {
	for name, want := range map[string]bool{
		"masks": true, "Ground Truth": true, "ground_truth": true, "label": true, "binary_masks": true, "mask_images": true, "defect-masks": true, "true masks": true,
		"mask_gt": true, "label_masks": true, "truth": true, "annotation_masks": true,
		"good": false, "bad": false, "scratch": false, "faulty_label": false, "masked": false, "unmask": false, "images": false, "": false,
	} {
		if got := isMaskFolder(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}

// TestPipes: a pipe instead of a folder is an error and does not block.
func TestPipes(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	if _, err := Discover(t.Context(), "x", config.Root{Path: pipe}, nil); err == nil {
		t.Error("a pipe is a dataset")
	}
}

func TestUnreadFormat(t *testing.T) {
	for name, want := range map[string]string{
		"a.HEIC": "HEIC", "a.heif": "HEIF", "a.avif": "AVIF", "a.jp2": "JPEG 2000", "a.CR2": "camera raw", "a.dng": "camera raw", "a.nef": "camera raw",
		"a.png": "", "a.jfif": "", "a.jpe": "", "a.txt": "", "heic": "",
	} {
		if got := UnreadFormat(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		if want != "" && isPicture(name) {
			t.Errorf("%s is read", name)
		}
	}
	for _, name := range []string{"a.jfif", "a.JFIF", "a.jpe", "a.jpg", "a.JPEG"} {
		if !isPicture(name) || !IsJPEG(name) {
			t.Errorf("%s is not read as a JPEG file", name)
		}
	}
	if got, want := UnreadText([]string{"AVIF"}), "1 AVIF picture, which is not supported: convert it to PNG or JPEG"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// A list may name a folder of masks, as AnomalyCLIP's script for MVTec LOCO does.
func TestListedMaskFolders(t *testing.T) {
	root := plant(t, "loco", "bag/test/{good/0,bad/{0..2}}.png", "bag/ground_truth/bad/0/{0..1}.png", "bag/ground_truth/bad/1/0.png", "bag/ground_truth/bad/2/0.txt")
	writeFile(t, root, "mine.jsonl", jsonLines("0 bag bag/test/good/0.png", "1 bag bag/test/bad/0.png bag/ground_truth/bad/0", "1 bag bag/test/bad/1.png bag/ground_truth/bad/0", "1 bag bag/test/bad/2.png bag/ground_truth/bad/2"))
	d := discover(t, "mine", config.Root{Path: root})
	checkRows(t, d, "bag  bag/test/bad/0.png bag/ground_truth/bad/0[0.png 1.png]", "bag  bag/test/bad/1.png", "bag  bag/test/bad/2.png", "bag - bag/test/good/0.png")
	checkFindings(t, d, "no_mask_listed bag/test/bad/1.png", "no_mask_listed bag/test/bad/2.png")

	writeFile(t, root, "meta.json", metaFile("0 bag bag/test/good/0.png", "1 bag bag/test/bad/0.png bag/ground_truth/bad/1", "1 bag bag/test/bad/1.png bag/ground_truth/bad/0"))
	d = discover(t, "other", config.Root{Path: root})
	checkRows(t, d, "bag anomaly bag/test/bad/0.png bag/ground_truth/bad/0[0.png 1.png]", "bag anomaly bag/test/bad/1.png bag/ground_truth/bad/1[0.png]", "bag - bag/test/good/0.png")
	checkFindings(t, d, "pairing_disagrees bag/test/bad/0.png", "pairing_disagrees bag/test/bad/1.png")
}

// The list hash also depends on the parts of a mask.
func TestListHashOfParts(t *testing.T) {
	hash := func(parts string) string {
		return discover(t, "mine", config.Root{Path: plant(t, "loco", "bag/test/{good,bad}/0.png", "bag/ground_truth/bad/0/"+parts+".png")}).ListHash()
	}
	if one, two := hash("0"), hash("{0,1}"); one == two {
		t.Error("a mask of one file and one of two have the same hash")
	}
}
