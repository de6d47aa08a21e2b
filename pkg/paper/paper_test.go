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
	"acdclip/pkg/paper"
)

// TestFigures compares with the paper's tables as they were carried over.
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
			if !known || strings.HasPrefix(f.Method, "ACD-CLIP") != (f.Groups() > 0) {
				t.Errorf("the paper has no %s", f.Method)
			}
			same(row.Dataset+" "+f.Method, f.AUROC, want[0])
			same(row.Dataset+" "+f.Method, f.AP, want[1])
		}
	}
	kinds := [][2]string{{"lora", "static"}, {"conv_lora", "static"}, {"lora", "dfg"}, {"conv_lora", "dfg"}}
	for i, row := range tables.Table2.Rows {
		for level, want := range map[paper.Level]float64{paper.Image: row.Image, paper.Pixel: row.Pixel} {
			got, known := paper.Ablation("MVTec", level, kinds[i][0], kinds[i][1], 2)
			if !known {
				t.Errorf("no figure for %s", row.Configuration)
			}
			same(row.Configuration, got, want)
		}
	}
}

// TestEveryBenchmarkIsKnown: keys are those of the program's table, and 8 of the
// 11 benchmarks with pixel figures have image figures too.
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

func TestNoFigures(t *testing.T) {
	if f := paper.Figures("", paper.Image); f != nil {
		t.Errorf("%v", f)
	}
	for _, groups := range []int{2, 3} {
		_, known := paper.Ablation("MVTec", paper.Image, "lora", "dfg", groups)
		if known != (groups == 2) {
			t.Errorf("N = %d: %v", groups, known)
		}
	}
	if _, known := paper.Ablation("VisA", paper.Image, "lora", "dfg", 2); known {
		t.Error("VisA has a figure in Table 2")
	}
}

// TestAblationConfigurations: each file of configs/ablation is a row of Table 2, and each row has one.
func TestAblationConfigurations(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(golden.Root(), "configs", "ablation", "*.yaml"))
	if err != nil || len(files) != 4 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	rows := map[float64]string{}
	for _, file := range files {
		loaded, err := config.Load(config.Sources{Files: []string{file}})
		if err != nil {
			t.Fatal(err)
		}
		m := loaded.Config.Model
		auroc, known := paper.Ablation("MVTec", paper.Image, string(m.Adapter.Kind), string(m.Fusion.Kind), m.Groups)
		if want := filepath.Base(file); !known || string(m.Adapter.Kind)+"_"+string(m.Fusion.Kind)+".yaml" != want {
			t.Errorf("%s is %s and %s with N = %d", want, m.Adapter.Kind, m.Fusion.Kind, m.Groups)
		}
		rows[auroc] = file
	}
	if len(rows) != 4 {
		t.Errorf("the files are of the rows %v", rows)
	}
}
