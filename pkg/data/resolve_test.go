package data

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"acdclip/pkg/config"
	"acdclip/pkg/data/list"
)

// All ways in which the projects' lists name files that are at another path.
func TestListedPaths(t *testing.T) {
	tests := []struct {
		name     string
		tree     []string
		list     string // "ROOT" is replaced by the tree's folder
		inside   string // the folder given to Discover
		want     []string
		findings []string // "how path" for fallbacks
		err      error
	}{
		{
			name: "as listed",
			tree: []string{"c/{0,1}.png", "c/1_mask.png"},
			list: jsonLines("0 c c/0.png", "1 c c/1.png c/1_mask.png"),
			want: []string{"c - c/0.png", "c  c/1.png c/1_mask.png"},
		},
		{
			name:     "inside test: the fork's list where the set's own folder is given",
			tree:     []string{"test/{good/img/0,ungood/{img,label}/1}.png"},
			list:     jsonLines("0 Liver good/img/0.png", "1 Liver ungood/img/1.png ungood/label/1.png"),
			want:     []string{"Liver - test/good/img/0.png", "Liver  test/ungood/img/1.png test/ungood/label/1.png"},
			findings: []string{string(insideTest) + " test/good/img/0.png", string(insideTest) + " test/ungood/img/1.png", string(insideTest) + " test/ungood/label/1.png"},
		},
		{
			name:     "without test/: AA-CLIP's list where the folder test is given",
			tree:     []string{"test/{good/img/0,Ungood/{img,label}/1}.png"},
			list:     jsonLines("0 Brain test/good/img/0.png", "1.0 Brain test/Ungood/img/1.png test/Ungood/label/1.png"),
			inside:   "test",
			want:     []string{"Brain  Ungood/img/1.png Ungood/label/1.png", "Brain - good/img/0.png"},
			findings: []string{string(withoutTest) + " Ungood/img/1.png", string(withoutTest) + " Ungood/label/1.png", string(withoutTest) + " good/img/0.png"},
		},
		{
			name:     "letter case, segment by segment",
			tree:     []string{"Test/UNGOOD/Img/1.PNG", "c/0.png"},
			list:     jsonLines("0 c c/0.png", "1 c test/Ungood/img/1.png"),
			want:     []string{"c  Test/UNGOOD/Img/1.PNG", "c - c/0.png"},
			findings: []string{string(otherCase) + " Test/UNGOOD/Img/1.PNG", "no_mask_listed Test/UNGOOD/Img/1.PNG"},
		},
		{
			name:     "a folder in two spellings: each holds a part",
			tree:     []string{"A/0.png", "a/1.png", "a/2.PNG", "A/2.PNG"},
			list:     jsonLines("0 c a/0.png", "0 c A/1.png", "0 c a/2.png", "0 c A/2.png"),
			want:     []string{"c - A/0.png", "c - A/2.PNG", "c - a/1.png", "c - a/2.PNG"},
			findings: []string{string(otherCase) + " A/0.png", string(otherCase) + " A/2.PNG", string(otherCase) + " a/1.png", string(otherCase) + " a/2.PNG"},
		},
		{
			name:     "bmp in the list, png on the disk: BTAD from anomalib",
			tree:     []string{"01/test/{ok,ko}/0000.png", "01/ground_truth/ko/0000.png"},
			list:     jsonLines("0 01 01/test/ok/0000.bmp", "1 01 01/test/ko/0000.bmp 01/ground_truth/ko/0000.png"),
			want:     []string{"01  01/test/ko/0000.png 01/ground_truth/ko/0000.png", "01 - 01/test/ok/0000.png"},
			findings: []string{string(otherExtension) + " 01/test/ko/0000.png", string(otherExtension) + " 01/test/ok/0000.png"},
		},
		{
			name:     "the very stem before one that differs in case",
			tree:     []string{"{A,a}.png", "{b,B}.PNG"},
			list:     jsonLines("0 c a.bmp", "0 c b.png"),
			want:     []string{"c - a.png", "c - b.PNG"},
			findings: []string{string(otherCase) + " b.PNG", string(otherExtension) + " a.png"},
		},
		{
			name:     "all at once",
			tree:     []string{"test/Ungood/IMG/1.JPEG", "0.png"},
			list:     jsonLines("0 c 0.png", "1 c ungood/img/1.png"),
			want:     []string{"c - 0.png", "c  test/Ungood/IMG/1.JPEG"},
			findings: []string{string(otherExtension) + " test/Ungood/IMG/1.JPEG", "no_mask_listed test/Ungood/IMG/1.JPEG"},
		},
		{
			name: "back-slashes, points and double slashes",
			tree: []string{"c/d/{0..3}.png"},
			list: jsonLines("0 c ./c/d/0.png", "0 c c//d/1.png", "0 c c/x/../d/2.png") + `{"image_path": "c\\d\\3.png", "label": 0, "class_name": "c"}`,
			want: []string{"c - c/d/0.png", "c - c/d/1.png", "c - c/d/2.png", "c - c/d/3.png"},
		},
		{
			name: "JSON lines have no author's root",
			tree: []string{"images/0.png"},
			list: jsonLines("0 c home/author/images/0.png"),
			err:  ErrNoPictures,
		},
		{
			name:     "one picture is not there",
			tree:     []string{"{0,2}.png"},
			list:     jsonLines("0 c 0.png", "0 c 1.png", "1 c 2.png 3.png"),
			want:     []string{"c - 0.png", "c - 1.png", "c  2.png"},
			findings: []string{"missing_image 1.png", "missing_mask 2.png"},
		},
		{
			name:     "a folder is no picture",
			tree:     []string{"0.png", "1.png/x.png"},
			list:     jsonLines("0 c 0.png", "0 c 1.png"),
			want:     []string{"c - 0.png", "c - 1.png"},
			findings: []string{"missing_image 1.png"},
		},
		{
			name: "meta.json, relative to its folder",
			tree: []string{"c/{0,1}.png", "c/1_mask.png"},
			list: metaFile("0 c c/0.png", "1 c c/1.png c/1_mask.png"),
			want: []string{"c - c/0.png", "c anomaly c/1.png c/1_mask.png"},
		},
		{
			name:     "meta.json, relative to the folder above: Bayes-PFL",
			tree:     []string{"RSDD/Metal15/test/{good,anomaly}/a.bmp", "RSDD/Metal15/ground_truth/anomaly/a.png"},
			list:     metaFile("0 Metal15 RSDD/Metal15/test/good/a.bmp", "1 Metal15 RSDD/Metal15/test/anomaly/a.bmp RSDD/Metal15/ground_truth/anomaly/a.png"),
			inside:   "RSDD",
			want:     []string{"Metal15 anomaly Metal15/test/anomaly/a.bmp Metal15/ground_truth/anomaly/a.png", "Metal15 - Metal15/test/good/a.bmp"},
			findings: []string{string(besideFolder) + " Metal15/ground_truth/anomaly/a.png", string(besideFolder) + " Metal15/test/anomaly/a.bmp", string(besideFolder) + " Metal15/test/good/a.bmp"},
		},
		{
			name:     "meta.json, absolute",
			tree:     []string{"elsewhere/0.png", "here/1.png"},
			list:     metaFile("0 c ROOT/elsewhere/0.png", "0 c 1.png"),
			inside:   "here",
			want:     []string{"c - ../elsewhere/0.png", "c - 1.png"},
			findings: []string{string(absolutePath) + " ../elsewhere/0.png"},
		},
		{
			name:     "meta.json, the author's root dropped: AnomalyCLIP's polyps",
			tree:     []string{"{images,masks}/a.png"},
			list:     metaFile("1 colon /home/author/data/Kvasir/images/a.png /home/author/data/Kvasir/masks/a.png"),
			want:     []string{"colon anomaly images/a.png masks/a.png"},
			findings: []string{string(fewerSegments) + " images/a.png", string(fewerSegments) + " masks/a.png"},
		},
		{
			name: "meta.json, masks paired by sorted position: one too many shifts all that follow",
			tree: []string{"t/{1,2,3}.png", "m/{0,1,2,3}_mask.png"},
			list: metaFile("1 c t/1.png m/0_mask.png", "1 c t/2.png m/1_mask.png", "1 c t/3.png m/2_mask.png"),
			want: []string{"c anomaly t/1.png m/1_mask.png", "c anomaly t/2.png m/2_mask.png", "c anomaly t/3.png m/3_mask.png"},
			findings: []string{
				"pairing_disagrees t/1.png", "pairing_disagrees t/2.png", "pairing_disagrees t/3.png",
			},
		},
		{
			name:     "meta.json, masks of names of their own stay as listed",
			tree:     []string{"t/{1,2}.png", "m/{x,y}.png"},
			list:     metaFile("1 c t/1.png m/x.png", "1 c t/2.png m/y.png"),
			want:     []string{"c anomaly t/1.png m/x.png", "c anomaly t/2.png m/y.png"},
			findings: []string{"pairing_disagrees t/1.png", "pairing_disagrees t/2.png"},
		},
		{
			name:     "JSON lines say what they mean: their masks stay as listed",
			tree:     []string{"t/{1,2}.png", "m/{1,2}.png"},
			list:     jsonLines("1 c t/1.png m/2.png", "1 c t/2.png m/1.png"),
			want:     []string{"c  t/1.png m/2.png", "c  t/2.png m/1.png"},
			findings: []string{"pairing_disagrees t/1.png", "pairing_disagrees t/2.png"},
		},
		{
			name:     "an anomalous row without a mask, or with a folder for one",
			tree:     []string{"t/{0..4}.png", "m/4.png"},
			list:     metaFile("0 c t/0.png", "1 c t/1.png", "1 c t/2.png m", "1 c t/3.png /home/author/m/", "1 c t/4.png m/4.png"),
			want:     []string{"c - t/0.png", "c anomaly t/1.png", "c anomaly t/2.png", "c anomaly t/3.png", "c anomaly t/4.png m/4.png"},
			findings: []string{"no_mask_listed t/1.png", "no_mask_listed t/2.png", "no_mask_listed t/3.png"},
		},
		{
			name: "a normal row's mask is never looked for",
			tree: []string{"t/{0,1}.png", "m/1.png"},
			list: jsonLines("0 c t/0.png nowhere.png", "0 c t/1.png m/1.png"),
			want: []string{"c - t/0.png", "c - t/1.png"},
		},
		{
			name:     "the same picture twice once its path is tidied, one mask for two pictures, a picture as its own mask",
			tree:     []string{"t/{0,1,2,3}.png", "m/1.png"},
			list:     jsonLines("0 c t/0.png", "0 c ./t//0.png", "1 c t/1.png m/1.png", "1 c t/2.png t/../m/1.png", "1 c t/3.png t/3.png"),
			want:     []string{"c - t/0.png", "c - t/0.png", "c  t/1.png m/1.png", "c  t/2.png m/1.png", "c  t/3.png t/3.png"},
			findings: []string{"duplicate_path t/0.png", "duplicate_path t/2.png", "duplicate_path t/3.png", "pairing_disagrees t/2.png"},
		},
		{
			name: "dummy rows of train are skipped",
			tree: []string{"0.png"},
			list: `{"train": {"c": [{"img_path": "", "mask_path": "", "cls_name": "c", "specie_name": "", "anomaly": 0}]}, "test": {"c": [{"img_path": "0.png", "mask_path": "", "cls_name": "c", "specie_name": "good", "anomaly": 0}]}}`,
			want: []string{"c - 0.png"},
		},
		{
			name: "VisA's table, with the line ends of Windows, beside any folders",
			tree: []string{"candle/Data/Images/{Normal/{0000,0001}.JPG,Anomaly/000.JPG}", "candle/Data/Masks/Anomaly/000.png"},
			list: "object,split,label,image,mask\r\ncandle,train,normal,candle/Data/Images/Normal/0001.JPG,\r\ncandle,test,normal,candle/Data/Images/Normal/0000.JPG,\r\ncandle,test,anomaly,candle/Data/Images/Anomaly/000.JPG,candle/Data/Masks/Anomaly/000.png\r\n",
			want: []string{"candle  candle/Data/Images/Anomaly/000.JPG candle/Data/Masks/Anomaly/000.png", "candle - candle/Data/Images/Normal/0000.JPG"},
		},
		{name: "a list of another dataset", tree: []string{"c/0.png"}, list: jsonLines("0 d d/0.png"), err: ErrNoPictures},
		{name: "rows that cannot be used", tree: []string{"c/0.png"}, list: jsonLines("2 c c/0.png"), err: list.ErrBadRow},
		{name: "no test rows", tree: []string{"c/0.png"}, list: `{"train": {}, "test": {}}`, err: list.ErrNoRows},
		{name: "no list", tree: []string{"c/0.png"}, list: "hello", err: list.ErrNotList},
		{name: "an empty file", tree: []string{"c/0.png"}, list: "", err: list.ErrNotList},
		{name: "JSON of another kind", tree: []string{"c/0.png"}, list: `{"images": [], "annotations": []}`, err: list.ErrNotList},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			root := plant(t, "somewhere", test.tree...)
			path := writeFile(t, t.TempDir(), "list", strings.ReplaceAll(test.list, "ROOT", filepath.ToSlash(root)))
			d, err := Discover(context.Background(), "mine", config.Root{Path: filepath.Join(root, test.inside), List: path}, nil)
			if isRefused(t, err, test.err, "") {
				return
			}
			checkRows(t, d, test.want...)
			for i, f := range d.Findings {
				if f.Code == PathFallback {
					d.Findings[i].Code = Code(f.Detail)
				}
			}
			checkFindings(t, d, test.findings...)
		})
	}
}
