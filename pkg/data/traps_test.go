package data

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"acdclip/pkg/config"
)

const visaHead = "object,split,label,image,mask\r\n"

// Known problems with the benchmarks' folders.
func TestTraps(t *testing.T) {
	tests := []struct {
		name      string
		key       string // "mine" if the benchmark is not given
		folder    string // "" means "somewhere"
		tree      []string
		files     map[string]string // and what is in them
		want      []string
		findings  []string
		benchmark string
		err       error
		message   string
	}{
		// MVTec-AD.
		{
			name: "wood alone is no proof of a benchmark", key: "mine",
			tree: []string{"wood/test/{good,anomaly}/0.png"},
			want: []string{"wood anomaly wood/test/anomaly/0.png", "wood - wood/test/good/0.png"},
		},
		{
			name: "wood beside a class of one's own is no benchmark's", key: "mine",
			tree: []string{"{wood,stone}/test/good/0.png"},
			want: []string{"stone - stone/test/good/0.png", "wood - wood/test/good/0.png"},
		},
		{
			name: "wood with tile is MVTec-AD's", key: "mine", benchmark: "MVTec",
			tree: []string{"{wood,tile}/test/good/0.png"},
			want: []string{"tile - tile/test/good/0.png", "wood - wood/test/good/0.png"},
		},
		{
			name: "wood with metal1 is BTAD's", key: "mine", benchmark: "BTAD",
			tree:     []string{"{wood,metal1}/test/good/0.bmp"},
			want:     []string{"01 - metal1/test/good/0.bmp", "02 - wood/test/good/0.bmp"},
			findings: []string{"renamed_class metal1 is 01", "renamed_class wood is 02"},
		},
		{
			name: "wood is what the key says", key: "BTAD", benchmark: "BTAD",
			tree:     []string{"wood/test/good/0.bmp"},
			want:     []string{"02 - wood/test/good/0.bmp"},
			findings: []string{"renamed_class wood is 02"},
		},
		{
			name: "stems repeat in every folder", key: "MVTec", benchmark: "MVTec",
			tree: []string{"{tile,wood}/{train/good,test/good,test/hole,test/cut}/000.png", "{tile,wood}/ground_truth/{hole,cut}/000_mask.png"},
			want: []string{
				"tile cut tile/test/cut/000.png tile/ground_truth/cut/000_mask.png", "tile - tile/test/good/000.png", "tile hole tile/test/hole/000.png tile/ground_truth/hole/000_mask.png",
				"wood cut wood/test/cut/000.png wood/ground_truth/cut/000_mask.png", "wood - wood/test/good/000.png", "wood hole wood/test/hole/000.png wood/ground_truth/hole/000_mask.png",
			},
		},
		{
			name: "a mask of a normal picture makes it not anomalous", key: "MVTec", benchmark: "MVTec",
			tree: []string{"tile/test/{good,hole}/000.png", "tile/ground_truth/{good,hole}/000_mask.png"},
			want: []string{"tile - tile/test/good/000.png", "tile hole tile/test/hole/000.png tile/ground_truth/hole/000_mask.png"},
		},

		// VisA.
		{name: "VisA without 1cls.csv: a split is never invented", key: "VisA", tree: []string{"candle/Data/{Images/{Normal/0000,Anomaly/000}.JPG,Masks/Anomaly/000.png}", "split_csv/2cls_fewshot.csv"}, err: ErrNoSplit, message: "1cls.csv"},
		{name: "VisA without 1cls.csv and without its name", key: "mine", tree: []string{"candle/Data/{Images/{Normal/0000,Anomaly/000}.JPG,Masks/Anomaly/000.png}"}, err: ErrNoSplit},
		{name: "one class of VisA alone", key: "mine", tree: []string{"Data/{Images/{Normal/0000,Anomaly/000}.JPG,Masks/Anomaly/000.png}"}, err: ErrNoSplit},
		{name: "one class of VisA without its masks", key: "mine", tree: []string{"Data/Images/{Normal/0000,Anomaly/000}.JPG"}, err: ErrNoSplit},
		{
			name: "train and test normals share a folder, and 1cls.csv ends its lines as Windows does", key: "VisA", benchmark: "VisA",
			tree: []string{"VisA/candle/Data/Images/{Normal/{0000..0003},Anomaly/000}.JPG", "VisA/candle/Data/Masks/Anomaly/000.png", "VisA/candle/image_anno.csv"},
			files: map[string]string{"VisA/split_csv/1cls.csv": visaHead + "candle,train,normal,candle/Data/Images/Normal/0000.JPG,\r\ncandle,test,normal,candle/Data/Images/Normal/0002.JPG,\r\n" +
				"candle,test,anomaly,candle/Data/Images/Anomaly/000.JPG,candle/Data/Masks/Anomaly/000.png\r\n", "VisA/split_csv/2cls_fewshot.csv": visaHead},
			want: []string{"candle  candle/Data/Images/Anomaly/000.JPG candle/Data/Masks/Anomaly/000.png", "candle - candle/Data/Images/Normal/0002.JPG"},
		},
		{
			name: "a list in place of 1cls.csv", key: "VisA", benchmark: "VisA",
			tree:  []string{"fryum/Data/Images/Normal/{388,389}.JPG"},
			files: map[string]string{"VisA.jsonl": jsonLines("0 fryum fryum/Data/Images/Normal/389.JPG")},
			want:  []string{"fryum - fryum/Data/Images/Normal/389.JPG"},
		},
		{
			name: "1cls.csv names what is not there", key: "VisA", benchmark: "VisA",
			tree:     []string{"candle/Data/Images/Normal/0000.JPG"},
			files:    map[string]string{"split_csv/1cls.csv": visaHead + "candle,test,normal,candle/Data/Images/Normal/0000.JPG,\ncashew,test,normal,cashew/Data/Images/Normal/000.JPG,\n"},
			want:     []string{"candle - candle/Data/Images/Normal/0000.JPG", "cashew - cashew/Data/Images/Normal/000.JPG"},
			findings: []string{"missing_image cashew/Data/Images/Normal/000.JPG"},
		},
		{
			name: "anomalib's second VisA inside the first", key: "VisA", benchmark: "VisA",
			tree:  []string{"candle/Data/Images/Normal/0000.JPG", "visa_pytorch/candle/test/good/0000.JPG"},
			files: map[string]string{"split_csv/1cls.csv": visaHead + "candle,test,normal,candle/Data/Images/Normal/0000.JPG,\n"},
			want:  []string{"candle - candle/Data/Images/Normal/0000.JPG"},
		},
		{
			name: "spot-diff's other splits beside 1cls", key: "VisA", benchmark: "VisA",
			tree: []string{"{1cls,2cls_fewshot,2cls_highshot}/candle/test/good/000.JPG"},
			want: []string{"candle - candle/test/good/000.JPG"},
		},

		// BTAD.
		{
			name: "holes in the numbers, ok and ko, classes that are numbers, bmp with png", key: "BTAD", benchmark: "BTAD",
			tree: []string{"01/test/ok/{0000,0003}.bmp", "01/test/ko/{0026,0028}.bmp", "01/ground_truth/ko/{0026,0028}.png", "02/train/ok/{0086,0088}.png", "02/test/ok/0001.png"},
			want: []string{"01 ko 01/test/ko/0026.bmp 01/ground_truth/ko/0026.png", "01 ko 01/test/ko/0028.bmp 01/ground_truth/ko/0028.png", "01 - 01/test/ok/0000.bmp", "01 - 01/test/ok/0003.bmp", "02 - 02/test/ok/0001.png"},
		},
		{
			name: "numbers for classes prove nothing where the defects are one's own", key: "mine",
			tree: []string{"{01,02}/test/{good,crack}/0.png"},
			want: []string{"01 crack 01/test/crack/0.png", "01 - 01/test/good/0.png", "02 crack 02/test/crack/0.png", "02 - 02/test/good/0.png"},
		},

		// RSDD.
		{
			name: "classes that are common words are not RSDD's", key: "mine",
			tree: []string{"{Scratch,Dent}/test/good/0.png"},
			want: []string{"Dent - Dent/test/good/0.png", "Scratch - Scratch/test/good/0.png"},
		},
		{
			name: "RSDD with any classes, as its list has them", key: "RSDD", benchmark: "RSDD",
			tree:  []string{"{a,b}/0.png"},
			files: map[string]string{"RSDD.jsonl": jsonLines("0 Dent a/0.png", "0 my_rail b/0.png")},
			want:  []string{"Dent - a/0.png", "my_rail - b/0.png"},
		},

		// BMAD.
		{
			name: "a label of a good picture is never read", key: "Brain", benchmark: "Brain",
			tree: []string{"test/good/{img,label}/00001_60.png", "test/Ungood/{img,label}/00002_60.png"},
			want: []string{"Brain ungood test/Ungood/img/00002_60.png test/Ungood/label/00002_60.png", "Brain - test/good/img/00001_60.png"},
		},
		{
			name: "a label of a good picture with a stem of an anomalous one", key: "Liver", benchmark: "Liver",
			tree: []string{"test/{label,img}/{good,Ungood}/1_45.png"},
			want: []string{"Liver ungood test/img/Ungood/1_45.png test/label/Ungood/1_45.png", "Liver - test/img/good/1_45.png"},
		},
		{
			name: "pictures in no folder good or ungood are told of", key: "Brain", benchmark: "Brain",
			tree:     []string{"test/{0,good/img/1,Ungood/img/2}.png"},
			want:     []string{"Brain ungood test/Ungood/img/2.png", "Brain - test/good/img/1.png"},
			findings: []string{"unlabelled test/0.png"},
		},
		{
			name: "other splits inside the folder test", key: "Retina", benchmark: "Retina",
			tree: []string{"Test/{test/good/1_1,test/Ungood/2_2,test_label/Ungood/2_2,val/good/3_3,val/Ungood/4_4,val_label/Ungood/4_4}.png"},
			want: []string{"Retina ungood Test/test/Ungood/2_2.png Test/test_label/Ungood/2_2.png", "Retina - Test/test/good/1_1.png"},
		},
		{
			name: "slices of the brain are known by their names", key: "mine", benchmark: "Brain",
			tree: []string{"test/{good/img/00001_60,Ungood/img/00002_60}.png"},
			want: []string{"Brain ungood test/Ungood/img/00002_60.png", "Brain - test/good/img/00001_60.png"},
		},
		{
			name: "slices of liver and retina look alike", key: "mine",
			tree: []string{"test/{good/img/1_60,Ungood/img/2_60}.png"},
			want: []string{"mine ungood test/Ungood/img/2_60.png", "mine - test/good/img/1_60.png"},
		},
		{
			name: "a folder of some other release of Retina", key: "mine", folder: "Retina_RESC_2024", benchmark: "Retina",
			tree: []string{"test/{good/img/1_60,Ungood/img/2_60}.png"},
			want: []string{"Retina ungood test/Ungood/img/2_60.png", "Retina - test/good/img/1_60.png"},
		},
		{name: "three of BMAD's sets, and no key", key: "mine", tree: []string{"{Brain,Liver,Retina_RESC}/test/{good,Ungood}/img/1_1.png"}, err: ErrSeveral, message: "Liver"},

		// The brain tumor dataset of Kaggle has the same name.
		{name: "Kaggle's brains: no and yes", key: "Brain", tree: []string{"brain_tumor_dataset/{no,yes}/1.jpg"}, err: ErrOtherSet, message: "Kaggle"},
		{name: "Kaggle's brains: no and yes, the folder itself", key: "BrainMRI", folder: "brain_tumor_dataset", tree: []string{"{no,yes}/1.jpg"}, err: ErrOtherSet},
		{name: "Kaggle's brains: twice in one archive", key: "Brain", tree: []string{"{brain_tumor_dataset/,}{no,yes}/1.jpg"}, err: ErrOtherSet},
		{name: "Kaggle's brains: AdaCLIP's brain_mri", key: "Brain", folder: "BrainMRI", tree: []string{"brain_mri/{train/good,test/good,test/tumor}/1.jpg"}, err: ErrOtherSet},
		{name: "Kaggle's brains: AdaCLIP's class folder alone", key: "Brain", folder: "brain_mri", tree: []string{"test/{good,tumor}/1.jpg"}, err: ErrOtherSet},
		{name: "Kaggle's brains: Bayes-PFL's brain ct", key: "Brain", folder: "BrainMRI", tree: []string{"brain ct/{train/good,test/good,test/anomaly}/1.bmp"}, err: ErrOtherSet},
		{
			name: "Kaggle's brains: AnomalyCLIP's meta.json, whose class is brain", key: "Brain",
			tree: []string{"{no,yes}/1.jpg"}, files: map[string]string{"meta.json": metaFile("0 brain no/1.jpg", "1 brain yes/1.jpg")}, err: ErrOtherSet,
		},
		{
			name: "Kaggle's brains: AdaCLIP's meta.json", key: "Brain",
			tree: []string{"a/{1..2}.jpg"}, files: map[string]string{"meta.json": metaFile("0 brain_mri a/1.jpg", "1 brain_mri a/2.jpg")}, err: ErrOtherSet,
		},
		{
			name: "Kaggle's brains: the author's root in the list", key: "Brain", folder: "brain_tumor_dataset",
			tree: []string{"a/1.jpg"}, files: map[string]string{"meta.json": metaFile("1 brain /home/author/brain_tumor_dataset/a/1.jpg")}, err: ErrOtherSet,
		},
		{
			name: "Kaggle's brains under a name of one's own are one's own", key: "mine", folder: "BrainMRI",
			tree: []string{"brain_mri/test/{good,tumor}/1.jpg"},
			want: []string{"brain_mri - brain_mri/test/good/1.jpg", "brain_mri tumor brain_mri/test/tumor/1.jpg"},
		},

		// Polyps.
		{
			name: "Kvasir-SEG with its boxes", key: "mine", folder: "Kvasir-SEG", benchmark: "Colon_Kvasir",
			tree: []string{"{images,masks}/cju0qkwl35piu0993l0dewei2.jpg", "kavsir_bboxes.json"},
			want: []string{"Kvasir  images/cju0qkwl35piu0993l0dewei2.jpg masks/cju0qkwl35piu0993l0dewei2.jpg"},
		},
		{
			name: "ETIS is no benchmark here", key: "mine", folder: "ETIS-LaribPolypDB",
			tree: []string{"{images,masks}/1.png"},
			want: []string{"mine  images/1.png masks/1.png"},
		},
		{name: "several polyp sets, and no key", key: "mine", folder: "Colon", tree: []string{"{CVC-300,CVC-ClinicDB,ETIS-LaribPolypDB,Kvasir}/{images,masks}/1.png"}, err: ErrSeveral, message: "CVC-300, CVC-ClinicDB, Kvasir"},
		{name: "several polyp sets, and not the one of the key", key: "Colon_colonDB", folder: "Colon", tree: []string{"{CVC-300,CVC-ClinicDB,Kvasir}/{images,masks}/1.png"}, err: ErrSeveral},
		{
			name: "pictures and masks under train and test", key: "Colon_Kvasir", benchmark: "Colon_Kvasir",
			tree: []string{"{train,test}/{images,masks}/1.png"},
			want: []string{"Kvasir  images/1.png masks/1.png"},
		},
		{
			name: "a few numbered pictures are nobody's", key: "mine",
			tree: []string{"{images,masks}/{1..3}.png"},
			want: []string{"mine  images/1.png masks/1.png", "mine  images/2.png masks/2.png", "mine  images/3.png masks/3.png"},
		},

		// Packs of several sets.
		{
			name: "a folder of all sets: the key picks one, in whatever spelling", key: "btad", benchmark: "BTAD",
			tree: []string{"{mvtec_ad,MPDD}/{tile,tubes}/test/good/0.png", "BTech_Dataset_transformed/01/test/ok/0.bmp", "VisA_20220922/candle/Data/Images/Normal/0.JPG"},
			want: []string{"01 - 01/test/ok/0.bmp"},
		},
		{name: "a folder of all sets, and no key", key: "mine", tree: []string{"mvtec_ad/tile/test/good/0.png", "MPDD/tubes/test/good/0.png"}, err: ErrSeveral, message: "MPDD, mvtec_ad"},
		{
			name: "Bayes-PFL's folder of all sets with their lists", key: "RSDD", benchmark: "RSDD",
			tree:     []string{"{BTAD/wood,RSDD/Metal15}/test/{good,anomaly}/a.bmp", "{BTAD/wood,RSDD/Metal15}/ground_truth/anomaly/a.png"},
			files:    map[string]string{"meta_BTAD.json": metaFile("0 wood BTAD/wood/test/good/a.bmp"), "meta_RSDD.json": metaFile("0 Metal15 RSDD/Metal15/test/good/a.bmp")},
			want:     []string{"Metal15 - Metal15/test/good/a.bmp"},
			findings: []string{"path_fallback Metal15/test/good/a.bmp"},
		},
		{
			name: "another project's list one folder above", key: "MVTec", folder: "parent", benchmark: "MVTec",
			tree:     []string{"mvtec_ad/tile/test/{good,hole}/000.png", "other/0.png"},
			files:    map[string]string{"meta_mvtec.json": metaFile("0 tile mvtec/tile/test/good/a.bmp", "1 tile mvtec/tile/test/anomaly/b.bmp")},
			want:     []string{"tile - tile/test/good/000.png", "tile hole tile/test/hole/000.png"},
			findings: []string{"list_ignored ../meta_mvtec.json"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.folder == "" {
				test.folder = "somewhere"
			}
			root := plant(t, test.folder, test.tree...)
			for name, text := range test.files {
				writeFile(t, root, name, text)
			}
			d, err := Discover(context.Background(), test.key, config.Root{Path: root}, nil)
			if isRefused(t, err, test.err, test.message) {
				return
			}
			checkRows(t, d, test.want...)
			checkFindings(t, d, test.findings...)
			if keyOf(d) != test.benchmark {
				t.Errorf("taken for benchmark %q, want %q", keyOf(d), test.benchmark)
			}
		})
	}
}

