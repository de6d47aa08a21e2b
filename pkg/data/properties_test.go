package data

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"acdclip/pkg/config"
)

// shape is a layout as path patterns of its files; %s is a stem.
type shape struct {
	layout  string
	normal  []string
	defects [][2]string // patterns of the pictures and of their masks
	deep    bool        // pictures and their masks may be in subfolders
}

var shapes = []shape{
	{"mvtec", []string{"a/test/good/%s", "b b/Test/OK/%s"}, [][2]string{{"a/test/hole/%s", "a/ground_truth/hole/%s"}, {"a/test/Ünder/%s", "a/ground_truth/Ünder/%s"}, {"b b/Test/crack 2/%s", "b b/ground_truth/crack 2/%s"}}, true},
	{"good and bad", []string{"good/%s", "ok/%s"}, [][2]string{{"bad/%s", "masks/%s"}, {"worse/%s", "masks/deeper/%s"}}, false},
	{"good and bad", []string{"Normal/%s"}, [][2]string{{"crack/%s", "ground truth/crack/%s"}, {"hole/%s", "ground truth/Hole/%s"}}, true},
	{"images and masks", nil, [][2]string{{"images/%s", "masks/%s"}}, true},
	{"images and masks", nil, [][2]string{{"Original/%s", "Ground Truth/%s"}}, true},
	{"rsdds", nil, [][2]string{{"Type-I RSDDs dataset/Rail surface images/%s", "Type-I RSDDs dataset/GroundTruth/%s"}, {"Type-II RSDDs dataset/Rail surface images/%s", "Type-II RSDDs dataset/GroundTruth/%s"}}, true},
	{"bmad", []string{"test/good/img/%s"}, [][2]string{{"test/Ungood/img/%s", "test/Ungood/anomaly_mask/%s"}}, false},
	{"bmad", []string{"x/y/TEST/img/good/%s"}, [][2]string{{"x/y/TEST/img/ungood/%s", "x/y/TEST/label/ungood/%s"}}, false},
	{"bmad", []string{"x/Test/test/good/%s"}, [][2]string{{"x/Test/test/Ungood/%s", "x/Test/test_label/Ungood/%s"}}, false},
}

// random returns random pictures, each mapped to its mask ("" for a normal picture).
func (s shape) random(r *rand.Rand) map[string]string {
	masks := map[string]string{}
	extension := func() string { return []string{".png", ".JPG", ".jpeg", ".bmp", ".Tif", ".tiff"}[r.IntN(6)] }
	for i := range 1 + r.IntN(20) {
		name := fmt.Sprint([]string{"", "x ", "_mask", "é.", "%"}[r.IntN(5)], i)
		if s.deep && r.IntN(4) == 0 {
			name = "cam " + fmt.Sprint(r.IntN(2)) + "/" + name
		}
		at := func(place string) string { return strings.ReplaceAll(place, "%s", name) }
		if at0 := r.IntN(len(s.normal) + len(s.defects)); at0 < len(s.normal) {
			masks[at(s.normal[at0])+extension()] = ""
		} else {
			pair := s.defects[at0-len(s.normal)]
			masks[at(pair[0])+extension()] = at(pair[1]) + maskSuffixes[r.IntN(3)] + extension()
		}
	}
	// The structural folders exist for every draw.
	for i, place := range s.normal {
		masks[strings.ReplaceAll(place, "%s", fmt.Sprint("n", i))+extension()] = ""
	}
	for i, pair := range s.defects {
		masks[strings.ReplaceAll(pair[0], "%s", fmt.Sprint("d", i))+extension()] = strings.ReplaceAll(pair[1], "%s", fmt.Sprint("d", i)) + extension()
	}
	return masks
}

// files returns the sorted pictures and masks of a draw.
func (s shape) files(masks map[string]string) []string {
	var files []string
	for picture, mask := range masks {
		files = append(files, picture)
		if mask != "" {
			files = append(files, mask)
		}
	}
	slices.Sort(files)
	return files
}

// In each layout, every picture is listed once with its own mask, and the order in
// which the files were created does not matter.
func TestRandomTreesInEachLayout(t *testing.T) {
	for i, shape := range shapes {
		for seed := range uint64(5) {
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			masks := shape.random(r)
			files := shape.files(masks)
			first := writeTree(t, files...)
			r.Shuffle(len(files), func(a, b int) { files[a], files[b] = files[b], files[a] })
			second := writeTree(t, files...)

			d := discover(t, "mine", config.Root{Path: first})
			if d.Layout != shape.layout || len(d.Items) != len(masks) {
				t.Fatalf("shape %d seed %d: layout %q and %d rows, want %q and %d", i, seed, d.Layout, len(d.Items), shape.layout, len(masks))
			}
			for _, item := range d.Items {
				mask, known := masks[relative(first, item.Path)]
				if known && mask != "" {
					mask = filepath.Join(first, mask)
				}
				if !known || item.Mask != mask || item.Anomalous != (mask != "") {
					t.Errorf("shape %d seed %d: row %+v, want mask %q", i, seed, item, mask)
				}
				delete(masks, relative(first, item.Path))
			}
			checkFindings(t, d)
			if again := discover(t, "mine", config.Root{Path: second}); !slices.Equal(rows(again), rows(d)) || again.ListHash() != d.ListHash() || !slices.Equal(findings(again), findings(d)) {
				t.Errorf("shape %d seed %d: files made in another order give other rows", i, seed)
			}
		}
	}
}

// A dataset's tree, its JSON lines list and its meta.json give the same rows in the
// same order, and the same hash.
func TestTreesAndTheirListsAreTheSame(t *testing.T) {
	check := func(t *testing.T, name, root string) {
		t.Helper()
		tree := discover(t, name, config.Root{Path: root})
		items := relativeItems(tree)
		for form, text := range map[string]string{"JSON lines": linesOf(t, items), "meta.json": metaOf(items)} {
			listed := discover(t, name, config.Root{Path: tree.Root, List: writeFile(t, t.TempDir(), "list", text)})
			if len(listed.Items) != len(tree.Items) {
				t.Fatalf("%s: %d rows of %d", form, len(listed.Items), len(tree.Items))
			}
			for i, item := range listed.Items {
				if form == "JSON lines" { // they do not contain the defect
					item.Defect = tree.Items[i].Defect
				}
				if !reflect.DeepEqual(item, tree.Items[i]) {
					t.Errorf("%s, row %d: %+v, want %+v", form, i, item, tree.Items[i])
				}
			}
			if listed.ListHash() != tree.ListHash() {
				t.Errorf("%s: another hash", form)
			}
			if keyOf(listed) == keyOf(tree) && listed.MaskThreshold != tree.MaskThreshold {
				t.Errorf("%s: masks from %d, want %d", form, listed.MaskThreshold, tree.MaskThreshold)
			}
			checkFindings(t, listed)
		}
	}
	for _, p := range publications {
		t.Run(p.name, func(t *testing.T) {
			check(t, p.key, filepath.Join(plant(t, "somewhere", p.tree...), p.inside))
		})
	}
	for i, shape := range shapes {
		t.Run(fmt.Sprint("random tree ", i), func(t *testing.T) {
			check(t, "mine", writeTree(t, shape.files(shape.random(rand.New(rand.NewPCG(7, uint64(i)))))...))
		})
	}
}
