package paper_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"acdclip/internal/golden"
	"acdclip/pkg/config"
	"acdclip/pkg/data"
	"acdclip/pkg/model/acdclip/options"
	"acdclip/pkg/model/card"
	"acdclip/pkg/paper"
)

// TestFigures compares the tables with a second transcription of the paper's.
func TestFigures(t *testing.T) {
	file := filepath.Join(golden.Root(), "..", "shared", "docs", "paper_tables.json")
	content, err := os.ReadFile(file)
	if err != nil {
		t.Skipf("the paper's tables are not here: %v", err)
	}
	var tables struct {
		Rows []struct {
			Level   paper.Level
			Dataset string
			Values  map[string][2]float64
		}
		Table2 struct {
			Rows []struct {
				Configuration string
				Pixel, Image  float64
			}
		}
	}
	if err := json.Unmarshal(content, &tables); err != nil {
		t.Fatal(err)
	}
	same := func(what string, fraction, percent float64) {
		t.Helper()
		if math.Abs(100*fraction-percent) > 1e-9 {
			t.Errorf("%s: %g, want %g percent", what, fraction, percent)
		}
	}
	for _, row := range tables.Rows {
		b, known := data.FindBenchmark(row.Dataset)
		if !known {
			t.Fatalf("no benchmark is called %s", row.Dataset)
		}
		figures := paper.Figures(b.Key, row.Level)
		if len(figures) != len(row.Values) {
			t.Errorf("%s, %s: %d figures, want %d", row.Dataset, row.Level, len(figures), len(row.Values))
		}
		for _, f := range figures {
			want, known := row.Values[f.Method]
			if !known {
				t.Errorf("the paper has no %s", f.Method)
			}
			same(row.Dataset+" "+f.Method, f.AUROC, want[0])
			same(row.Dataset+" "+f.Method, f.AP, want[1])
		}
	}
	kinds := [][2]string{{"lora", "static"}, {"conv_lora", "static"}, {"lora", "dfg"}, {"conv_lora", "dfg"}}
	for i, row := range tables.Table2.Rows {
		for level, want := range map[paper.Level]float64{paper.Image: row.Image, paper.Pixel: row.Pixel} {
			got, known := modelOf(kinds[i][0], kinds[i][1], 2).Figure("MVTec", level)
			if !known {
				t.Errorf("no figure for %s", row.Configuration)
			}
			same(row.Configuration, got.AUROC, want)
		}
	}
}

// TestEveryBenchmarkIsKnown checks that all keys are in the program's table of benchmarks
// and that 8 of the 11 benchmarks with pixel figures have image figures too.
func TestEveryBenchmarkIsKnown(t *testing.T) {
	var image, pixel []string
	for _, b := range data.Benchmarks() {
		if paper.Figures(b.Key, paper.Image) != nil {
			image = append(image, b.Key)
		}
		if paper.Figures(b.Key, paper.Pixel) != nil {
			pixel = append(pixel, b.Key)
		}
		if _, known := data.FindBenchmark(paper.Auxiliary(b.Key)); !known || paper.Auxiliary(b.Key) == b.Key {
			t.Errorf("%s is trained on %s", b.Key, paper.Auxiliary(b.Key))
		}
	}
	if len(image) != 8 || len(pixel) != 11 || slices.Contains(pixel, "Colon_cvc300") {
		t.Errorf("image figures of %s; pixel figures of %s", strings.Join(image, ", "), strings.Join(pixel, ", "))
	}
}

func modelOf(adapter, fusion string, groups int) paper.Model {
	return paper.ModelOf("acdclip", map[string]any{"groups": groups, "adapter": adapter, "fusion": fusion})
}

// TestModels checks that each model of Table 1 gets the figure of its own column, and that only ACD-CLIP has ablations.
func TestModels(t *testing.T) {
	for _, test := range []struct {
		model    paper.Model
		ablation bool
		auroc    float64 // 0: no figure
	}{
		{modelOf("conv_lora", "dfg", 3), false, 0.907},
		{modelOf("conv_lora", "dfg", 5), false, 0},
		{modelOf("lora", "static", 2), true, 0.812},
		{paper.ModelOf("winclip", nil), false, 0.893},
		{paper.ModelOf("other", map[string]any{"adapter": "lora"}), false, 0},
	} {
		figure, known := test.model.Figure("MVTec", paper.Image)
		if test.model.IsAblation() != test.ablation || known != (test.auroc > 0) || figure.AUROC != test.auroc {
			t.Errorf("%+v: %+v, %v, an ablation: %v", test.model, figure, known, test.model.IsAblation())
		}
	}
}

func TestNoFigures(t *testing.T) {
	if f := paper.Figures("", paper.Image); f != nil {
		t.Errorf("%v", f)
	}
	for _, groups := range []int{2, 3} {
		_, known := modelOf("lora", "dfg", groups).Figure("MVTec", paper.Image)
		if known != (groups == 2) {
			t.Errorf("N = %d: %v", groups, known)
		}
	}
	if _, known := modelOf("lora", "dfg", 2).Figure("VisA", paper.Image); known {
		t.Error("VisA has a figure in Table 2")
	}
}

// TestAblationConfigurations checks that the files in configs/ablation and the rows of Table 2 correspond one to one.
func TestAblationConfigurations(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(golden.Root(), "configs", "ablation", "*.yaml"))
	if err != nil || len(files) != 4 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	rows := map[float64]string{}
	for _, file := range files {
		loaded, err := config.Catalog{Methods: card.List{options.Card()}}.Load(config.Sources{Files: []string{file}})
		if err != nil {
			t.Fatal(err)
		}
		m := loaded.Config.Model.(*options.Model)
		figure, known := modelOf(string(m.Adapter.Kind), string(m.Fusion.Kind), m.Groups).Figure("MVTec", paper.Image)
		if want := filepath.Base(file); !known || string(m.Adapter.Kind)+"_"+string(m.Fusion.Kind)+".yaml" != want {
			t.Errorf("%s is %s and %s with N = %d", want, m.Adapter.Kind, m.Fusion.Kind, m.Groups)
		}
		rows[figure.AUROC] = file
	}
	if len(rows) != 4 {
		t.Errorf("the files are of the rows %v", rows)
	}
}
