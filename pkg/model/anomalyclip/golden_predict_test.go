package anomalyclip_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"acdclip/internal/golden"
	"acdclip/pkg/config"
	"acdclip/pkg/data"
	"acdclip/pkg/detect"
	"acdclip/pkg/domain"
	"acdclip/pkg/events"
	"acdclip/pkg/model/anomalyclip/options"
	"acdclip/pkg/model/methods"
	"acdclip/pkg/scoring"
)

// expected is the part of predict_prompts.json for this method. The scores are the
// released code's.
type expected struct {
	CLIP       string `json:"clip"` // relative to the file
	Checkpoint string
	ImageSize  int `json:"image_size"`
	Levels     []int
	VVFrom     int `json:"vv_from"`
	Images     map[string]struct {
		Score   float64
		MapMax  float64 `json:"map_max"`
		MapMean float64 `json:"map_mean"`
	}
}

// TestGoldenPredict scores the golden pictures with the authors' file in the same way as
// the command predict.
func TestGoldenPredict(t *testing.T) {
	golden.Run(t, []string{"methods/predict_prompts.json", "methods/anomalyclip_1.pth", "predict"}, func(t *testing.T, f golden.Folder) {
		text, err := os.ReadFile(f.File("methods/predict_prompts.json"))
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]json.RawMessage{}
		want := expected{CLIP: "../clip_tiny_openai.pt"}
		if err := json.Unmarshal(text, &all); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(all[options.Name], &want); err != nil || len(want.Images) == 0 {
			t.Fatalf("%v, %d pictures", err, len(want.Images))
		}
		comparePredictions(t, f, want)
	})
}

func comparePredictions(t *testing.T, f golden.Folder, want expected) {
	loaded, err := methods.All().Catalog().Load(config.Sources{OwnModel: true, Set: []string{
		"method=" + options.Name, "device=cpu", "threads=1", "clip=" + f.File(filepath.Join("methods", want.CLIP)),
		fmt.Sprint("model.image_size=", want.ImageSize), fmt.Sprint("model.vv_from=", want.VVFrom),
		"model.levels=" + strings.ReplaceAll(strings.Trim(fmt.Sprint(want.Levels), "[]"), " ", ","),
	}})
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
	seen := 0
	predict := detect.PredictOptions{Inputs: inputs, PromptOf: func(data.Found) string { return "object" }, Domain: domain.Industrial, Batch: 3}
	err = detect.Predict(context.Background(), d, predict, ignore, func(input data.Found, scored scoring.Scored) error {
		picture, found := want.Images[filepath.Base(input.Path)]
		if !found || scored.Err != nil {
			return scored.Err
		}
		seen++
		mean := 0.0
		for _, value := range scored.Map.Scores {
			mean += float64(value) / float64(len(scored.Map.Scores))
		}
		for what, pair := range map[string][2]float64{
			"score": {float64(scored.Score), picture.Score}, "class probability": {float64(*scored.ClassProbability), picture.Score},
			"map_max": {float64(scored.MapMax), picture.MapMax}, "map_mean": {mean, picture.MapMean},
		} {
			if !(math.Abs(pair[0]-pair[1]) <= 1e-5) {
				t.Errorf("%s: %s is %.7f, want %.7f", input.Path, what, pair[0], pair[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen != len(want.Images) {
		t.Errorf("%d pictures were scored, want %d", seen, len(want.Images))
	}
}
