package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/golden"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/config"
	"acdclip/pkg/data"
	"acdclip/pkg/events"
	"acdclip/pkg/model"
)

// TestGoldenTraining takes the three steps of the released code through the
// step that Train takes, and compares every loss and the parameters after them.
func TestGoldenTraining(t *testing.T) {
	for _, n := range []int{2, 3, 4, 6} {
		file, adapters := fmt.Sprintf("released_n%d.safetensors", n), fmt.Sprintf("released_n%d_adapter_1.pth", n)
		t.Run(fmt.Sprintf("n%d", n), func(t *testing.T) {
			golden.Run(t, []string{file, adapters, "clip_tiny_openai.pt"}, func(t *testing.T, f golden.Folder) {
				compareTraining(t, golden.Open(t, f.File(file)), f.File(adapters), f.File("clip_tiny_openai.pt"))
			})
		})
	}
}

func compareTraining(t *testing.T, want *golden.Tensors, adapters, clip string) {
	c, err := checkpoint.Open(adapters)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	options := c.Metadata.Model
	if options.ImageSize, err = strconv.Atoi(want.Metadata["image_size"]); err != nil {
		t.Fatal(err)
	}
	cfg := load(t, "preset=released", "device=cpu", "threads=1", "clip="+clip).Config
	b, err := openBase(context.Background(), cfg, options)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	method, err := b.method(b.scope, c.Metadata.Method, model.Options{Model: options, Loss: c.Metadata.Loss, Values: c})
	if err != nil {
		t.Fatal(err)
	}
	losses := want.Take(t, "losses")
	columns := int(losses.Shape[1])
	err = b.runtime.Do(context.Background(), func(s *torch.Scope) error {
		trainer := NewTrainer(s, method, cfg.Train)
		for step := range int(losses.Shape[0]) {
			err := s.Within(func(inner *torch.Scope) error {
				loss, parts, err := trainer.Step(context.Background(), inner, goldenBatch(t, inner, want))
				if err == nil {
					compareLosses(t, step, loss, parts, losses.Data[step*columns:(step+1)*columns])
				}
				return err
			})
			if err != nil {
				return err
			}
			if step == 1 {
				trainer.EndEpoch()
			}
		}
		compareParameters(t, want, method)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func goldenBatch(t *testing.T, s *torch.Scope, want *golden.Tensors) model.Batch {
	_, name, _ := strings.Cut(want.Metadata["class"], " = ")
	picture, mask, label := want.Take(t, "in.image"), want.Take(t, "in.mask"), want.Take(t, "in.label")
	b := model.Batch{
		Pictures: s.FromFloat32(picture.Float32(), picture.Shape...),
		Masks:    s.FromFloat32(mask.Float32(), mask.Shape[0], mask.Shape[2], mask.Shape[3]),
		ClassOf:  make([]int, len(label.Data)), Classes: []model.Class{{Prompt: name, Domain: domain.Industrial}},
	}
	for _, value := range label.Data {
		b.Labels = append(b.Labels, int64(value))
	}
	return b
}

// compareLosses wants the columns cross-entropy, focal, dice of both maps, total.
func compareLosses(t *testing.T, step int, loss float64, parts events.Values, want []float64) {
	t.Helper()
	got := []float64{parts[0].Value, parts[1].Value, parts[2].Value, parts[3].Value, loss}
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= 1e-5*math.Abs(want[i])) {
			t.Errorf("step %d, loss column %d: got %.9g, want %.9g", step, i, got[i], want[i])
		}
	}
}

func compareParameters(t *testing.T, want *golden.Tensors, method model.Trainable) {
	t.Helper()
	values := map[string][]float32{}
	for _, group := range method.Groups() {
		for _, p := range group.Parameters {
			values[p.Name] = p.Tensor.Float32s()
		}
	}
	var all, off int
	worst := map[bool]float64{}
	for _, name := range want.Names("after3.") {
		own, known := checkpoint.OwnName(strings.TrimPrefix(name, "after3."))
		expected := want.Take(t, name)
		if !known || len(values[own]) != len(expected.Data) {
			t.Errorf("%s: no parameter %s of %d values", name, own, len(expected.Data))
			continue
		}
		text := strings.HasPrefix(own, "text.")
		for i, value := range values[own] {
			difference := math.Abs(float64(value) - expected.Data[i])
			worst[text] = max(worst[text], difference)
			if all++; !(difference <= 1e-5) {
				off++
			}
		}
	}
	if !(worst[false] <= 6e-5) || !(worst[true] <= 2e-5) {
		t.Errorf("after three steps: largest differences vision %.3g, text %.3g", worst[false], worst[true])
	}
	if all == 0 || float64(off) > 0.001*float64(all) {
		t.Errorf("after three steps: %d of %d values are off by more than 1e-5", off, all)
	}
	t.Logf("largest differences: vision %.3g, text %.3g; %d of %d values off by more than 1e-5", worst[false], worst[true], off, all)
}

// TestGoldenPredict scores the golden pictures as predict does.
func TestGoldenPredict(t *testing.T) {
	golden.Run(t, []string{"predict/expected.json", "clip_tiny_openai.pt", "released_n3_adapter_1.pth"}, func(t *testing.T, f golden.Folder) {
		text, err := os.ReadFile(f.File("predict/expected.json"))
		if err != nil {
			t.Fatal(err)
		}
		var want expectation
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		if want.Preset != "released" || want.Groups != 3 || len(want.Images) == 0 {
			t.Fatalf("expected.json is for preset %q, N %d, %d pictures", want.Preset, want.Groups, len(want.Images))
		}
		for _, domain := range []domain.Domain{domain.Industrial, domain.Medical} {
			t.Run(string(domain), func(t *testing.T) { comparePredictions(t, f, want, domain) })
		}
	})
}

type expectation struct {
	Prompt    string
	ImageSize int `json:"image_size"`
	Groups    int
	Preset    string
	Images    map[string]struct {
		Score            float64
		ScoreMedical     float64 `json:"score_medical"`
		ClassProbability float64 `json:"class_probability"`
		MapMax           float64 `json:"map_max"`
		MapMean          float64 `json:"map_mean"`
	}
}

func comparePredictions(t *testing.T, f golden.Folder, want expectation, domain domain.Domain) {
	loaded := load(t, "device=cpu", "threads=1", "clip="+f.File("clip_tiny_openai.pt"), fmt.Sprintf("model.image_size=%d", want.ImageSize))
	var seen eventList
	d, err := OpenDetector(context.Background(), DetectorOptions{Config: loaded, Checkpoint: f.File("released_n3_adapter_1.pth"), Emit: seen.emit})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	inputs, err := data.Scan(context.Background(), []string{f.File("predict")}, data.ScanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	times := map[string]int{}
	options := PredictOptions{Inputs: inputs, PromptOf: func(data.Found) string { return want.Prompt }, Domain: domain, Batch: 3}
	err = d.Predict(context.Background(), options, seen.emit, func(input data.Found, scored Scored) error {
		if scored.Err != nil {
			return scored.Err
		}
		extension := filepath.Ext(input.Path)
		name := strings.TrimSuffix(filepath.Base(input.Path), extension)
		expected := want.Images[name]
		limit := 1e-5
		if extension == ".jpg" {
			limit = 2e-3
		}
		compared := map[string][2]float64{
			"score":             {float64(scored.Score), expected.Score},
			"class_probability": {float64(*scored.ClassProbability), expected.ClassProbability},
			"map_max":           {float64(scored.MapMax), expected.MapMax},
			"map_mean":          {mean(scored.Map.Scores), expected.MapMean},
		}
		if domain == domain.Medical { // the golden maps are smoothed for industrial pictures
			compared["score"] = [2]float64{float64(scored.Score), expected.ScoreMedical}
			delete(compared, "map_max")
			delete(compared, "map_mean")
		}
		for what, pair := range compared {
			if !(math.Abs(pair[0]-pair[1]) <= limit) {
				t.Errorf("%s: %s is %.7f, want %.7f", input.Path, what, pair[0], pair[1])
			}
		}
		times[name]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range want.Images {
		if times[name] != 2 { // JPEG and PNG
			t.Errorf("%s was scored %d times, want twice", name, times[name])
		}
	}
}

func mean(values []float32) float64 {
	sum := 0.0
	for _, value := range values {
		sum += float64(value)
	}
	return sum / float64(len(values))
}
