package data

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"acdclip/internal/golden"
	"acdclip/pkg/config"
	"acdclip/pkg/domain"
)

// rows formats a dataset's rows as "class defect path [mask]", with "-" as the
// defect of normal pictures. The parts of a mask that is a folder follow in
// brackets: "folder[0.png 1.png]".
func rows(d *Dataset) []string {
	var rows []string
	for _, item := range d.Items {
		row := item.Class + " "
		if item.Anomalous {
			row += item.Defect
		} else {
			row += "-"
		}
		row += " " + relative(d.Root, item.Path)
		if item.Mask != "" {
			row += " " + relative(d.Root, item.Mask)
		}
		for i, part := range item.MaskParts {
			row += map[bool]string{true: "[", false: " "}[i == 0] + relative(item.Mask, part)
		}
		if item.MaskParts != nil {
			row += "]"
		}
		rows = append(rows, row)
	}
	return rows
}

func TestDiscover(t *testing.T) {
	tests := []struct {
		name     string
		tree     []string
		inside   string // the folder given to Discover, below the tree's root
		want     []string
		findings []string // "code path", or "code detail" without a path; nil: not compared
		err      error
		message  string // part of the error
	}{
		{
			name: "MVTec's own shape",
			tree: []string{"bolt/train/good/000.png", "bolt/test/good/000.png", "bolt/test/good/010.png", "bolt/test/good/2.png", "bolt/test/crack/000.png", "bolt/ground_truth/crack/000_mask.png", "bolt/license.txt", "readme.txt"},
			want: []string{"bolt crack bolt/test/crack/000.png bolt/ground_truth/crack/000_mask.png", "bolt - bolt/test/good/000.png", "bolt - bolt/test/good/010.png", "bolt - bolt/test/good/2.png"},
		},
		{
			name:   "one class's own folder",
			tree:   []string{"bolt/test/good/0.png", "bolt/test/crack/0.png", "bolt/ground_truth/crack/0.png"},
			inside: "bolt",
			want:   []string{"bolt crack test/crack/0.png ground_truth/crack/0.png", "bolt - test/good/0.png"},
		},
		{
			name: "classes in natural order, names of digits, other names of good",
			tree: []string{"10/test/ok/0.bmp", "10/test/ko/0.bmp", "10/ground_truth/ko/0.png", "2/test/Normal/0.JPG", "2/test/bad/0.JPG", "2/ground_truth/bad/0_gt.TIFF"},
			want: []string{"2 - 2/test/Normal/0.JPG", "2 bad 2/test/bad/0.JPG 2/ground_truth/bad/0_gt.TIFF", "10 ko 10/test/ko/0.bmp 10/ground_truth/ko/0.png", "10 - 10/test/ok/0.bmp"},
		},
		{
			name: "wrapper folders are opened",
			tree: []string{"a/b/c/bolt/test/good/0.png", "a/b/c/bolt/test/hole/0.png", "a/readme.txt"},
			want: []string{"bolt - bolt/test/good/0.png", "bolt hole bolt/test/hole/0.png"},
		},
		{
			name: "what is not looked at",
			tree: []string{"c/test/good/0.png", "c/test/good/._0.png", "c/test/good/.hidden/1.png", "c/test/good/__MACOSX/0.png", "c/test/good/@eaDir/0.png", "c/test/good/Thumbs.db", "c/test/good/note.txt", "c/test/.x/0.png", "c/test/hole/0.png", "c/ground_truth/hole/._0.png", "__MACOSX/c/test/good/0.png", "lost+found/"},
			want: []string{"c - c/test/good/0.png", "c hole c/test/hole/0.png"},
		},
		{
			name: "no masks at all",
			tree: []string{"c/test/good/0.png", "c/test/hole/0.png", "c/ground_truth/hole/"},
			want: []string{"c - c/test/good/0.png", "c hole c/test/hole/0.png"},
		},
		{
			name: "a mask of a normal picture is never used",
			tree: []string{"c/test/good/0.png", "c/test/hole/0.png", "c/ground_truth/good/0_mask.png", "c/ground_truth/hole/0_mask.png"},
			want: []string{"c - c/test/good/0.png", "c hole c/test/hole/0.png c/ground_truth/hole/0_mask.png"},
		},
		{
			name: "masks pair by stem, not by position; blanks and sub-folders",
			tree: []string{"c/test/good/0.png", "c/test/big hole/2.png", "c/test/big hole/7 a.png", "c/test/big hole/cam/2.png", "c/ground_truth/big hole/7 a_mask.png", "c/ground_truth/big hole/2.bmp", "c/ground_truth/big hole/cam/2_gt.png"},
			want: []string{"c big hole c/test/big hole/2.png c/ground_truth/big hole/2.bmp", "c big hole c/test/big hole/7 a.png c/ground_truth/big hole/7 a_mask.png", "c big hole c/test/big hole/cam/2.png c/ground_truth/big hole/cam/2_gt.png", "c - c/test/good/0.png"},
		},
		{
			name: "folders in another case",
			tree: []string{"c/Test/Good/0.png", "c/Test/Hole/0.png", "c/Ground_Truth/hole/0.png"},
			want: []string{"c - c/Test/Good/0.png", "c Hole c/Test/Hole/0.png c/Ground_Truth/hole/0.png"},
		},
		{
			name:     "masks without a picture, a folder of masks without pictures, a picture without a label",
			tree:     []string{"c/test/good/0.png", "c/test/hole/0.png", "c/ground_truth/hole/0.png", "c/ground_truth/hole/1.png", "c/ground_truth/dent/1.png", "c/test/5.png"},
			want:     []string{"c - c/test/good/0.png", "c hole c/test/hole/0.png c/ground_truth/hole/0.png"},
			findings: []string{"unlabelled c/test/5.png", "orphan_mask c/ground_truth/hole/1.png", "orphan_mask c/ground_truth/dent"},
		},
		{
			name:     "a class with no pictures, classes of one label",
			tree:     []string{"a/test/good/0.png", "b/test/hole/0.png", "c/test/good/", "d/train/good/0.png"},
			want:     []string{"a - a/test/good/0.png", "b hole b/test/hole/0.png"},
			findings: []string{"empty_class c", "empty_class d", "one_class_set a has no anomalous picture, so no metrics", "one_class_set b has no normal picture, so no image metrics"},
		},
		{
			name:     "masks beside the pictures",
			tree:     []string{"c/test/good/0.png", "c/test/hole/0.png", "c/test/hole/0_mask.png"},
			want:     []string{"c - c/test/good/0.png", "c hole c/test/hole/0.png", "c hole c/test/hole/0_mask.png"},
			findings: []string{"mask_like_picture c/test/hole/0_mask.png"},
		},
		{
			name: "links to folders are followed, and loops end",
			tree: []string{"store/a/0.png", "store/a/up -> ../..", "store/m/0.png", "set/c/test/good -> ../../../store/a", "set/c/test/good2/self -> .", "set/c/test/good2/9.png", "set/c/test/good2/sib -> ../good", "set/c/ground_truth/good2/9.png", "set/c/ground_truth/good2/loop -> ../..",
				"set/c/test/good2/root -> ../../.."},
			inside: "set",
			want:   []string{"c - c/test/good/0.png", "c - c/test/good/up/store/m/0.png", "c good2 c/test/good2/9.png c/ground_truth/good2/9.png"},
		},
		{
			name:     "an alias of a folder or class is not counted twice",
			tree:     []string{"c/test/good/0.png", "c/test/hole/0.png", "c/test/zhole -> hole", "d -> c"},
			want:     []string{"c - c/test/good/0.png", "c hole c/test/hole/0.png"},
			findings: []string{"linked_folder d", "linked_folder c/test/zhole"},
		},
		{
			name:     "two defects may link to one folder of masks",
			tree:     []string{"c/test/good/0.png", "c/test/a/1.png", "c/test/b/2.png", "masks/1.png", "masks/2.png", "c/ground_truth/a -> ../../masks", "c/ground_truth/b -> ../../masks"},
			want:     []string{"c a c/test/a/1.png c/ground_truth/a/1.png", "c b c/test/b/2.png c/ground_truth/b/2.png", "c - c/test/good/0.png"},
			findings: []string{"orphan_mask c/ground_truth/a/2.png", "orphan_mask c/ground_truth/b/1.png"},
		},
		{name: "some masks are missing", tree: []string{"c/test/good/0.png", "c/test/hole/0.png", "c/test/hole/1.png", "c/ground_truth/hole/0.png"}, err: ErrFaulty, message: "anomalous pictures have no mask although others have one (expected name: <stem>, <stem>_mask, <stem>_gt or <stem>_label): c/test/hole/1.png"},
		{name: "two masks for one picture", tree: []string{"c/test/hole/0.png", "c/ground_truth/hole/0.png", "c/ground_truth/hole/0_mask.png"}, err: ErrFaulty, message: "c/test/hole/0.png: has two masks: 0.png and 0_mask.png"},
		{name: "two pictures for one mask", tree: []string{"c/test/hole/0.png", "c/test/hole/0.bmp", "c/ground_truth/hole/0.png"}, err: ErrFaulty, message: "same stem as 0.bmp"},
		{name: "no test folder", tree: []string{"c/train/good/0.png"}, err: ErrNoLayout, message: "<class>/test/{good,<defect>}"},
		{name: "an empty folder", tree: []string{"c/"}, err: ErrNoLayout},
		{name: "folders without pictures", tree: []string{"c/test/good/", "c/test/hole/note.txt"}, err: ErrNoPictures},
		{name: "too many wrappers", tree: []string{"1/2/3/4/c/test/good/0.png"}, err: ErrNoLayout},
		{name: "missing folder", tree: []string{"c/"}, inside: "nowhere", err: fs.ErrNotExist, message: "nowhere"},
		{name: "a link to nowhere in place of a picture fails where it is read", tree: []string{"c/test/good/0.png -> nowhere.png", "c/test/good/1.png"}, want: []string{"c - c/test/good/0.png", "c - c/test/good/1.png"}},
		{name: "a folder that links to itself", tree: []string{"c/test/good/0.png", "c/test/hole -> hole"}, want: []string{"c - c/test/good/0.png"}, findings: []string{"one_class_set c has no anomalous picture, so no metrics"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			root := filepath.Join(writeTree(t, test.tree...), test.inside)
			d, err := Discover(context.Background(), "", config.Root{Path: root}, nil)
			if err == nil {
				err = d.Usable()
			}
			if isRefused(t, err, test.err, test.message) {
				return
			}
			if got := rows(d); !slices.Equal(got, test.want) {
				t.Errorf("rows\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
			if got := findings(d); test.findings != nil && !slices.Equal(got, slices.Sorted(slices.Values(test.findings))) {
				t.Errorf("findings\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.findings, "\n"))
			}
		})
	}
}

// findings formats a dataset's findings as "code path", or "code detail" without a path, sorted.
func findings(d *Dataset) []string {
	var list []string
	for _, f := range d.Findings {
		list = append(list, string(f.Code)+" "+cmp.Or(f.Path, f.Detail))
	}
	slices.Sort(list)
	return list
}

func TestDiscoverUnreadableFolder(t *testing.T) {
	root := writeTree(t, "c/test/good/0.png", "c/test/hole/0.png")
	forbid(t, filepath.Join(root, "c/test/hole"))
	_, err := Discover(context.Background(), "", config.Root{Path: root}, nil)
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), filepath.Join("c", "test", "hole")) {
		t.Errorf("error %v: want one that names the folder", err)
	}
}

func TestDiscoverCancelled(t *testing.T) {
	root := writeTree(t, "c/test/good/0.png", "c/test/hole/0.png")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Discover(ctx, "", config.Root{Path: root}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

func TestDiscoverNames(t *testing.T) {
	root := writeTree(t, "pcb3/test/good/0.png", "my_new-part/test/good/0.png")
	own := &Names{domains: map[string]domain.Domain{"visa": domain.Medical}, classes: map[string]map[string]string{"visa": {"pcb3": "a board"}}}
	tests := []struct {
		name    string
		given   config.Root
		names   *Names
		domain  domain.Domain
		prompts []string
	}{
		{"visa", config.Root{}, nil, domain.Industrial, []string{"my new part", "circuit board with infrared diodes"}},
		{"Colon_Kvasir", config.Root{}, nil, domain.Medical, []string{"endoscopic view of the colon"}},
		{"Colon_Kvasir", config.Root{Domain: domain.Industrial}, nil, domain.Industrial, []string{"endoscopic view of the colon"}},
		{"VisA", config.Root{}, own, domain.Medical, []string{"my new part", "a board"}},
		{"", config.Root{}, nil, domain.Industrial, []string{"my new part", "pcb3"}},
	}
	for _, test := range tests {
		test.given.Path = root
		d, err := Discover(context.Background(), test.name, test.given, test.names)
		if err != nil {
			t.Fatal(err)
		}
		var prompts []string
		for _, class := range d.Classes {
			prompts = append(prompts, class.Prompt)
		}
		if d.Domain != test.domain || !slices.Equal(prompts, test.prompts) {
			t.Errorf("%q %v: %s %q, want %s %q", test.name, test.given, d.Domain, prompts, test.domain, test.prompts)
		}
	}
}

// Discover lists each picture of a random tree once, with its own mask.
func TestDiscoverRandomTrees(t *testing.T) {
	extensions := []string{".png", ".JPG", ".jpeg", ".bmp", ".Tif", ".tiff"}
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 0))
		root := t.TempDir()
		masked := r.IntN(4) > 0
		want := map[string]string{} // relative path of a picture to that of its mask
		for class := range 1 + r.IntN(4) {
			for kind := range 1 + r.IntN(4) {
				folder := []string{"good", "a b", "crack_2", "Ünder"}[kind]
				for range 1 + r.IntN(8) {
					name := fmt.Sprint([]string{"", "x", "_mask"}[r.IntN(3)], r.IntN(1000))
					if r.IntN(4) == 0 {
						name = "sub" + fmt.Sprint(r.IntN(2)) + "/" + name
					}
					picture := fmt.Sprintf("c%d/test/%s/%s", class, folder, name)
					if slices.ContainsFunc(extensions, func(e string) bool { _, ok := want[picture+e]; return ok }) {
						continue
					}
					picture += extensions[r.IntN(len(extensions))]
					mask := ""
					if masked && folder != "good" {
						mask = fmt.Sprintf("c%d/ground_truth/%s/%s%s%s", class, folder, name, maskSuffixes[r.IntN(3)], extensions[r.IntN(len(extensions))])
						growTree(t, root, mask)
					}
					growTree(t, root, picture)
					want[picture] = mask
				}
			}
		}
		d, err := Discover(context.Background(), "", config.Root{Path: root}, nil)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if len(d.Items) != len(want) {
			t.Errorf("seed %d: %d rows, want %d", seed, len(d.Items), len(want))
		}
		for _, item := range d.Items {
			picture := relative(root, item.Path)
			mask, ok := want[picture]
			delete(want, picture) // so that a second row of it fails the test
			if item.Mask != "" {
				item.Mask = relative(root, item.Mask)
			}
			if !ok || item.Mask != mask || item.Anomalous != !strings.Contains(picture, "/good/") || !strings.HasPrefix(picture, item.Class+"/") {
				t.Errorf("seed %d: row %+v, want mask %q", seed, item, mask)
			}
		}
	}
}

