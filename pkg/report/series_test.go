package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// seeded is MVTec-AD scored with N = 2 and three seeds, with N = 3 and one seed, and with
// an ablation, and also a target that is not in the paper.
func seeded() *Evaluation {
	e := &Evaluation{}
	add := func(target, benchmark, setup string, groups int, adapter string, seed uint64, metrics Metrics) {
		e.Results = append(e.Results, Result{
			Target: target, Benchmark: benchmark, ListHash: "sha256:" + target,
			Checkpoint: Checkpoint{
				Source: Source{Path: setup + ".safetensors"}, Method: "acdclip", Preset: "paper", Auxiliary: "visa",
				Variant: variantOf(groups, adapter, "dfg"), Seed: &seed, Setup: setup,
			},
			Classes: []Row{{"all", "thing", Counts{2, 2, 0}, nil, metrics}},
		})
	}
	for seed, auroc := range []float64{0.91, 0.92, 0.93} {
		add("mvtec", "MVTec", "two", 2, "conv_lora", uint64(seed), Metrics{"image_auroc": auroc, "pixel_auroc": 0.917})
	}
	add("mvtec", "MVTec", "three", 3, "conv_lora", 0, Metrics{"image_auroc": 0.9, "image_ap": 0.958})
	add("mvtec", "MVTec", "ablation", 2, "lora", 0, Metrics{"image_auroc": 0.859, "image_ap": 0.9})
	add("bolts", "", "two", 2, "conv_lora", 0, Metrics{"image_auroc": 0.5})
	return e
}

func TestSeedsAndPaper(t *testing.T) {
	e := seeded()
	e.Results[1].Deviations = []string{"4 pictures, where the public list has 1725"}
	want := `
target  auxiliary  model                       class  normal  anomalous   image AUROC  image AP  image F1-max   pixel AUROC  pixel AP  pixel F1-max  pixel AUPRO
------  ---------  --------------------------  -----  ------  ---------  ------------  --------  ------------  ------------  --------  ------------  -----------
mvtec   visa       N=2 conv_lora+dfg, 3 seeds  all         2          2  92.00 ± 1.00       n/a           n/a  91.70 ± 0.00       n/a           n/a          n/a
mvtec   visa       N=2 conv_lora+dfg, 3 seeds  mean        2          2  92.00 ± 1.00       n/a           n/a  91.70 ± 0.00       n/a           n/a          n/a
------  ---------  --------------------------  -----  ------  ---------  ------------  --------  ------------  ------------  --------  ------------  -----------
mvtec   visa       N=3 conv_lora+dfg           all         2          2         90.00     95.80           n/a           n/a       n/a           n/a          n/a
mvtec   visa       N=3 conv_lora+dfg           mean        2          2         90.00     95.80           n/a           n/a       n/a           n/a          n/a
------  ---------  --------------------------  -----  ------  ---------  ------------  --------  ------------  ------------  --------  ------------  -----------
mvtec   visa       N=2 lora+dfg                all         2          2         85.90     90.00           n/a           n/a       n/a           n/a          n/a
mvtec   visa       N=2 lora+dfg                mean        2          2         85.90     90.00           n/a           n/a       n/a           n/a          n/a
------  ---------  --------------------------  -----  ------  ---------  ------------  --------  ------------  ------------  --------  ------------  -----------
bolts   visa       N=2 conv_lora+dfg           all         2          2         50.00       n/a           n/a           n/a       n/a           n/a          n/a
bolts   visa       N=2 conv_lora+dfg           mean        2          2         50.00       n/a           n/a           n/a       n/a           n/a          n/a

Metrics are in percent; n/a: undefined, left out of means.
±: the sample standard deviation over the seeds.

Comparison with the paper:

target     metric       WinCLIP  CLIP-AD  AnomalyCLIP  AdaCLIP  ACD-CLIP N=2  ACD-CLIP N=3  ACD-CLIP N=4  ACD-CLIP N=6  N=2 conv_lora+dfg here  difference  N=3 conv_lora+dfg here  difference  N=2 lora+dfg here  Table 2  difference
---------  -----------  -------  -------  -----------  -------  ------------  ------------  ------------  ------------  ----------------------  ----------  ----------------------  ----------  -----------------  -------  ----------
mvtec (~)  image AUROC     89.3     89.8         90.3     90.7          90.9          90.7          92.4          90.7            92.00 ± 1.00       +1.10                   90.00       -0.70              85.90     85.9       +0.00
mvtec (~)  image AP        92.9     95.3         95.1     95.2          95.7          95.8          96.8          95.7                     n/a           -                   95.80       +0.00              90.00        -           -
mvtec (~)  pixel AUROC     85.1     89.8         91.1     86.8          91.7          91.4          90.9          90.0            91.70 ± 0.00       +0.00                     n/a           -                n/a     87.6           -
mvtec (~)  pixel AP        18.0     40.0         34.5     38.1          44.1          43.6          44.0          43.1                     n/a           -                     n/a           -                n/a        -           -

Means in percent. Table 1 of the ACD-CLIP paper; trained on VisA, for VisA on MVTec-AD. The difference is to the paper's figure for the same N, if there is one; for an ablation to Table 2 of the ACD-CLIP paper: MVTec-AD, N = 2, which gives only AUROC.
(~) is not comparable with the paper:
  mvtec: 4 pictures, where the public list has 1725
`
	got := write(t, e, FormatTable)
	if got != want[1:] {
		t.Errorf("got\n%s\nwant\n%s", got, want[1:])
	}
	if latex := write(t, e, FormatLaTeX); !strings.Contains(latex, `92.00 $\pm$ 1.00`) || strings.Count(latex, `\begin{tabular}`) != 2 {
		t.Errorf("LaTeX\n%s", latex)
	}
}