// A download with only some of the classes is used, and the findings name the missing ones.
func TestMissingClassesAreNamed(t *testing.T) {
	d := discover(t, "MPDD", config.Root{Path: plant(t, "somewhere", "{tubes,connector,new}/test/good/0.png")})
	var found []string
	for _, f := range d.Findings {
		if f.Code == CountMismatch {
			found = append(found, f.Class+": "+f.Detail)
		}
	}
	slices.Sort(found)
	want := []string{
		"bracket_black: bracket_black is missing", "bracket_brown: bracket_brown is missing", "bracket_white: bracket_white is missing",
		"connector: connector has 1/0, expected 30/14", "metal_plate: metal_plate is missing",
		"new: new is not a class of the benchmark", "tubes: tubes has 1/0, expected 32/69",
	}
	if !slices.Equal(found, want) {
		t.Errorf("findings\n%s\nwant\n%s", strings.Join(found, "\n"), strings.Join(want, "\n"))
	}
	if err := d.Usable(); err != nil {
		t.Error(err)
	}
}

// RSDD has no public counts, and notes name other problems of a benchmark.
func TestNotesOfBenchmarks(t *testing.T) {
	for _, test := range []struct{ key, note string }{{"RSDD", "three different datasets"}, {"Colon_cvc300", "not independent of CVC-ColonDB"}, {"Colon_colonDB", ""}} {
		d := discover(t, test.key, config.Root{Path: plant(t, "somewhere", "{images,masks}/150.png")})
		note := ""
		for _, f := range d.Findings {
			switch {
			case f.Code == Note:
				note = f.Detail
			case f.Code == CountMismatch && test.key == "RSDD":
				t.Errorf("RSDD compares with no list: %s", f.Detail)
			}
		}
		if note == "" != (test.note == "") || !strings.Contains(note, test.note) || d.MatchesPublicList() {
			t.Errorf("%s: note %q, matches the public list: %v", test.key, note, d.MatchesPublicList())
		}
	}
}

