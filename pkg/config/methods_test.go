package config

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"acdclip/pkg/config/section"
	"acdclip/pkg/model/acdclip/options"
	"acdclip/pkg/model/card"
)

// still is a method that learns nothing and has options of its own.
type still struct {
	Side   int      `json:"side" range:"[1,99]" runtime:"yes" doc:"side of the pictures"`
	Layers []string `json:"layers" doc:"names"`
}

func (s *still) Contradictions() []*section.Error {
	if len(s.Layers) > s.Side {
		return []*section.Error{{Key: "model.layers", Problem: "has more names than pixels", Related: []string{"model.side"}}}
	}
	return nil
}

func (s *still) Input() section.Input     { return section.Input{Size: s.Side} }
func (s *still) Variant() section.Variant { return section.Variant{} }
func (s *still) Facts() []section.Fact    { return nil }

func twoMethods() Catalog {
	c := catalog()
	c.Methods = append(c.Methods, card.Card{Name: "still", Presets: []card.Preset{
		{Name: "small", Model: func() section.Model { return &still{Side: 8, Layers: []string{}} }},
		{Name: "large", Model: func() section.Model { return &still{Side: 64, Layers: []string{"a"}} }},
	}})
	return c
}

// TestOptionsOfAnotherMethod: model: has the keys of the chosen method, whoever chooses it.
func TestOptionsOfAnotherMethod(t *testing.T) {
	file := writeFile(t, "method: still\nmodel: {layers: [x, y]}\n")
	for name, sources := range map[string]Sources{
		"file":        {Files: []string{file}},
		"fallback":    {Method: "still", Set: []string{"model.layers=x,y"}},
		"--set":       {Set: []string{"model.layers=x,y", "method=still"}},
		"environment": {Env: []string{"ACDCLIP_METHOD=still", "ACDCLIP_MODEL_LAYERS=x,y"}},
		"flag":        {Flags: map[string]any{"method": "still"}, Set: []string{"model.layers=x,y"}},
	} {
		loaded, err := twoMethods().Load(sources)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := &still{Side: 8, Layers: []string{"x", "y"}}
		if c := loaded.Config; c.Method != "still" || loaded.Card.Name != "still" || c.Preset != "small" || c.Loss != nil || !reflect.DeepEqual(c.Model, section.Model(want)) {
			t.Errorf("%s: %+v", name, c)
		}
		text, err := loaded.Config.YAML()
		if err != nil || strings.Contains(string(text), "loss:") || !strings.Contains(string(text), "  side: 8\n") {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
		again, err := twoMethods().Load(Sources{Files: []string{writeFile(t, string(text))}})
		if err != nil || !reflect.DeepEqual(again.Config, loaded.Config) {
			t.Errorf("%s: read back %+v, %v", name, again.Config, err)
		}
	}
	if loaded, err := twoMethods().Load(Sources{Set: []string{"method=still", "preset=large"}}); err != nil || loaded.Config.Model.Input().Size != 64 {
		t.Errorf("the other preset: %v", err)
	}
}

func TestOptionsOfAnotherMethodAreChecked(t *testing.T) {
	file := writeFile(t, "method: still\nmodel: {side: 9}\n")
	for set, want := range map[string]string{
		"model.side=0":       "--set: model.side: must be between 1 and 99, is 0",
		"model.groups=3":     "--set: model.groups: unknown key of the method still; it belongs to acdclip",
		"preset=paper":       "--set: preset: must be small or large, is paper",
		"loss.focal=1":       "--set: loss.focal: unknown key of the method still; it belongs to acdclip",
		"model.sides=1":      "--set: model.sides: unknown key (did you mean model.side?)",
		"model.layers=a,b,c": "--set: model.layers: has more names than pixels",
		"method=acdclip":     "--set: method: is acdclip, ",
		"method=stil":        "--set: method: must be acdclip or still, is stil (did you mean still?)",
	} {
		sources := Sources{Files: []string{file}, Set: []string{set}}
		if strings.HasPrefix(set, "model.layers") {
			sources.Set = append(sources.Set, "model.side=2")
		}
		if _, err := twoMethods().Load(sources); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", set, err, want)
		}
	}
	// Without options of the other method in the file, the later source decides.
	if loaded, err := twoMethods().Load(Sources{Files: []string{writeFile(t, "method: still\n")}, Set: []string{"method=acdclip"}}); err != nil || loaded.Config.Method != options.Name {
		t.Errorf("%v", err)
	}
}

func TestKeysOfAnotherMethod(t *testing.T) {
	keys, err := twoMethods().Keys("still")
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(keys, func(k Key) bool { return k.Name == "model.side" })
	if at < 0 || keys[at].Default != "8 (small), 64 (large)" || slices.ContainsFunc(keys, func(k Key) bool { return strings.HasPrefix(k.Name, "loss") || k.Name == "model.groups" }) {
		t.Errorf("%+v", keys)
	}
	if _, err := twoMethods().Keys("none"); err == nil {
		t.Error("an unknown method has keys")
	}
}

// TestModelsOfTwoMethods: the options of one method are never taken for another's.
func TestModelsOfTwoMethods(t *testing.T) {
	trained := &still{Side: 8, Layers: []string{"a"}}
	plain, err := twoMethods().Load(Sources{})
	if err != nil {
		t.Fatal(err)
	}
	got, changes, err := OverlayModel("acdclip", trained, plain)
	if err != nil || len(changes) > 0 || !reflect.DeepEqual(got, section.Model(trained)) || got == section.Model(trained) {
		t.Errorf("%+v, %v, %v", got, changes, err)
	}
	for _, set := range []string{"method=acdclip", "model.groups=3"} {
		loaded, err := twoMethods().Load(Sources{Set: []string{set}, OwnModel: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := OverlayModel("acdclip", trained, loaded); err == nil || !strings.HasPrefix(err.Error(), "--set: method: ") && !strings.HasPrefix(err.Error(), "method: ") {
			t.Errorf("%s: %v", set, err)
		}
	}
	if err := CheckInitial(trained, plain.Config.Model); err == nil {
		t.Error("a training begins with another method's parameters")
	}
	if err := CheckResume(Config{Method: "still", Model: trained}, plain); err == nil || !strings.Contains(err.Error(), "method") {
		t.Errorf("resume: %v", err)
	}
}

// TestRenamedKey: an earlier name is read and noted, wherever it is given.
func TestRenamedKey(t *testing.T) {
	for name, sources := range map[string]Sources{
		"file":        {Files: []string{writeFile(t, "train: {checkpoint_activations: true}\n")}},
		"--set":       {Set: []string{"train.checkpoint_activations=true"}},
		"environment": {Env: []string{"ACDCLIP_TRAIN_CHECKPOINT_ACTIVATIONS=true"}},
	} {
		loaded := load(t, sources)
		if _, set := loaded.Set["train.recompute"]; !loaded.Config.Train.Recompute || !set || len(loaded.Notes) != 1 || !strings.Contains(loaded.Notes[0], "train.checkpoint_activations was renamed to train.recompute") {
			t.Errorf("%s: %v, notes %q", name, loaded.Config.Train.Recompute, loaded.Notes)
		}
	}
	if loaded := load(t, Sources{Set: []string{"train.recompute=true"}}); len(loaded.Notes) != 0 {
		t.Errorf("notes %q", loaded.Notes)
	}
}
