package data

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"acdclip/pkg/config"
	"acdclip/pkg/data/list"
)

// jsonLines writes rows "label class picture [mask]" as a list in ACD-CLIP's format.
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

// metaOf writes rows as a meta.json, formatted like Python's json.dump(indent=4).
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

// Lists in all known unusual forms are read, and each oddity becomes a finding.
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

// The order of precedence: a given list, then <key>.jsonl, then meta.json, then
// meta_<Name>.json in the parent folder, then the folders.
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
	without := func(count int) string { // a list in which count paths do not exist
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
			if isRefused(t, err, test.err, "") {
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

// A list may be given as the dataset's path, and may be outside a folder that only contains the dataset's folder.
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

// Each project's class name maps to the benchmark's class. In a benchmark of one
// class, every row belongs to it; otherwise the fork's Kvasir would be empty.
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

// JPEG masks of RSDDs have a fringe in every list, so they need a threshold; the threshold of other lists is 1.
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

// relativeItems returns a dataset's rows with paths relative to its root, as in lists.
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

// linesOf writes rows in acdclip's own list format.
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
