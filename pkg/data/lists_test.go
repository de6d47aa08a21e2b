package data

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"acdclip/pkg/config"
	"acdclip/pkg/data/list"
)

// jsonLines writes rows "label class picture [mask]" as a list of ACD-CLIP's form.
func jsonLines(rows ...string) string {
	var b strings.Builder
	for _, row := range rows {
		f := strings.Fields(row)
		fmt.Fprintf(&b, `{"image_path": %q, "label": %s, "class_name": %q`, f[2], f[0], f[1])
		if len(f) > 3 {
			fmt.Fprintf(&b, `, "mask_path": %q`, f[3])
		}
		b.WriteString("}\n")
	}
	return b.String()
}

// metaFile writes rows "label class picture [mask]" as a meta.json.
func metaFile(rows ...string) string {
	var items []Item
	for _, row := range rows {
		f := append(strings.Fields(row), "")
		item := Item{Path: f[2], Class: f[1], Anomalous: f[0] == "1", Mask: f[3]}
		if item.Anomalous {
			item.Defect = "anomaly"
		}
		items = append(items, item)
	}
	return metaOf(items)
}

// metaOf writes rows as a meta.json, as Python's json.dump(indent=4) does.
func metaOf(items []Item) string {
	type row struct {
		Image   string `json:"img_path"`
		Mask    string `json:"mask_path"`
		Class   string `json:"cls_name"`
		Specie  string `json:"specie_name"`
		Anomaly int    `json:"anomaly"`
	}
	test := map[string][]row{}
	for _, item := range items {
		r := row{Image: item.Path, Mask: item.Mask, Class: item.Class, Specie: "good"}
		if item.Anomalous {
			r.Anomaly, r.Specie = 1, item.Defect
		}
		test[r.Class] = append(test[r.Class], r)
	}
	text, _ := json.MarshalIndent(map[string]any{"train": map[string][]row{}, "test": test}, "", "    ")
	return string(text)
}

