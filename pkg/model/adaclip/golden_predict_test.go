package adaclip_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"acdclip/internal/golden"
	"acdclip/pkg/config"
	"acdclip/pkg/data"
	"acdclip/pkg/detect"
	"acdclip/pkg/domain"
	"acdclip/pkg/events"
	"acdclip/pkg/model/methods"
	"acdclip/pkg/scoring"
)

// expectation is what the released code gives for the golden pictures.
type expectation struct {
	Checkpoint string
	CLIP       string `json:"clip"`
	ImageSize  int    `json:"image_size"`
	Levels     []int
	Clusters   int
	Seed       int `json:"kmeans_seed"`
	Name       string
	Images     map[string]struct {
		Score   float64
		MapMax  float64 `json:"map_max"`
		MapMean float64 `json:"map_mean"`
		NoHSF   float64 `json:"score_no_hsf"`
	}
}

// TestGoldenPredict scores the golden pictures in the same way as the command predict.
func TestGoldenPredict(t *testing.T) {
	golden.Run(t, []string{"methods/predict_prompts.json", "methods/adaclip_1.pth", "predict"}, func(t *testing.T, f golden.Folder) {
		text, err := os.ReadFile(f.File("methods/predict_prompts.json"))
		if err != nil {
			t.Fatal(err)
		}
		var file struct{ AdaCLIP expectation }
		if err := json.Unmarshal(text, &file); err != nil {
			t.Fatal(err)
		}
		want := file.AdaCLIP
		if want.CLIP == "" {
			want.CLIP = "../clip_tiny_openai.pt"
		}
		if len(want.Images) == 0 {
			t.Fatal("no pictures")
		}
		for _, fused := range []bool{true, false} {
			t.Run(fmt.Sprint("fusion ", fused), func(t *testing.T) { comparePredictions(t, f, want, fused) })
		}
	})
}

func comparePredictions(t *testing.T, f golden.Folder, want expectation, fused bool) {
	levels := strings.Trim(strings.ReplaceAll(fmt.Sprint(want.Levels), " ", ","), "[]")
	set := []string{
		"method=adaclip", "device=cpu", "threads=1", "clip=" + f.File("methods/"+want.CLIP), fmt.Sprint("model.image_size=", want.ImageSize),
		"model.levels=" + levels, fmt.Sprint("model.hsf.clusters=", want.Clusters), fmt.Sprint("model.hsf.seed=", want.Seed),
	}
	if !fused {
		set = append(set, "model.hsf.weight=0")
	}
	loaded, err := methods.All().Catalog().Load(config.Sources{Set: set, OwnModel: true})
	if err != nil {
		t.Fatal(err)
	}
	ignore := func(events.Event) {}
	d, err := detect.Open(context.Background(), detect.Options{Methods: methods.All(), Config: loaded, Checkpoint: f.File("methods/" + want.Checkpoint), Emit: ignore})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	inputs, err := data.Scan(context.Background(), []string{f.File("predict")}, data.ScanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	inputs = slices.DeleteFunc(inputs, func(input data.Found) bool { return filepath.Ext(input.Path) != ".png" })
	scored := 0
	options := detect.PredictOptions{Inputs: inputs, PromptOf: func(data.Found) string { return want.Name }, Domain: domain.Industrial, Batch: 3}
	err = detect.Predict(context.Background(), d, options, ignore, func(input data.Found, got scoring.Scored) error {
		if got.Err != nil {
			return got.Err
		}
		expected, known := want.Images[filepath.Base(input.Path)]
		if !known {
			return nil
		}
		scored++
		score := expected.Score
		if !fused {
			score = expected.NoHSF
		}
		sum := 0.0
		for _, value := range got.Map.Scores {
			sum += float64(value)
		}
		for what, pair := range map[string][2]float64{
			"score": {float64(got.Score), score}, "class probability": {float64(*got.ClassProbability), score},
			"map's maximum": {float64(got.MapMax), expected.MapMax}, "map's mean": {sum / float64(len(got.Map.Scores)), expected.MapMean},
		} {
			if !(math.Abs(pair[0]-pair[1]) <= 5e-5) {
				t.Errorf("%s: the %s is %.7f, want %.7f", input.Path, what, pair[0], pair[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if scored != len(want.Images) {
		t.Errorf("%d pictures were scored, want %d", scored, len(want.Images))
	}
}