// TestSeedsInFiles checks the mean and the deviation over seeds in JSON and CSV.
func TestSeedsInFiles(t *testing.T) {
	var got struct {
		Seeds []struct {
			Target          string
			Groups          int
			Adapter, Fusion string
			Seeds           []uint64
			Mean, Deviation map[string]*float64
		}
		Results []struct {
			Paper *struct {
				Source     string
				Image      []map[string]any
				Difference map[string]float64
			}
		}
	}
	if err := json.Unmarshal([]byte(write(t, seeded(), FormatJSON)), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Seeds) != 1 || len(got.Seeds[0].Seeds) != 3 || got.Seeds[0].Target != "mvtec" || got.Seeds[0].Adapter != "conv_lora" || got.Seeds[0].Fusion != "dfg" {
		t.Fatalf("seeds %+v", got.Seeds)
	}
	mean, deviation := got.Seeds[0].Mean["image_auroc"], got.Seeds[0].Deviation["image_auroc"]
	if mean == nil || *mean != 0.92 || *deviation < 0.0099999 || *deviation > 0.0100001 || got.Seeds[0].Mean["image_ap"] != nil {
		t.Errorf("mean and deviation %+v", got.Seeds[0])
	}
	if p := got.Results[0].Paper; p == nil || len(p.Image) != 8 || p.Image[0]["auroc"] != 0.893 || p.Difference["pixel_auroc"] != 0 {
		t.Errorf("paper %+v", p)
	}
	if whole, ablation := got.Results[0].Paper.Source, got.Results[4].Paper.Source; strings.Contains(whole, "Table 2") || !strings.Contains(ablation, "Table 2") {
		t.Errorf("the differences are to %q and for an ablation to %q", whole, ablation)
	}
	if got.Results[5].Paper != nil {
		t.Error("the paper has figures for a set of one's own")
	}
	var csv bytes.Buffer
	if err := seeded().WriteCSV(&csv); err != nil {
		t.Fatal(err)
	}
	if text := csv.String(); !strings.Contains(text, "\nmvtec,visa,,2,conv_lora,dfg,,seeds_mean,,,,,,0.92,,") || !strings.Contains(text, "seeds_std") {
		t.Errorf("CSV\n%s", text)
	}
}

// TestSeriesAreOfOneSetup checks that only results that differ solely in the seed are averaged.
func TestSeriesAreOfOneSetup(t *testing.T) {
	cases := []struct {
		name   string
		change func(*Result)
		series int
	}{
		{"seeds", func(*Result) {}, 1},
		{"another setup", func(r *Result) { r.Checkpoint.Setup = "other" }, 2},
		{"no setup", func(r *Result) { r.Checkpoint.Setup = "" }, 2},
		{"no seed", func(r *Result) { r.Checkpoint.Seed = nil }, 2},
		{"the same seed", func(r *Result) { r.Checkpoint.Seed = new(uint64(0)) }, 2},
		{"other pictures", func(r *Result) { r.ListHash = "sha256:other" }, 2},
		{"a leak", func(r *Result) { r.Leak = true }, 2},
		{"fewer classes", func(r *Result) { r.Classes = nil }, 2},
	}
	for _, c := range cases {
		e := &Evaluation{Results: seeded().Results[:2]}
		c.change(&e.Results[1])
		all := e.allSeries()
		if len(all) != c.series {
			t.Errorf("%s: %d series, want %d", c.name, len(all), c.series)
		}
		e.tables(false) // whatever a file said of the classes, it is shown
		if len(all) == 2 && all[0].label == all[1].label && e.Results[0].Checkpoint.Path != e.Results[1].Checkpoint.Path {
			t.Errorf("%s: both are called %s", c.name, all[0].label)
		}
	}
}

// TestHeadingsAndNotesAreEscaped: headings and notes contain labels and names that come from files.
func TestHeadingsAndNotesAreEscaped(t *testing.T) {
	e := seeded()
	ablation := &e.Results[4]
	ablation.Checkpoint.Variant, ablation.Target = variantOf(2, "lora", "a_b"), "my_set\x1b\n"
	ablation.Deviations = []string{"its counts differ"}
	for format, want := range map[Format][]string{
		FormatLaTeX:    {`& N=2 lora+a\_b here &`, "my_set\uFFFD\uFFFD: its counts differ"},
		FormatMarkdown: {`| N=2 lora+a\_b here |`, "my\\_set\uFFFD\uFFFD: its counts differ"},
		FormatTable:    {"N=2 lora+a_b here", "my_set\uFFFD\uFFFD: its counts differ"},
	} {
		text := write(t, e, format)
		for _, part := range want {
			if !strings.Contains(text, part) {
				t.Errorf("%s: no %q in\n%s", format, part, text)
			}
		}
	}
}
