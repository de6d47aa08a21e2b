package data

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"acdclip/pkg/config"
	"acdclip/pkg/data/list"
	"acdclip/pkg/present"
)

// words are the path elements of random trees: all names that have a meaning to Discover.
var words = []string{
	"test", "good", "Ungood", "img", "label", "ground_truth", "bad", "images", "masks", "train", "val", "bottle", "wood", "01", "ko",
	"Data", "Images", "Normal", "Anomaly", "Masks", "split_csv", "Test", "test_label", "Original", "Ground Truth", "Type-I RSDDs dataset", "Rail surface images",
	"test/good", "test/bad", "test/Ungood/img", "test/Ungood/label", "ground_truth/bad", "bottle/test", "wood/test", "bottle/ground_truth", "label/0", "test_public", "brain", "0", "0_label.PNG", "0.heic", "0.jfif", "Data/Images/Normal",
	"GroundTruth", "VisA", "Brain_AD", "__MACOSX", "0.png", "0.JPG", "0_mask.png", "00001_60.png", "1.bmp", "1.tif", "note.txt", "meta.json", "mine.jsonl", "1cls.csv",
}

// growRandomTree creates the tree that recipe describes: each byte is a word; from
// 200 on it ends a path, from 240 on the path is a link instead of a file.
func growRandomTree(t testing.TB, root string, recipe []byte) {
	t.Helper()
	var way []string
	for _, b := range recipe {
		if b < 200 {
			if way = append(way, words[int(b)%len(words)]); len(way) < 8 {
				continue
			}
		}
		path := filepath.Join(append([]string{root}, way...)...)
		way = nil
		// A path that conflicts with an existing one is skipped.
		if os.MkdirAll(filepath.Dir(path), 0o755) != nil {
			continue
		}
		if _, err := os.Lstat(path); err == nil {
			continue
		}
		switch text := contentOf(path); {
		case b >= 240:
			_ = os.Symlink([]string{"..", ".", "../test", "0.png", "nowhere"}[b%5], path)
		case os.WriteFile(path, []byte(text), 0o644) != nil:
			continue
		}
	}
}

// contentOf returns the content of a file of a random tree: lists name pictures.
func contentOf(path string) string {
	switch filepath.Base(path) {
	case "mine.jsonl":
		return jsonLines("0 c good/0.png", "1 c test/bad/0.png masks/0.png", "1 c ../0.png masks")
	case "meta.json":
		return metaFile("0 c a/b/good/0.png", "1 c test/bad/0.png masks/0.png", "1 c /x/test/Ungood/img/0.png")
	case "1cls.csv":
		return visaHead + "c,test,normal,bottle/Data/Images/Normal/0.JPG,\n"
	}
	return ""
}

// checkRandomTree checks that Discover ends on any tree, that its rows are existing
// pictures with their own masks, and that a second call returns the same rows.
func checkRandomTree(t *testing.T, recipe []byte) {
	t.Helper()
	root := filepath.Join(t.TempDir(), "set")
	growTree(t, root)
	if len(recipe) > 2 && recipe[0]%4 > 0 { // otherwise only the random part
		shape := shapes[int(recipe[1])%len(shapes)]
		growTree(t, root, shape.files(shape.random(rand.New(rand.NewPCG(uint64(recipe[2]), 0))))...)
	}
	growRandomTree(t, root, recipe)
	for _, name := range []string{"mine", "Brain", "VisA"} {
		d, err := Discover(context.Background(), name, config.Root{Path: root}, nil)
		if err != nil {
			continue
		}
		if d.Usable() == nil {
			checkUsable(t, d)
		}
		again := discover(t, name, config.Root{Path: root})
		if !slices.Equal(rows(again), rows(d)) || !slices.Equal(findings(again), findings(d)) {
			t.Errorf("%s: found otherwise the second time", name)
		}
	}
}

func isNoFile(path string) bool { return !present.File(path) }