// Without normal pictures, image metrics are undefined: a finding reports it, but it is no error.
func TestOneClassSets(t *testing.T) {
	d := discover(t, "Colon_Kvasir", config.Root{Path: plant(t, "somewhere", "{images,masks}/1.png")})
	found := slices.ContainsFunc(d.Findings, func(f Finding) bool {
		return f.Code == OneClassSet && f.Level == Info && strings.Contains(f.Detail, "no normal picture")
	})
	if !found || d.Usable() != nil {
		t.Errorf("findings %v", findings(d))
	}
}

// The dataset's folder may be given as a link, with a trailing slash, or relative to the current folder.
func TestDiscoverWhateverThePathIsLike(t *testing.T) {
	root := plant(t, "parent", "set/Metal15/test/{good,anomaly}/a.bmp", "set/Metal15/ground_truth/anomaly/a.png", "link -> set")
	writeFile(t, root, "meta_RSDD.json", metaFile("0 Metal15 set/Metal15/test/good/a.bmp", "1 Metal15 set/METAL15/test/anomaly/a.png set/Metal15/ground_truth/anomaly/a.png"))
	want := discover(t, "RSDD", config.Root{Path: filepath.Join(root, "set")})
	t.Chdir(filepath.Join(root, "set"))
	for _, path := range []string{".", "../set", "../set/", "../set/../set", root + "/set/", "Metal15/.."} {
		d := discover(t, "RSDD", config.Root{Path: path})
		if !slices.Equal(rows(d), rows(want)) || !slices.Equal(findings(d), findings(want)) || d.ListHash() != want.ListHash() {
			t.Errorf("%s:\n%s\n%s\nwant\n%s\n%s", path, rows(d), findings(d), rows(want), findings(want))
		}
	}
	if d := discover(t, "RSDD", config.Root{Path: "../link"}); len(d.Items) != len(want.Items) {
		t.Errorf("by a link: %v", rows(d))
	}
}

// No subfolder of VisA is mistaken for a plain dataset of good and bad pictures.
func TestVisAInParts(t *testing.T) {
	root := plant(t, "VisA", "candle/Data/Images/{Normal/{0000..0003},Anomaly/000}.JPG", "candle/Data/Masks/Anomaly/000.png")
	for _, part := range []string{"", "candle", "candle/Data", "candle/Data/Images"} {
		_, err := Discover(context.Background(), "mine", config.Root{Path: filepath.Join(root, part)}, nil)
		if !errors.Is(err, ErrNoSplit) {
			t.Errorf("%s: error %v, want %v", part, err, ErrNoSplit)
		}
	}
	d := discover(t, "mine", config.Root{Path: filepath.Join(root, "candle/Data/Images"), Normal: "Normal", Anomalous: "Anomaly"})
	if len(d.Items) != 5 {
		t.Errorf("%d rows of the folders that were named", len(d.Items))
	}
}