func TestListHash(t *testing.T) {
	tree := []string{"c/test/good/0.png", "c/test/hole/0.png", "c/ground_truth/hole/0.png"}
	hash := func(root string) string {
		d, err := Discover(context.Background(), filepath.Base(root), config.Root{Path: root}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return d.ListHash()
	}
	first := hash(writeTree(t, tree...))
	const known = "sha256:31fee7eea81c7c5821a3dd197e8413124661efd5ebb160febac5a2a5e1659a80"
	if first != known {
		t.Errorf("hash %s, want %s: hashes in old checkpoints no longer match", first, known)
	}
	if again := hash(writeTree(t, tree...)); again != first {
		t.Error("the hash depends on where the dataset lies")
	}
	for _, other := range [][]string{
		append([]string{"c/test/good/1.png"}, tree...),
		tree[:2],
		{"c/test/good/0.png", "c/test/hole/0.png", "c/ground_truth/hole/0_mask.png"},
		{"d/test/good/0.png", "d/test/hole/0.png", "d/ground_truth/hole/0.png"},
	} {
		if hash(writeTree(t, other...)) == first {
			t.Errorf("%q has the same hash", other)
		}
	}
}

func TestWhole(t *testing.T) {
	root := writeTree(t, "c/test/good/0.png", "c/test/good/1.png", "c/test/hole/0.png")
	whole, err := Discover(context.Background(), "x", config.Root{Path: root}, nil)
	if err != nil {
		t.Fatal(err)
	}
	some, err := whole.Select(nil, 2)
	if err != nil {
		t.Fatal(err)
	}
	fewer, err := some.Select(nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(fewer.Items) != 1 || fewer.Whole() != whole || whole.Whole() != whole || fewer.ListHash() == whole.ListHash() {
		t.Error("a selection does not know what it was selected from")
	}
}

func TestDiscoverMagneticTile(t *testing.T) {
	root := golden.SharedData(t, "magnetic_tile")
	d, err := Discover(context.Background(), "magnetic_tile", config.Root{Path: root}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if counts := d.Counts(); !slices.Equal(counts, []Count{{"magnetic_tile", 180, 180}}) || len(d.Findings) > 0 {
		t.Errorf("counts %v, findings %v", counts, d.Findings)
	}
	if prompt := d.Classes[0].Prompt; prompt != "magnetic tile" {
		t.Errorf("prompt name %q", prompt)
	}
	defects := map[string]int{}
	for _, item := range d.Items {
		defects[item.Defect]++
		if item.Anomalous != (item.Mask != "") {
			t.Errorf("row %+v", item)
		}
		for _, path := range []string{item.Path, item.Mask} {
			if _, err := os.Stat(path); path != "" && err != nil {
				t.Error(err)
			}
		}
	}
	for defect, want := range map[string]int{"": 180, "blowhole": 50, "break": 40, "crack": 40, "fray": 20, "uneven": 30} {
		if defects[defect] != want {
			t.Errorf("%d rows of %q, want %d", defects[defect], defect, want)
		}
	}
}