// isThere also accepts a dead link: Discover lists it, and reading it fails later.
func isThere(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func isMissing(path string) bool { return !isThere(path) }

func checkUsable(t *testing.T, d *Dataset) {
	t.Helper()
	pictures, masks := map[string]bool{}, map[string]bool{}
	for _, item := range d.Items {
		switch {
		case !isPicture(item.Path) || !isThere(item.Path):
			t.Errorf("%s: no picture", item.Path)
		case pictures[item.Path] || masks[item.Mask]:
			t.Errorf("%s: its picture or its mask is listed twice", item.Path)
		case item.Mask != "" && (!item.Anomalous || !isThere(item.Mask) || slices.ContainsFunc(item.MaskParts, isMissing) || item.Mask == item.Path):
			t.Errorf("%s: mask %s", item.Path, item.Mask)
		case strings.Contains(item.Path, "__MACOSX"):
			t.Errorf("%s: hidden", item.Path)
		}
		pictures[item.Path] = true
		if item.Mask != "" {
			masks[item.Mask] = true
		}
	}
	if normal, anomalous := d.Total(); normal+anomalous != len(d.Items) {
		t.Errorf("%d and %d of %d rows are counted", normal, anomalous, len(d.Items))
	}
}

func TestDiscoverInTreesOfRandomNames(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 30 {
		recipe := make([]byte, r.IntN(100))
		for i := range recipe {
			recipe[i] = byte(r.IntN(200))
			if r.IntN(4) == 0 {
				recipe[i] = byte(200 + r.IntN(45))
			}
		}
		checkRandomTree(t, recipe)
	}
}

func FuzzDiscover(f *testing.F) {
	f.Add([]byte{0, 1, 31, 200, 0, 6, 31, 200, 5, 6, 33, 200})
	f.Add([]byte{0, 1, 241, 0, 6, 240, 242, 243})
	f.Add([]byte{0, 1, 245, 0, 6, 88, 88, 243}) // a link to itself
	f.Fuzz(func(t *testing.T, recipe []byte) { checkRandomTree(t, recipe[:min(len(recipe), 200)]) })
}

// hostilePaths are paths that a malicious list may contain.
var hostilePaths = []string{
	"", ".", "..", "/", "//", "../..", "../../x.png", "../set/0.png", "a/../../../../etc/passwd", "/etc/passwd", "test/", "test//0.png", "./0.png", "0.png/", "0.png/x.png",
	"c", "c/", "loop/loop/loop/0.png", "C:\\data\\0.png", "é/\u0301.png", "\xff\xfe.png", "İ.png", " .png", ".png", "..png", "*.png", "[0].png", "-", "~/0.png", "$HOME/0.png", "0.png\x00",
	strings.Repeat("a/", 2000) + "0.png", strings.Repeat("../", 1300) + "0.png", strings.Repeat("loop/", 800) + "0.png", strings.Repeat("x", 4000) + ".png", strings.Repeat("/", 4000), strings.Repeat("test/", 800),
}

func checkResolve(t *testing.T, root, listed string) {
	t.Helper()
	for _, foreign := range []bool{false, true} {
		r := newResolver(root, foreign)
		if found, _, ok := r.resolve(listed); ok && !present.File(found) || !ok && found != "" {
			t.Errorf("%q: found %q, %v", listed, found, ok)
		}
		r.folder(listed)
		l := &listedLister{lister: newLister(root), resolver: r, repair: foreign}
		l.row(list.Row{Image: listed, Class: "c"})
		l.row(list.Row{Image: "0.png", Mask: listed, Class: "c", Anomalous: true})
		for _, item := range l.out.Items {
			if slices.ContainsFunc(item.MaskFiles(), isNoFile) {
				t.Errorf("%q: mask %q", listed, item.Mask)
			}
		}
	}
}

func hostileTree(t testing.TB) string {
	return writeTree(t, "0.png", "c/1.png", "c/1_mask.png", "test/c/2.JPG", "Test/c/3.jpg", "A/a/A/a/0.png", "a/A/a/A/1.png", "loop -> .", "LOOP -> .", "é/é.png")
}

func TestResolveHostilePaths(t *testing.T) {
	root := hostileTree(t)
	for _, listed := range hostilePaths {
		checkResolve(t, root, listed)
	}
}

func FuzzResolve(f *testing.F) {
	for _, listed := range hostilePaths {
		f.Add(listed)
	}
	root := hostileTree(f)
	f.Fuzz(func(t *testing.T, listed string) { checkResolve(t, root, listed) })
}
