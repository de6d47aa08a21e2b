package report

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestDatasetsTable(t *testing.T) {
	d := Datasets{List: []Dataset{
		{Name: "visa", Benchmark: "VisA", Domain: "industrial", Path: "/data/visa", Layout: "visa", Classes: 12, Normal: 962, Anomalous: 1200, PublicList: &PublicList{12, 962, 1200}, MatchesPublicList: true},
		{Name: "btad", Benchmark: "BTAD", Domain: "industrial", Path: "/data/btad", Layout: "mvtec", Classes: 3, Normal: 4, Anomalous: 5, PublicList: &PublicList{3, 451, 290}},
		{Name: "MPDD", Benchmark: "MPDD", Domain: "industrial", PublicList: &PublicList{6, 176, 282}},
		{Name: "parts", Domain: "medical", Path: "/data/pa\x1brts", Layout: "good and bad", Classes: 1, Normal: 2, Anomalous: 3},
		{Name: "gone", Domain: "industrial", Path: "/data/gone", Error: "no such\nfolder"},
	}}
	var b strings.Builder
	if err := d.Write(&b, FormatTable); err != nil {
		t.Fatal(err)
	}
	const want = `dataset  benchmark  domain      found                at            classes  normal  anomalous  listed normal  listed anomalous
-------  ---------  ----------  -------------------  ------------  -------  ------  ---------  -------------  ----------------
visa     VisA       industrial  visa, as listed      /data/visa         12     962       1200            962              1200
btad     BTAD       industrial  mvtec, other counts  /data/btad          3       4          5            451               290
MPDD     MPDD       industrial  not given            -                   -       -          -            176               282
parts    -          medical     good and bad         /data/pa�rts        1       2          3              -                 -
gone     -          industrial  error                /data/gone          -       -          -              -                 -

"listed": counts in the public list of the benchmark's test pictures, if there is one.
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	b.Reset()
	if err := d.Write(&b, FormatJSON); err != nil {
		t.Fatal(err)
	}
	var again Datasets
	if err := json.Unmarshal([]byte(b.String()), &again); err != nil || len(again.List) != 5 || again.List[0].PublicList.Anomalous != 1200 {
		t.Errorf("JSON reads back as %+v, %v", again, err)
	}
	b.Reset()
	if err := (&Datasets{List: d.List[2:3]}).Write(&b, FormatMarkdown); err != nil || !strings.Contains(b.String(), "NAME=PATH") {
		t.Errorf("nothing given: %s, %v", b.String(), err)
	}
}

func TestVerificationText(t *testing.T) {
	values := map[int]int64{0: 90, 255: 9, 3: 1}
	v := Verification{Datasets: []VerifiedDataset{
		{
			Dataset:       Dataset{Name: "brain", Benchmark: "BrainMRI", Path: "/data/brain", Layout: "bmad", Classes: 1, Normal: 640, Anomalous: 3075, MatchesPublicList: true},
			MaskThreshold: 1,
			Pictures:      VerifiedFiles{Files: 3715, Modes: map[string]int{"PNG RGBA": 3714, "PNG L": 1}, Smallest: [2]int{240, 240}, Largest: [2]int{240, 250}},
			Masks:         VerifiedFiles{Files: 3, Modes: map[string]int{"PNG L": 3}, Smallest: [2]int{8, 6}, Largest: [2]int{8, 6}, Values: values},
			Groups: []FindingGroup{
				{Level: "error", Code: "undecodable", Meaning: "files cannot be read as pictures", Count: 1, Files: []Finding{{Path: "a\x07.png", Detail: "cut short"}}},
				{Level: "info", Code: "empty_mask", Meaning: "masks mark nothing", Count: 4, Files: []Finding{{Path: "1"}, {Path: "2"}, {Detail: "x"}, {Path: "4"}}},
			},
		},
		{Dataset: Dataset{Name: "empty", Path: "/e", Layout: "mvtec", Classes: 2}, Quick: true, Groups: []FindingGroup{}},
	}}
	var b strings.Builder
	if err := v.Write(&b, FormatTable); err != nil {
		t.Fatal(err)
	}
	const want = `brain (BrainMRI): bmad at /data/brain
  1 class, 640 normal and 3075 anomalous pictures, as in the public list
  pictures: 3715 files, 240 x 240 to 240 x 250 pixels, PNG L 1, PNG RGBA 3714
  masks: 3 files, 8 x 6 pixels, PNG L 3; values of at least 1 are anomalous
  mask values: 0: 90.00 %, 255: 9.00 %, 3: 1.00 %
  level  code         count  what
  -----  -----------  -----  ----
  error  undecodable  1      files cannot be read as pictures
                               a�.png: cut short
  info   empty_mask   4      masks mark nothing
                               1
                               2
                               x
                               and 1 more (--format json lists all)

empty: mvtec at /e
  2 classes, 0 normal and 0 anomalous pictures
  pictures: none could be read
  only headers were read; pixel data and the content of masks were not checked
  no findings
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	if v.Count("error") != 1 || v.Count("info") != 4 || v.Count("warning") != 0 {
		t.Error("the levels are counted otherwise")
	}
	b.Reset()
	if err := v.Write(&b, FormatJSON); err != nil {
		t.Fatal(err)
	}
	var again map[string][]map[string]any
	if err := json.Unmarshal([]byte(b.String()), &again); err != nil || again["datasets"][0]["mask_threshold"] != 1.0 {
		t.Errorf("JSON %s, %v", b.String(), err)
	}
}
