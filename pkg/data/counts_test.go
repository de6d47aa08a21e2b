package data

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"acdclip/pkg/config"
)

// Defects and their counts in the public lists. VisA's and BTAD's classes have one defect folder each.
const (
	mvtecDefects = `
bottle 20 broken_large 20 broken_small 22 contamination 21
cable 58 bent_wire 13 cable_swap 12 combined 11 cut_inner_insulation 14 cut_outer_insulation 10 missing_cable 12 missing_wire 10 poke_insulation 10
capsule 23 crack 23 faulty_imprint 22 poke 21 scratch 23 squeeze 20
carpet 28 color 19 cut 17 hole 17 metal_contamination 17 thread 19
grid 21 bent 12 broken 12 glue 11 metal_contamination 11 thread 11
hazelnut 40 crack 18 cut 17 hole 18 print 17
leather 32 color 19 cut 19 fold 17 glue 19 poke 18
metal_nut 22 bent 25 color 22 flip 23 scratch 23
pill 26 color 25 combined 17 contamination 21 crack 26 faulty_imprint 19 pill_type 9 scratch 24
screw 41 manipulated_front 24 scratch_head 24 scratch_neck 25 thread_side 23 thread_top 23
tile 33 crack 17 glue_strip 18 gray_stroke 16 oil 18 rough 15
toothbrush 12 defective 30
transistor 60 bent_lead 10 cut_lead 10 damaged_case 10 misplaced 10
wood 19 color 8 combined 11 hole 10 liquid 10 scratch 21
zipper 32 broken_teeth 19 combined 16 fabric_border 17 fabric_interior 16 rough 17 split_teeth 18 squeezed_teeth 16`
	mpddDefects = `
bracket_black 32 hole 12 scratches 35
bracket_brown 26 bend_and_parts_mismatch 17 parts_mismatch 34
bracket_white 30 defective_painting 13 scratches 17
connector 30 parts_mismatch 14
metal_plate 26 major_rust 14 scratches 34 total_rust 23
tubes 32 anomalous 69`
	visaDefects = `
candle 100 bad 100
capsules 60 bad 100
cashew 50 bad 100
chewinggum 50 bad 100
fryum 50 bad 100
macaroni1 100 bad 100
macaroni2 100 bad 100
pcb1 100 bad 100
pcb2 100 bad 100
pcb3 101 bad 100
pcb4 101 bad 100
pipe_fryum 50 bad 100`
	btadDefects = `
01 21 ko 49
02 30 ko 200
03 400 ko 41`
)

// likeMVTec returns MVTec-style paths for a table of defects.
func likeMVTec(table, normal, extension, maskSuffix string) []string {
	var patterns []string
	for line := range strings.Lines(strings.TrimSpace(table)) {
		fields := strings.Fields(line)
		class := fields[0]
		fields[0] = normal
		for i := 0; i < len(fields); i += 2 {
			defect := fields[i]
			count, _ := strconv.Atoi(fields[i+1])
			stems := fmt.Sprintf("{000..%d}", count-1)
			patterns = append(patterns, class+"/test/"+defect+"/"+stems+extension)
			if defect != normal {
				patterns = append(patterns, class+"/ground_truth/"+defect+"/"+stems+maskSuffix+".png")
			}
		}
	}
	return patterns
}

// stems25 returns count stems of the form that Kvasir-SEG uses.
func stems25(count int) string {
	var names []string
	for i := range count {
		names = append(names, fmt.Sprintf("c%c%023d", "jk"[min(1, i/991)], i))
	}
	return "{" + strings.Join(names, ",") + "}"
}

