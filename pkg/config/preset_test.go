package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"acdclip/internal/golden"
)

func configFile(name string) string { return filepath.Join(golden.Root(), "configs", name) }

func TestConfigFilesEqualTheirPresets(t *testing.T) {
	for _, name := range []PresetName{Paper, Released} {
		t.Run(string(name), func(t *testing.T) {
			path := configFile(string(name) + ".yaml")
			other := Paper
			if name == Paper {
				other = Released
			}
			// Starting from the other preset shows that the file itself holds every value.
			loaded, err := Load(Sources{Preset: other, Files: []string{path}})
			if err != nil {
				t.Fatal(err)
			}
			want, err := Preset(name)
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

// assertEveryKey wants each key set in the file, or shown in a comment where a preset has no value for it.
func assertEveryKey(t *testing.T, path string, loaded Loaded) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range Keys() {
		_, set := loaded.Set[key.Name]
		last := key.Name[strings.LastIndex(key.Name, ".")+1:]
		if !set && !strings.Contains(string(text), "# "+last+": ") {
			t.Errorf("%s does not show %s", path, key.Name)
		}
	}
}

func TestPairingFile(t *testing.T) {
	loaded, err := Load(Sources{Files: []string{configFile("pairing.yaml")}})
	if err != nil {
		t.Fatal(err)
	}
	data := loaded.Config.Data
	if got := data.Roots["brain"]; got != (Root{Path: "/data/brain_mri", Domain: Medical}) {
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

// The values where the presets differ, written out once more from the design.
func TestPresetsDiffer(t *testing.T) {
	paper, _ := Preset(Paper)
	released, _ := Preset(Released)
	differing := map[string][2]any{
		"preset":                       {Paper, Released},
		"model.image_size":             {336, 518},
		"model.groups":                 {3, 4},
		"model.adapter.projections":    {SharedProjections, PerBranch},
		"model.adapter.scale":          {InverseKernel, AlphaOverRank},
		"model.adapter.merge":          {Residual, Rescale},
		"model.adapter.init":           {InitPaper, InitReleased},
		"model.fusion.similarity":      {Cosine, Dot},
		"model.fusion.average":         {Probabilities, Logits},
		"model.fusion.smoothing":       {NoSmoothing, Gaussian},
		"model.classification.feature": {CLSFeature, DetectionFeature},
		"model.score.classification":   {0.5, 0.9},
		"model.score.map":              {0.5, 0.1},
		"loss.dice_form":               {DiceAbnormal, DiceBoth},
		"loss.focal_form":              {FocalProbability, FocalOneHot},
	}
	for _, option := range schemaOf(reflect.TypeFor[Config](), "").options() {
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
	for _, name := range []PresetName{Paper, Released} {
		c, err := Preset(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := join(c.problems()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		c.Model.Adapter.Kernels[0] = 99
		c.Data.Roots["x"] = Root{}
		again, _ := Preset(name)
		if again.Model.Adapter.Kernels[0] == 99 || len(again.Data.Roots) > 0 {
			t.Errorf("%s: a caller's change shows in the next preset", name)
		}
	}
	if _, err := Preset("papre"); err == nil || err.Error() != "preset: must be paper or released, is papre (did you mean paper?)" {
		t.Errorf("unknown preset: %v", err)
	}
}

func TestCloneSharesNothing(t *testing.T) {
	m := paperModel()
	m.Clone().Adapter.Kernels[0] = 7
	if !reflect.DeepEqual(m, paperModel()) {
		t.Errorf("a change to the clone reached the original: %+v", m)
	}
}

func TestDerivedValues(t *testing.T) {
	if got := (Adapter{}).HiddenFor(1024); got != 256 {
		t.Errorf("default hidden width for 1024 is %d, want 256", got)
	}
	if got := (Adapter{Hidden: 32}).HiddenFor(1024); got != 32 {
		t.Errorf("hidden width is %d, want 32", got)
	}
	score := releasedModel().Score
	if c, m := score.Weights(Industrial); c != 0.9 || m != 0.1 {
		t.Errorf("industrial weights are %v and %v", c, m)
	}
	if c, m := score.Weights(Medical); c != 0.5 || m != 0.5 {
		t.Errorf("medical weights are %v and %v", c, m)
	}
	if c, _ := score.Weights(""); c != 0.9 {
		t.Errorf("an unknown domain's weight is %v", c)
	}
}
