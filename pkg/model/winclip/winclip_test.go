package winclip

import (
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/cliptest"
	"acdclip/internal/golden"
	"acdclip/pkg/clip"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/clip/tokenizer"
	"acdclip/pkg/domain"
	"acdclip/pkg/model"
	"acdclip/pkg/model/prompt"
	"acdclip/pkg/model/winclip/options"
)

// tiny is a CLIP with patches of 7 pixels.
func tiny() string { return filepath.Join(golden.Root(), "testdata", "golden", "clip_tiny_hf") }

// with builds a preset, changed by change, for 35 pixels: 5 x 5 patches.
func with(t *testing.T, preset string, change func(o *options.Model), f func(s *torch.Scope, m *Model) error) {
	t.Helper()
	own, _ := options.Preset(preset)
	own.ImageSize = 35
	if change != nil {
		change(&own)
	}
	err := cliptest.With(t, tiny(), clip.Options{ImageSize: 35}, func(s *torch.Scope, c *clip.Model, tok *tokenizer.Tokenizer) error {
		m, err := New(s, model.Options{CLIP: c, Tokenizer: tok, Model: &own})
		if err != nil {
			return err
		}
		return f(s, m)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// drawn returns B pictures of a pattern.
func drawn(s *torch.Scope, batch int) torch.Tensor {
	values := make([]float32, batch*3*35*35)
	for i := range values {
		values[i] = float32(math.Sin(float64(i*i%977))) + float32(i%7)/7
	}
	return s.FromFloat32(values, int64(batch), 3, 35, 35)
}

// TestGrid compares every mixture of options with the formulas in float64.
func TestGrid(t *testing.T) {
	for _, mean := range []options.Mean{options.MeanAbnormal, options.MeanNormal} {
		for _, imageScale := range []bool{false, true} {
			with(t, options.Anomalib, func(o *options.Model) { o.Mean, o.ImageScale = mean, imageScale }, func(s *torch.Scope, m *Model) error {
				p := func(seed, windows int) torch.Tensor { // [1, W, 2], some exactly 0
					values := make([]float32, 0, 2*windows)
					for i := range windows {
						abnormal := float32((i*7+seed)%11) / 10
						values = append(values, 1-abnormal, abnormal)
					}
					return s.FromFloat32(values, 1, int64(windows), 2)
				}
				whole, scales := p(4, 1), []torch.Tensor{p(1, 16), p(2, 9)}
				averaged := 1
				if mean == options.MeanNormal {
					averaged = 0
				}
				got := m.grid(whole, scales).Float32s()
				for patch := range 25 {
					sum, count := 0.0, 2.0
					for k, side := range []int{2, 3} {
						values := scales[k].Float64s()
						total, covering := 0.0, 0.0
						for w, patches := range windowsOf(5, side) {
							if slices.Contains(patches, patch) {
								total += 1 / values[2*w+averaged]
								covering++
							}
						}
						sum += total / covering
					}
					if imageScale {
						sum += 1 / whole.Float64s()[averaged]
						count++
					}
					want := count / sum
					if mean == options.MeanNormal {
						want = 1 - want
					}
					if math.Abs(float64(got[patch])-want) > 1e-6 {
						t.Errorf("mean %s, image scale %v, patch %d: %v, want %v", mean, imageScale, patch, got[patch], want)
					}
				}
				return nil
			})
		}
	}
}

// TestScoresDoNotDependOnOthers: on the pictures and classes beside, and on the pieces that
// windows are encoded in.
func TestScoresDoNotDependOnOthers(t *testing.T) {
	with(t, options.CaoYunkang, nil, func(s *torch.Scope, m *Model) error {
		classes := domain.Classes{Prompts: []string{"metal nut", "screw"}, Domain: domain.Industrial}
		both, err := m.Prepare(t.Context(), s, classes)
		if err != nil {
			return err
		}
		one, err := m.Prepare(t.Context(), s, domain.Classes{Prompts: classes.Prompts[1:], Domain: domain.Industrial})
		if err != nil {
			return err
		}
		joined, err := m.Join(s, []model.Prepared{one, both})
		if err != nil {
			return err
		}
		pictures := drawn(s, 3)
		together, err := m.Score(s, pictures, []int{0, 1, 1}, both)
		if err != nil {
			return err
		}
		again, err := m.Score(s, pictures, []int{1, 0, 2}, joined)
		if err != nil {
			return err
		}
		if !slices.Equal(together.Maps.Float32s(), again.Maps.Float32s()) {
			t.Error("joined classes change the maps")
		}
		alone, err := m.Score(s, pictures.Narrow(0, 1, 1), []int{0}, one)
		if err != nil {
			return err
		}
		for i, value := range together.Maps.Narrow(0, 1, 1).Float64s() {
			if math.Abs(value-alone.Maps.Float64s()[i]) > 1e-5 {
				t.Fatalf("pixel %d is %v in a batch and %v alone", i, value, alone.Maps.Float64s()[i])
			}
		}
		if highest := together.Maps.AMax(0, 1, 2).Item(); highest > 0.5 {
			t.Errorf("a map reaches %v, but they are halved", highest)
		}
		for i, c := range together.ClassProbabilities.Float64s() {
			if c <= 0 || c >= 1 {
				t.Errorf("class probability %d is %v", i, c)
			}
		}
		return nil
	})
}

func TestWrongInput(t *testing.T) {
	arch := pretrained.Arch{Patch: 7, VocabSize: tokenizer.VocabularySize}
	for says, change := range map[string]func(o *options.Model){
		"lists 6 patches, but image size 35 has only 5 x 5 patches": func(o *options.Model) { o.Windows = []int{2, 6} },
		"lists no window size":     func(o *options.Model) { o.Windows = []int{} },
		"lists 3 twice":            func(o *options.Model) { o.Windows = []int{3, 2, 3} },
		"must be more than 0":      func(o *options.Model) { o.Temperature = 0 },
		"must be abnormal or":      func(o *options.Model) { o.Mean = "geometric" },
		"must be class or map_max": func(o *options.Model) { o.Score = "mean" },
	} {
		own, _ := options.Preset(options.Anomalib)
		own.ImageSize = 35
		change(&own)
		if err := Check(arch, &own, nil); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
	own, _ := options.Preset(options.Anomalib)
	if err := Check(pretrained.Arch{Patch: 16, VocabSize: 30522}, &own, nil); !errors.Is(err, clip.ErrOptions) {
		t.Errorf("another tokenizer: %v", err)
	}
	if _, known := options.Preset("paper"); known {
		t.Error("there is no preset paper")
	}
	with(t, options.Anomalib, nil, func(s *torch.Scope, m *Model) error {
		if _, err := m.Prepare(t.Context(), s, domain.Classes{}); !errors.Is(err, prompt.ErrNoClasses) {
			t.Errorf("no classes: %v", err)
		}
		if _, err := m.Score(s, drawn(s, 1), []int{0}, "other"); err == nil {
			t.Error("classes of another method are accepted")
		}
		return nil
	})
}