// Each way in which the projects' lists name files that lie elsewhere.
func TestListedPaths(t *testing.T) {
	tests := []struct {
		name     string
		tree     []string
		list     string // "ROOT" stands for the tree's folder
		inside   string // the folder given
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
			if !errors.Is(err, test.err) || (err == nil) != (test.err == nil) {
				t.Fatalf("error %v, want %v", err, test.err)
			}
			if err != nil {
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

// A list written in any of the ways that were met is understood, and what is unusual is told.
func TestListsWrittenOddly(t *testing.T) {
	root := plant(t, "somewhere", "{0..9}.png")
	row := func(label, image string) string {
		return fmt.Sprintf(`{"class_name": "c", "label": %s, "image_path": %q, "extra": [1, {"a": null}]}`, label, image)
	}
	text := "\ufeff" + strings.Join([]string{
		row("0", "0.png"), "", row("0.0", "1.png"), row("false", "2.png"), row(`"0"`, "3.png"), row("1", "4.png"), row("1.0", "5.png"), row("true", "6.png"), row(`"1"`, "7.png"), "   ",
	}, "\r\n")
	d := discover(t, "mine", config.Root{Path: root, List: writeFile(t, root, "list", text)})
	checkRows(t, d, "c - 0.png", "c - 1.png", "c - 2.png", "c - 3.png", "c  4.png", "c  5.png", "c  6.png", "c  7.png")
	told := 0
	for _, f := range d.Findings {
		if f.Code == LabelFormat && f.Level == Info {
			told++
		}
	}
	if told < 4 { // a byte order mark, line ends, numbers with a point, the missing newline
		t.Errorf("told of %d oddities", told)
	}
}

// Which of several lists and trees is read: what is given before what lies
// there, <key>.jsonl before meta.json before meta_<Name>.json of the folder above before the folders.
func TestListOrder(t *testing.T) {
	lists := []struct{ name, text string }{
		{"given.jsonl", jsonLines("0 given b/test/good/0.png")},
		{"set/BTAD.jsonl", jsonLines("0 lines b/test/good/0.png")},
		{"set/meta.json", metaFile("0 meta b/test/good/0.png")},
		{"meta_btech.json", metaFile("0 above set/b/test/good/0.png")},
	}
	for i, want := range []string{"given", "lines", "meta", "above", "b"} {
		parent := plant(t, "parent", "set/b/test/good/0.png")
		root := config.Root{Path: filepath.Join(parent, "set")}
		for j, l := range lists[min(i, len(lists)):] {
			path := writeFile(t, parent, l.name, l.text)
			if i+j == 0 {
				root.List = path
			}
		}
		if got := discover(t, "btad", root).Items[0].Class; got != want {
			t.Errorf("read %s, want %s", got, want)
		}
	}
}

func TestListInFolder(t *testing.T) {
	tree := []string{"c/test/{good/{000..199},hole/{000..099}}.png", "c/ground_truth/hole/{000..099}.png"} // 400 paths
	var all []string
	for i := range 200 {
		all = append(all, fmt.Sprintf("0 c c/test/good/%03d.png", i))
	}
	for i := range 100 {
		all = append(all, fmt.Sprintf("1 c c/test/hole/%03d.png c/ground_truth/hole/%03d.png", i, i))
	}
	without := func(count int) string { // count of the paths are not there
		rows := strings.ReplaceAll(jsonLines(all...), "good/000", "good/x0")
		for i := 1; i < count; i++ {
			rows = strings.Replace(rows, fmt.Sprintf("ground_truth/hole/%03d", i), fmt.Sprintf("ground_truth/hole/x%d", i), 1)
		}
		return rows
	}
	tests := []struct {
		name, file, text string
		tree             []string
		layout           string // "list" for a list
		codes            string
		err              error
	}{
		{"a whole list", "mine.jsonl", jsonLines(all...), tree, "list", "", nil},
		{"the list's name in other case", "MINE.JSONL", jsonLines(all...), tree, "list", "", nil},
		{"4 of 400 paths missing: the list", "mine.jsonl", without(4), tree, "list", "missing_image missing_mask missing_mask missing_mask", nil},
		{"5 of 400 paths missing: the tree", "mine.jsonl", without(5), tree, "mvtec", "list_ignored", nil},
		{"nothing of the list is there: the tree", "mine.jsonl", jsonLines("0 d d/0.png"), tree, "mvtec", "list_ignored", nil},
		{"no test rows: the tree", "meta.json", `{"train": {}, "test": {}}`, tree, "mvtec", "list_ignored", nil},
		{"no list for all its name: the tree", "meta.json", `{"version": 3}`, tree, "mvtec", "", nil},
		{"half is missing, and no tree is there", "mine.jsonl", jsonLines("0 c a.png", "0 c b.png"), []string{"a.png"}, "list", "missing_image", nil},
		{"all is missing, and no tree is there", "mine.jsonl", jsonLines("0 c a.png"), []string{"b.png"}, "", "", ErrNoPictures},
		{"half is missing, and VisA's split is not there", "mine.jsonl", jsonLines("0 c c/Data/Images/Normal/0.JPG", "0 c c/Data/Images/Normal/9.JPG"), []string{"c/Data/Images/Normal/{0,1}.JPG"}, "list", "missing_image", nil},
		{"rows that cannot be used are told of", "mine.jsonl", "{\"image_path\": \"c/test/good/000.png\"}\n", tree, "", "", list.ErrBadRow},
		{"a list named otherwise is not looked at", "other.jsonl", jsonLines("0 d c/test/good/000.png"), tree, "mvtec", "", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			root := plant(t, "somewhere", test.tree...)
			path := writeFile(t, root, test.file, test.text)
			d, err := Discover(context.Background(), "mine", config.Root{Path: root}, nil)
			if !errors.Is(err, test.err) || (err == nil) != (test.err == nil) {
				t.Fatalf("error %v, want %v", err, test.err)
			}
			if err != nil {
				return
			}
			if test.layout == "list" {
				test.layout = "list " + path
			}
			var codes []string
			for _, f := range d.Findings {
				if f.Code != OneClassSet {
					codes = append(codes, string(f.Code))
				}
			}
			if got := strings.Join(codes, " "); got != test.codes || d.Layout != test.layout {
				t.Errorf("layout %q, findings %q; want %q, %q", d.Layout, got, test.layout, test.codes)
			}
			usable := !strings.Contains(test.codes, "missing")
			if err := d.Usable(); (err == nil) != usable {
				t.Errorf("usable: %v", err)
			}
			if rest := d.WithoutMissing(); len(rest.Items) != len(d.Items)-strings.Count(test.codes, "missing_image") {
				t.Errorf("%d of %d rows are left without the missing", len(rest.Items), len(d.Items))
			}
		})
	}
}

// A list may stand for its dataset's path, and may lie outside of a folder that only wraps the dataset's.
func TestListPlaces(t *testing.T) {
	lines := jsonLines("0 Brain test/good/img/0.png", "1 Brain test/Ungood/img/1.png test/Ungood/label/1.png")
	want := []string{"Brain  test/Ungood/img/1.png test/Ungood/label/1.png", "Brain - test/good/img/0.png"}
	tree := "test/{good/img/0,Ungood/{img,label}/1}.png"

	root := plant(t, "Brain_AD", tree)
	d := discover(t, "", config.Root{Path: writeFile(t, root, "list.jsonl", lines)})
	checkRows(t, d, want...)
	if d.Name != "Brain_AD" || keyOf(d) != "Brain" || d.Root != root {
		t.Errorf("dataset %q at %s, benchmark %q", d.Name, d.Root, keyOf(d))
	}

	d = discover(t, "mine", config.Root{Path: plant(t, "somewhere", "a/b/"+tree), List: writeFile(t, t.TempDir(), "Brain.jsonl", lines)})
	checkRows(t, d, want...)
	if keyOf(d) != "Brain" {
		t.Errorf("the list's name does not tell the benchmark: %q", keyOf(d))
	}

	root = plant(t, "somewhere", "a/b/{0,1}.png")
	writeFile(t, root, "mine.jsonl", jsonLines("0 c b/0.png", "0 c b/1.png"))
	checkRows(t, discover(t, "mine", config.Root{Path: root}), "c - b/0.png", "c - b/1.png")

	t.Chdir(plant(t, "somewhere", tree))
	d = discover(t, "mine", config.Root{Path: ".", List: writeFile(t, t.TempDir(), "list", strings.ReplaceAll(lines, "Ungood/img", "ungood/IMG"))})
	checkRows(t, d, want...)
}

// Each project's name for a class is the benchmark's class, and a set of one
// class has every row in it: the fork's Kvasir would else be empty.
func TestListedClassNames(t *testing.T) {
	tests := []struct{ key, classes, want string }{
		{"BTAD", "01 02 03", "01 02 03"},
		{"BTAD", "metal1 wood metal2", "01 02 03"},
		{"Colon_colonDB", "Colon_colonDB", "Colon_colonDB"},
		{"Colon_colonDB", "colon", "Colon_colonDB"},
		{"Colon_colonDB", "ColonDB", "Colon_colonDB"},
		{"Colon_clinicDB", "ClinicDB", "Colon_clinicDB"},
		{"Colon_Kvasir", "Kvasir", "Kvasir"},
		{"Colon_Kvasir", "Colon_Kvasir", "Kvasir"},
		{"Colon_Kvasir", "colon", "Kvasir"},
		{"Colon_cvc300", "CVC-300", "CVC-300"},
		{"Liver", "liver other", "Liver"},
		{"RSDD", "Crush Damage Dent Scratch", "Crush Damage Dent Scratch"},
		{"RSDD", "any_name", "any_name"},
		{"MVTec", "Bottle new", "bottle new"},
		{"mine", "01 other", "01 other"},
	}
	for _, test := range tests {
		var rows []string
		for i, class := range strings.Fields(test.classes) {
			rows = append(rows, fmt.Sprintf("1 %s %d.png %d_mask.png", class, i, i))
		}
		for _, text := range []string{jsonLines(rows...), metaFile(rows...)} {
			root := plant(t, "somewhere", "{0..3}{,_mask}.png")
			d := discover(t, test.key, config.Root{Path: root, List: writeFile(t, root, "list", text)})
			var names []string
			for _, class := range d.Classes {
				names = append(names, class.Name)
			}
			if got := strings.Join(names, " "); got != test.want || len(d.Items) != len(rows) {
				t.Errorf("%s %s: %d rows of classes %s, want %d of %s", test.key, test.classes, len(d.Items), got, len(rows), test.want)
			}
		}
	}
}

// JPEG masks of RSDDs have a fringe, whoever lists them; other lists' masks count from 1.
func TestListedMaskThreshold(t *testing.T) {
	for _, test := range []struct {
		key, mask string
		given     int
		want      uint8
	}{{"RSDD", "1.jpg", 0, 128}, {"RSDD", "1.png", 0, 1}, {"RSDD", "1.jpg", 50, 50}, {"Colon_Kvasir", "1.jpg", 0, 1}, {"mine", "1.jpg", 0, 1}} {
		root := plant(t, "somewhere", "t/1.jpg", "m/"+test.mask)
		d := discover(t, test.key, config.Root{Path: root, MaskThreshold: test.given, List: writeFile(t, root, "list", jsonLines("1 c t/1.jpg m/"+test.mask))})
		if d.MaskThreshold != test.want {
			t.Errorf("%+v: masks from %d", test, d.MaskThreshold)
		}
	}
}

// relativeItems are a dataset's rows with their paths as lists have them.
func relativeItems(d *Dataset) []Item {
	items := slices.Clone(d.Items)
	for i, item := range items {
		items[i].Path = d.Relative(item.Path)
		if item.Mask != "" {
			items[i].Mask = d.Relative(item.Mask)
		}
	}
	return items
}

// linesOf writes rows as acdclip's own list has them.
func linesOf(t testing.TB, items []Item) string {
	t.Helper()
	var rows []list.Row
	for _, item := range items {
		rows = append(rows, list.Row{Image: item.Path, Mask: item.Mask, Class: item.Class, Anomalous: item.Anomalous})
	}
	var b bytes.Buffer
	if err := list.WriteJSONLines(&b, rows); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
