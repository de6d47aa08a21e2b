package detect

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"acdclip/internal/golden"
	"acdclip/pkg/data"
	"acdclip/pkg/domain"
	"acdclip/pkg/events"
	"acdclip/pkg/model/methods"
	"acdclip/pkg/scoring"
)

// TestGoldenPredict scores the golden pictures in the same way as the command predict.
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
		for _, of := range []domain.Domain{domain.Industrial, domain.Medical} {
			t.Run(string(of), func(t *testing.T) { comparePredictions(t, f, want, of) })
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

func comparePredictions(t *testing.T, f golden.Folder, want expectation, of domain.Domain) {
	loaded := load(t, "device=cpu", "threads=1", "clip="+f.File("clip_tiny_openai.pt"), fmt.Sprintf("model.image_size=%d", want.ImageSize))
	var seen eventList
	d, err := Open(context.Background(), Options{Methods: methods.All(), Config: loaded, Checkpoint: f.File("released_n3_adapter_1.pth"), Emit: seen.emit})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	inputs, err := data.Scan(context.Background(), []string{f.File("predict")}, data.ScanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	times := map[string]int{}
	options := PredictOptions{Inputs: inputs, PromptOf: func(data.Found) string { return want.Prompt }, Domain: of, Batch: 3}
	err = Predict(context.Background(), d, options, seen.emit, func(input data.Found, scored scoring.Scored) error {
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
		if of == domain.Medical { // the golden maps are smoothed for industrial pictures
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

// mean returns the mean of the values, after the maps if there are any.
func mean(values []float32, maps ...func(float64) float64) float64 {
	sum := 0.0
	for _, value := range values {
		each := float64(value)
		for _, f := range maps {
			each = f(each)
		}
		sum += each
	}
	return sum / float64(len(values))
}

// TestGoldenMethods scores the golden pictures with the other methods, as the command
// predict does.
func TestGoldenMethods(t *testing.T) {
	golden.Run(t, []string{"methods/predict_winclip.json"}, func(t *testing.T, f golden.Folder) {
		var want struct {
			CLIP       string
			Activation string
			ImageSize  int `json:"image_size"`
			Windows    []int
			Prompt     string
			Pictures   string
			Images     map[string]map[string]numbers
		}
		readJSON(t, f.File("methods/predict_winclip.json"), &want)
		for _, preset := range []string{"anomalib", "caoyunkang"} {
			expected := map[string]numbers{}
			for name, of := range want.Images {
				expected[name] = of[preset]
			}
			m := goldenMethod{
				folder: filepath.Join(f.Path, "methods"), clip: want.CLIP, pictures: want.Pictures, prompt: want.Prompt, limit: 1e-5,
				set: []string{"method=winclip", "preset=" + preset, fmt.Sprintf("model.image_size=%d", want.ImageSize), "model.activation=" + want.Activation, "model.windows=" + list(want.Windows)},
			}
			t.Run(preset, func(t *testing.T) { m.compare(t, expected) })
		}
	})
}

// TestGoldenCLIPAD is the same for CLIP-AD, whose golden numbers are those of its own map.
func TestGoldenCLIPAD(t *testing.T) {
	golden.Run(t, []string{"methods/predict_clip_ad.json"}, func(t *testing.T, f golden.Folder) {
		var want struct {
			CLIP, Linear, Activation, Select, Prompt, Pictures string

			ImageSize int `json:"image_size"`
			Taps      []int
			Sigma     map[string]float64
			Images    map[string]map[string]numbers
		}
		readJSON(t, f.File("methods/predict_clip_ad.json"), &want)
		selection := strings.FieldsFunc(want.Select, func(r rune) bool { return r == ' ' || r == '/' })
		levels := float64(len(want.Taps))
		for variant, checkpoint := range map[string]string{"sdp": "", "sdp_plus": want.Linear} {
			expected := map[string]numbers{}
			for name, of := range want.Images {
				expected[name] = numbers{"score": of[variant]["probability"], "map_max": of[variant]["map_max"], "map_mean": of[variant]["map_mean"]}
			}
			m := goldenMethod{
				folder: filepath.Join(f.Path, "methods"), clip: want.CLIP, checkpoint: checkpoint, pictures: want.Pictures, prompt: want.Prompt, limit: 1e-5,
				set: []string{
					"method=clip_ad", fmt.Sprintf("model.image_size=%d", want.ImageSize), "model.activation=" + want.Activation, "model.levels=" + list(want.Taps),
					"model.text.select=" + selection[0], "model.text.radius=" + selection[1], "model.text.count=" + selection[2], fmt.Sprintf("model.sigma=%g", want.Sigma[variant]),
				},
				own: func(value float64) float64 { // undoes the map to [0, 1]
					if checkpoint != "" {
						return 3*levels*value - levels
					}
					return math.Log(value/(1-value)) * levels / 200
				},
			}
			t.Run(variant, func(t *testing.T) { m.compare(t, expected) })
		}
	})
}

// TestGoldenPrompts is the same for AnomalyCLIP and AdaCLIP, with their authors' files.
func TestGoldenPrompts(t *testing.T) {
	golden.Run(t, []string{"methods/predict_prompts.json", "predict"}, func(t *testing.T, f golden.Folder) {
		type method struct {
			CLIP, Checkpoint, Name string

			ImageSize int `json:"image_size"`
			Levels    []int
			VVFrom    int `json:"vv_from"`
			Clusters  int
			Seed      int `json:"kmeans_seed"`
			Images    map[string]numbers
		}
		var want struct{ AnomalyCLIP, AdaCLIP method }
		readJSON(t, f.File("methods/predict_prompts.json"), &want)
		for _, c := range []struct {
			name, prompt, score string
			of                  method
			limit, rawScale     float64
			set                 []string
		}{
			{"anomalyclip", "object", "score", want.AnomalyCLIP, 1e-5, float64(len(want.AnomalyCLIP.Levels)), []string{fmt.Sprint("model.vv_from=", want.AnomalyCLIP.VVFrom)}},
			{"adaclip", want.AdaCLIP.Name, "score", want.AdaCLIP, 5e-5, 0, nil},
			{"adaclip", want.AdaCLIP.Name, "score_no_hsf", want.AdaCLIP, 5e-5, 0, []string{"model.hsf.weight=0"}},
		} {
			expected := map[string]numbers{}
			for name, of := range c.of.Images {
				expected[name] = numbers{"score": of[c.score], "class_probability": of[c.score], "map_max": of["map_max"], "map_mean": of["map_mean"]}
			}
			if c.name == "adaclip" {
				c.set = append(c.set, fmt.Sprint("model.hsf.clusters=", c.of.Clusters), fmt.Sprint("model.hsf.seed=", c.of.Seed))
			}
			m := goldenMethod{
				folder: filepath.Join(f.Path, "methods"), clip: cmp.Or(c.of.CLIP, "../clip_tiny_openai.pt"), checkpoint: c.of.Checkpoint, pictures: "../predict",
				prompt: c.prompt, limit: c.limit, rawScale: c.rawScale,
				set: append(c.set, "method="+c.name, fmt.Sprint("model.image_size=", c.of.ImageSize), "model.levels="+list(c.of.Levels)),
			}
			t.Run(c.name+" "+c.score, func(t *testing.T) { m.compare(t, expected) })
		}
	})
}

// numbers are the golden numbers of one picture, by name.
type numbers map[string]float64

// goldenMethod is a method and the pictures that it scores. Paths are relative to folder.
type goldenMethod struct {
	folder, clip, checkpoint, pictures, prompt string

	set   []string
	limit float64 // absolute

	// The golden numbers are those of own(value), the method's own map value of a value in
	// [0, 1]; nil: the same. rawScale is for methods whose raw maps are that many times the
	// maps that the golden numbers are of.
	own      func(value float64) float64
	rawScale float64
}

func readJSON(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func list(values []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(values), " ", ","), "[]")
}

// compare compares each picture's score, and the maximum and mean of its map.
func (m goldenMethod) compare(t *testing.T, expected map[string]numbers) {
	t.Helper()
	o := Options{
		Methods: methods.All(), Emit: func(events.Event) {},
		Config: load(t, append(m.set, "device=cpu", "threads=1", "clip="+filepath.Join(m.folder, m.clip))...),
	}
	if m.checkpoint != "" {
		o.Checkpoint = filepath.Join(m.folder, m.checkpoint)
	}
	d, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	inputs, err := data.Scan(t.Context(), []string{filepath.Join(m.folder, m.pictures)}, data.ScanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	options := PredictOptions{Inputs: inputs, PromptOf: func(data.Found) string { return m.prompt }, Domain: domain.Industrial, Batch: 3}
	err = Predict(t.Context(), d, options, func(events.Event) {}, func(input data.Found, scored scoring.Scored) error {
		if scored.Err != nil {
			return scored.Err
		}
		base := filepath.Base(input.Path)
		want, known := expected[base]
		if stem, png := strings.CutSuffix(base, ".png"); !known && png {
			want, known = expected[stem]
		}
		if !known {
			return nil
		}
		compared++
		maximum, average := float64(scored.MapMax), mean(scored.Map.Scores)
		if m.own != nil {
			maximum, average = m.own(maximum), mean(scored.Map.Scores, m.own)
		}
		if raw := scored.RawMapMax; (raw != nil) != (m.own != nil || m.rawScale != 0) || raw != nil && !(math.Abs(float64(*raw)/cmp.Or(m.rawScale, 1)-want["map_max"]) <= m.limit) {
			t.Errorf("%s: map_max_raw is %v, want %.7f", base, raw, want["map_max"])
		}
		if probability, given := want["class_probability"]; given && !(math.Abs(float64(*scored.ClassProbability)-probability) <= m.limit) {
			t.Errorf("%s: class_probability is %.7f, want %.7f", base, *scored.ClassProbability, probability)
		}
		for what, got := range map[string]float64{"score": float64(scored.Score), "map_max": maximum, "map_mean": average} {
			if !(math.Abs(got-want[what]) <= m.limit) {
				t.Errorf("%s: %s is %.7f, want %.7f", base, what, got, want[what])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if compared != len(expected) || compared == 0 {
		t.Errorf("%d of %d pictures were compared", compared, len(expected))
	}
}
