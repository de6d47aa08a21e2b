package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"acdclip/internal/golden"
	"acdclip/pkg/config/section"
	"acdclip/pkg/domain"
	"acdclip/pkg/model/acdclip/options"
)

func configFile(name string) string { return filepath.Join(golden.Root(), "configs", name) }

func TestConfigFilesEqualTheirPresets(t *testing.T) {
	for _, name := range []string{options.Paper, options.Released} {
		t.Run(name, func(t *testing.T) {
			path := configFile(name + ".yaml")
			other := options.Paper
			if name == options.Paper {
				other = options.Released
			}
			// Loading over the other preset shows that the file itself sets every value.
			loaded, err := catalog().Load(Sources{Preset: other, Files: []string{path}})
			if err != nil {
				t.Fatal(err)
			}
			want, err := preset(name)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(loaded.Config, want) {
				t.Errorf("%s is\n%+v\nthe preset is\n%+v", path, loaded.Config, want)
			}
			assertEveryKey(t, path, loaded)
		})
	}
}

// assertEveryKey checks that the file sets each key, or shows it in a comment if the preset has no value for it.
func assertEveryKey(t *testing.T, path string, loaded Loaded) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys(t) {
		_, set := loaded.Set[key.Name]
		last := key.Name[strings.LastIndex(key.Name, ".")+1:]
		if !set && !strings.Contains(string(text), "# "+last+": ") {
			t.Errorf("%s does not show %s", path, key.Name)
		}
	}
}

func TestPairingFile(t *testing.T) {
	loaded, err := catalog().Load(Sources{Files: []string{configFile("pairing.yaml")}})
	if err != nil {
		t.Fatal(err)
	}
	data := loaded.Config.Data
	if got := data.Roots["brain"]; got != (Root{Path: "/data/brain_mri", Domain: domain.Medical}) {
		t.Errorf("brain is %+v", got)
	}
	for target, want := range map[string]string{"visa": "mvtec", "mvtec": "visa", "brain": "visa"} {
		if got, ok := data.AuxiliaryOf(target); !ok || got != want {
			t.Errorf("auxiliary of %s is %q, want %q", target, got, want)
		}
	}
	want := filepath.Join(golden.Root(), "runs", "visa-n3-paper", "last.safetensors")
	if got := loaded.Config.Checkpoints["visa"]; len(got) != 1 || got[0] != want {
		t.Errorf("checkpoints of visa are %v, want %s", got, want)
	}
}

// TestPresetsDiffer lists the values in which the presets differ, written out independently of the code.
func TestPresetsDiffer(t *testing.T) {
	paper, _ := preset(options.Paper)
	released, _ := preset(options.Released)
	differing := map[string][2]any{
		"preset":                       {options.Paper, options.Released},
		"model.image_size":             {336, 518},
		"model.groups":                 {3, 4},
		"model.adapter.projections":    {options.SharedProjections, options.PerBranch},
		"model.adapter.scale":          {options.InverseKernel, options.AlphaOverRank},
		"model.adapter.merge":          {options.Residual, options.Rescale},
		"model.adapter.init":           {options.InitPaper, options.InitReleased},
		"model.fusion.similarity":      {options.Cosine, options.Dot},
		"model.fusion.average":         {options.Probabilities, options.Logits},
		"model.fusion.smoothing":       {options.NoSmoothing, options.Gaussian},
		"model.classification.feature": {options.CLSFeature, options.DetectionFeature},
		"model.score.classification":   {0.5, 0.9},
		"model.score.map":              {0.5, 0.1},
		"loss.dice_form":               {options.DiceAbnormal, options.DiceBoth},
		"loss.focal_form":              {options.FocalProbability, options.FocalOneHot},
	}
	for _, option := range wholeSchema().options() {
		p := option.value(reflect.ValueOf(paper)).Interface()
		r := option.value(reflect.ValueOf(released)).Interface()
		want, differs := differing[option.key]
		switch {
		case differs && (p != want[0] || r != want[1]):
			t.Errorf("%s is %v and %v, want %v", option.key, p, r, want)
		case !differs && !reflect.DeepEqual(p, r):
			t.Errorf("%s is %v and %v, want the same", option.key, p, r)
		}
	}
}

func TestPresetsAreValidAndTheCallersOwn(t *testing.T) {
	for _, name := range []string{options.Paper, options.Released} {
		c, err := preset(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := section.Join(c.problems(wholeSchema(), nil)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		c.Model.(*options.Model).Adapter.Kernels[0] = 99
		c.Data.Roots["x"] = Root{}
		again, _ := preset(name)
		if again.Model.(*options.Model).Adapter.Kernels[0] == 99 || len(again.Data.Roots) > 0 {
			t.Errorf("%s: a caller's change shows in the next preset", name)
		}
	}
	if _, err := preset("papre"); err == nil || err.Error() != "preset: must be paper or released, is papre (did you mean paper?)" {
		t.Errorf("unknown preset: %v", err)
	}
}