// Discovering a benchmark's whole test tree gives exactly the public list's counts.
func TestWholeBenchmarks(t *testing.T) {
	if testing.Short() {
		t.Skip("24,000 files")
	}
	tests := []struct {
		key     string
		tree    []string
		content bool // counts or classes alone identify it
	}{
		{"MVTec", likeMVTec(mvtecDefects, "good", ".png", "_mask"), true},
		{"VisA", likeMVTec(visaDefects, "good", ".JPG", ""), true},
		{"BTAD", likeMVTec(btadDefects, "ok", ".bmp", ""), true},
		{"MPDD", likeMVTec(mpddDefects, "good", ".png", "_mask"), true},
		{"Brain", []string{"test/good/img/{00000..00639}_60.png", "test/Ungood/{img,label}/{10000..10614}_{60,68,76,84,92}.png"}, true},
		{"Liver", []string{"test/good/img/1_{0..832}.png", "test/ungood/{img,label}/2_{0..659}.png"}, true},
		{"Retina", []string{"test/good/img/1_{0..1040}.png", "test/ungood/{img,label}/2_{0..763}.png"}, true},
		{"Colon_colonDB", []string{"{images,masks}/{1..380}.png"}, true},
		{"Colon_clinicDB", []string{"{images,masks}/{1..612}.png"}, true},
		{"Colon_Kvasir", []string{"{images,masks}/" + stems25(1000) + ".png"}, true},
		{"Colon_cvc300", []string{"{images,masks}/{149..208}.png"}, true},
	}
	for _, test := range tests {
		t.Run(test.key, func(t *testing.T) {
			root := plant(t, "somewhere", test.tree...)
			benchmark, _ := FindBenchmark(test.key)
			d := discover(t, "mine", config.Root{Path: root})
			if keyOf(d) != test.key {
				t.Fatalf("taken for %q", keyOf(d))
			}
			checkFindings(t, d)
			normal, anomalous := d.Total()
			wantNormal, wantAnomalous := benchmark.Counts()
			if !d.MatchesPublicList() || normal != wantNormal || anomalous != wantAnomalous {
				t.Errorf("%d normal and %d anomalous pictures, want %d and %d: %v", normal, anomalous, wantNormal, wantAnomalous, findings(d))
			}
			for _, item := range d.Items {
				if item.Anomalous != (item.Mask != "") {
					t.Fatalf("row %+v", item)
				}
			}

			if err := os.Remove(d.Items[0].Path); err != nil {
				t.Fatal(err)
			}
			if d := discover(t, test.key, config.Root{Path: root}); d.MatchesPublicList() {
				t.Error("one picture less still matches the public list")
			}
		})
	}
}

// The benchmarks together have 14,151 test pictures, 9,581 of them anomalous.
func TestBenchmarkCounts(t *testing.T) {
	want := map[string][3]int{ // classes, normal, anomalous
		"MVTec": {15, 467, 1258}, "VisA": {12, 962, 1200}, "BTAD": {3, 451, 290}, "MPDD": {6, 176, 282}, "RSDD": {7, 0, 0},
		"Brain": {1, 640, 3075}, "Liver": {1, 833, 660}, "Retina": {1, 1041, 764},
		"Colon_colonDB": {1, 0, 380}, "Colon_clinicDB": {1, 0, 612}, "Colon_Kvasir": {1, 0, 1000}, "Colon_cvc300": {1, 0, 60},
	}
	all, bad := 0, 0
	for _, b := range Benchmarks() {
		normal, anomalous := b.Counts()
		if got := [3]int{len(b.Classes), normal, anomalous}; got != want[b.Key] {
			t.Errorf("%s: %v, want %v", b.Key, got, want[b.Key])
		}
		all, bad = all+normal+anomalous, bad+anomalous
	}
	if len(Benchmarks()) != len(want) || all != 14151 || bad != 9581 {
		t.Errorf("%d benchmarks with %d pictures, %d of them anomalous", len(Benchmarks()), all, bad)
	}
}

// Counts can identify another dataset of the same name.
func TestKnownSubsets(t *testing.T) {
	tests := []struct {
		key, name string
		tree      []string
		want      string // part of the finding; "" for no finding
	}{
		{"Colon_clinicDB", "PraNet's 62 pictures of ClinicDB", []string{"{images,masks}/{1..62}.png"}, "PraNet"},
		{"Colon_Kvasir", "PraNet's 100 pictures of Kvasir", []string{"{images,masks}/" + stems25(100) + ".png"}, "PraNet"},
		{"Colon_colonDB", "the original 300 frames of ColonDB", []string{"images/{1..300}.bmp", "masks/{1..300}.bmp"}, "300 frames"},
		{"Retina", "validation and test of Retina together", []string{"test/good/img/1_{0..1085}.png", "test/ungood/{img,label}/2_{0..833}.png"}, "validation"},
		{"Colon_clinicDB", "another count says nothing", []string{"{images,masks}/{1..63}.png"}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := discover(t, test.key, config.Root{Path: plant(t, "somewhere", test.tree...)})
			found := ""
			for _, f := range d.Findings {
				if f.Code == KnownSubset {
					found += f.Detail
				}
			}
			if found == "" != (test.want == "") || !strings.Contains(found, test.want) {
				t.Errorf("finding %q, want one with %q", found, test.want)
			}
			if d.MatchesPublicList() {
				t.Error("matches the public list")
			}
			if err := d.Usable(); err != nil {
				t.Error(err)
			}
		})
	}
}
