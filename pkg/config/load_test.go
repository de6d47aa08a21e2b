package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"acdclip/pkg/domain"
	"acdclip/pkg/model/acdclip/options"
	"acdclip/pkg/model/card"
)

// catalog holds the methods and number formats of the tests' configurations.
func catalog() Catalog {
	return Catalog{Methods: card.List{options.Card()}, Precisions: []string{"fp32", "bf16"}}
}

func preset(name string) (Config, error) { return catalog().Preset("", name) }

func keys(t *testing.T) []Key {
	t.Helper()
	keys, err := catalog().Keys("")
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func wholeSchema() *schema { return catalog().schemaOf(options.Card()) }

func load(t *testing.T, s Sources) Loaded {
	t.Helper()
	loaded, err := catalog().Load(s)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

func TestPrecedence(t *testing.T) {
	early := writeFile(t, "seed: 2\nmodel: {groups: 2, image_size: 20}\n")
	late := writeFile(t, "seed: 3\n")
	all := Sources{
		Files: []string{early, late},
		Env:   []string{"HOME=/home/me", "ACDCLIP_GOLDEN=/g", "ACDCLIP_SEED=4", "ACDCLIP_CLIP="},
		Set:   []string{"seed=99", "seed=5"},
		Flags: map[string]any{"seed": 6},
	}
	steps := []struct {
		name   string
		drop   func(*Sources)
		seed   uint64
		origin string
	}{
		{"flag", func(*Sources) {}, 6, "command line"},
		{"--set, the later", func(s *Sources) { s.Flags = nil }, 5, "--set"},
		{"environment", func(s *Sources) { s.Set = nil }, 4, "ACDCLIP_SEED"},
		{"later file", func(s *Sources) { s.Env = nil }, 3, late + ":1"},
		{"earlier file", func(s *Sources) { s.Files = s.Files[:1] }, 2, early + ":1"},
		{"preset", func(s *Sources) { s.Files = nil }, 0, ""},
	}
	for _, step := range steps {
		step.drop(&all)
		got := load(t, all)
		if got.Config.Seed != step.seed || got.Set["seed"].String() != step.origin {
			t.Errorf("%s: seed %d from %q, want %d from %q", step.name, got.Config.Seed, got.Set["seed"], step.seed, step.origin)
		}
		if len(all.Files) > 0 && (got.Config.Model.(*options.Model).Groups != 2 || got.Config.Model.(*options.Model).ImageSize != 20) {
			t.Errorf("%s: the earlier file's other keys are lost: %+v", step.name, got.Config.Model)
		}
		if got.Config.Clip != "" {
			t.Errorf("%s: an empty variable set clip to %q", step.name, got.Config.Clip)
		}
	}
}

func TestNothingGivesThePaper(t *testing.T) {
	want, _ := preset(options.Paper)
	got := load(t, Sources{})
	if !reflect.DeepEqual(got.Config, want) {
		t.Errorf("got %+v, want %+v", got.Config, want)
	}
	if len(got.Set) != 0 {
		t.Errorf("keys count as set: %v", got.Set)
	}
	for _, text := range []string{"", "# nothing\n", "---\n", "model:\nloss: {}\ndata: {roots: }\n"} {
		if got := load(t, Sources{Files: []string{writeFile(t, text)}}); !reflect.DeepEqual(got.Config, want) {
			t.Errorf("%q gives %+v", text, got.Config)
		}
	}
}

func TestPresetIsChosenByTheStrongestSource(t *testing.T) {
	file := writeFile(t, "preset: released\nmodel: {groups: 6}\n")
	got := load(t, Sources{Files: []string{file}}).Config
	if got.Preset != options.Released || got.Model.(*options.Model).ImageSize != 518 || got.Model.(*options.Model).Groups != 6 {
		t.Errorf("the file's preset gives %+v", got)
	}
	got = load(t, Sources{Files: []string{file}, Flags: map[string]any{"preset": "paper"}}).Config
	if got.Preset != options.Paper || got.Model.(*options.Model).ImageSize != 336 || got.Model.(*options.Model).Groups != 6 {
		t.Errorf("the flag's preset gives %+v", got)
	}
	got = load(t, Sources{Preset: options.Released}).Config
	if got.Preset != options.Released || got.Model.(*options.Model).Adapter.Merge != options.Rescale {
		t.Errorf("the fallback gives %+v", got)
	}
}

// Every option of every kind can be set by its environment variable and by --set (viper
// alone would miss some), and setting one option changes no other.
func TestEveryOptionHasAVariable(t *testing.T) {
	values := map[reflect.Kind]string{
		reflect.Bool: "true", reflect.Int: "5", reflect.Int64: "7", reflect.Uint64: "18446744073709551615", reflect.Float64: "0.03125", reflect.Slice: "[7, 9]", reflect.Map: "{Some.Name: x}",
	}
	for _, option := range wholeSchema().options() {
		text, ok := values[option.typ.Kind()]
		if option.typ.Kind() == reflect.String {
			text, ok = "/some.text", true
			if option.choices != nil {
				text = option.choices[len(option.choices)-1]
			}
		}
		switch option.typ {
		case reflect.TypeFor[[]string]():
			text = "[a, '7']"
		case reflect.TypeFor[bool]():
			paper, _ := preset(options.Paper)
			text = strconv.FormatBool(!option.value(reflect.ValueOf(paper)).Bool())
		}
		if !ok {
			t.Fatalf("%s has a kind that no value stands for", option.key)
		}
		base := Sources{OwnModel: true}
		byVariable, bySet := base, base
		byVariable.Env = []string{envName(option.key) + "=" + text}
		bySet.Set = []string{option.key + "=" + text}
		a, b := load(t, byVariable), load(t, bySet)
		if !reflect.DeepEqual(a.Config, b.Config) {
			t.Errorf("%s: the variable gives\n%+v\n--set gives\n%+v", option.key, a.Config, b.Config)
		}
		if _, ok := a.Set[option.key]; !ok {
			t.Errorf("%s is not in Set", option.key)
		}
		if option.key == "preset" {
			continue
		}
		assertOnlyDiffers(t, option, a.Config, text)
	}
}

func assertOnlyDiffers(t *testing.T, changed *schema, got Config, text string) {
	t.Helper()
	paper, _ := preset(options.Paper)
	for _, option := range wholeSchema().options() {
		same := reflect.DeepEqual(option.value(reflect.ValueOf(got)).Interface(), option.value(reflect.ValueOf(paper)).Interface())
		if option.key != changed.key && !same {
			t.Errorf("setting %s changed %s", changed.key, option.key)
		}
		oneChoice := option.key == "method"
		if option.key == changed.key && same && !oneChoice {
			t.Errorf("setting %s to %s changed nothing", changed.key, text)
		}
	}
}

func TestMapsMergeAndListsReplace(t *testing.T) {
	first := writeFile(t, `
model: {adapter: {kernels: [3, 5, 7]}}
data:
  roots:
    My.Set: {path: /a, domain: medical}
    visa: /v
  pairing: {visa: mvtec, "*": visa}
checkpoints: {visa: [/1, /2], mvtec: /m}
`)
	second := writeFile(t, `
model: {adapter: {kernels: [1]}}
data:
  roots: {My.Set: /b, MY.SET: {path: /other}}
  pairing: {"01": visa}
checkpoints: {visa: [/3]}
`)
	c := load(t, Sources{Files: []string{first, second}, Set: []string{
		"data.roots.a.b.c=/set", "data.roots.a.b.c.domain=industrial", "data.roots={x: /x}", "data.pairing.*=mvtec", "checkpoints.Three=/a", "data.pairing.12=12",
	}}).Config
	wantRoots := map[string]Root{
		"My.Set": {Path: "/b", Domain: domain.Medical}, "MY.SET": {Path: "/other"}, "visa": {Path: "/v"}, "a.b.c": {Path: "/set", Domain: domain.Industrial}, "x": {Path: "/x"},
	}
	if !reflect.DeepEqual(c.Data.Roots, wantRoots) {
		t.Errorf("roots are %+v, want %+v", c.Data.Roots, wantRoots)
	}
	wantPairing := map[string]string{"visa": "mvtec", "*": "mvtec", "01": "visa", "12": "12"}
	if !reflect.DeepEqual(c.Data.Pairing, wantPairing) {
		t.Errorf("pairing is %v, want %v", c.Data.Pairing, wantPairing)
	}
	wantCheckpoints := map[string][]string{"visa": {"/3"}, "mvtec": {"/m"}, "Three": {"/a"}}
	if !reflect.DeepEqual(c.Checkpoints, wantCheckpoints) {
		t.Errorf("checkpoints are %v, want %v", c.Checkpoints, wantCheckpoints)
	}
	if !reflect.DeepEqual(c.Model.(*options.Model).Adapter.Kernels, []int{1}) {
		t.Errorf("kernels are %v, want [1]", c.Model.(*options.Model).Adapter.Kernels)
	}
}

func TestPathsAreRelativeToTheirSource(t *testing.T) {
	file := writeFile(t, `
clip: ../w/clip.pt
data: {roots: {a: sub/a, b: {path: ./b}}, names: names.json}
checkpoints: {a: [one, /abs/../two]}
train: {auxiliary: a}
`)
	here, work := filepath.Dir(file), t.TempDir()
	c := load(t, Sources{Files: []string{file}, Dir: work, Set: []string{"data.roots.c=c"}, Env: []string{"ACDCLIP_CHECKPOINTS={b: x}"}, Flags: map[string]any{"data.roots.d": "d/../e"}}).Config
	for got, want := range map[string]string{
		c.Clip:                 filepath.Join(filepath.Dir(here), "w", "clip.pt"),
		c.Data.Names:           filepath.Join(here, "names.json"),
		c.Data.Roots["a"].Path: filepath.Join(here, "sub", "a"),
		c.Data.Roots["b"].Path: filepath.Join(here, "b"),
		c.Data.Roots["c"].Path: filepath.Join(work, "c"),
		c.Data.Roots["d"].Path: filepath.Join(work, "e"),
		c.Checkpoints["a"][0]:  filepath.Join(here, "one"),
		c.Checkpoints["a"][1]:  "/two",
		c.Checkpoints["b"][0]:  filepath.Join(work, "x"),
		c.Train.Auxiliary:      "a",
	} {
		if got != want {
			t.Errorf("path is %s, want %s", got, want)
		}
	}
	for _, named := range []string{"builtin:tiny", "openai:ViT-L-14-336px", "open_clip:ViT-H-14", "anomalyclip:trained-on-visa"} {
		c := load(t, Sources{Set: []string{"clip=" + named, "train.init_from=" + named, "checkpoints.visa=" + named, "weights.cache=" + named}}).Config
		if c.Clip != named || c.Train.InitFrom != named || c.Checkpoints["visa"][0] != named {
			t.Errorf("%s became %s, %s and %s", named, c.Clip, c.Train.InitFrom, c.Checkpoints["visa"][0])
		}
		if !filepath.IsAbs(c.Weights.Cache) {
			t.Errorf("the folder %s is not absolute", c.Weights.Cache)
		}
	}
}

func TestRelativeConfigFile(t *testing.T) {
	file := writeFile(t, "clip: clip.pt\nseed: -1\n")
	_, err := catalog().Load(Sources{Files: []string{"c.yaml"}, Dir: filepath.Dir(file)})
	var e *Error
	if !errors.As(err, &e) || e.File != "c.yaml" || e.Line != 2 || e.Key != "seed" {
		t.Errorf("error is %#v", e)
	}
}

// Text on the command line needs no quotes, but may have them.
func TestTextOnTheCommandLine(t *testing.T) {
	for text, want := range map[string]string{
		"/a b": "/a b", "/123": "/123", `"/q"`: "/q", `'/q'`: "/q", "/x: y #z": "/x: y #z", "/*": "/*", "": "",
	} {
		if got := load(t, Sources{Set: []string{"clip=" + text}}).Config.Clip; got != want {
			t.Errorf("clip=%s gives %q, want %q", text, got, want)
		}
	}
	c := load(t, Sources{Set: []string{"train.auxiliary=12", "model={groups: 6, fusion: {kind: static}}", "checkpoints.a=[/x, /y]", "data.roots.a={path: /p}"}}).Config
	if c.Train.Auxiliary != "12" || c.Model.(*options.Model).Groups != 6 || c.Model.(*options.Model).Fusion.Kind != options.Static || len(c.Checkpoints["a"]) != 2 || c.Data.Roots["a"].Path != "/p" {
		t.Errorf("got %+v", c)
	}
}

func TestAliases(t *testing.T) {
	c := load(t, Sources{Files: []string{writeFile(t, "train:\n  lr: {text: &r 0.25, vision: *r}\n")}}).Config
	if c.Train.LR != (LR{0.25, 0.25}) {
		t.Errorf("learning rates are %+v", c.Train.LR)
	}
	var bomb strings.Builder
	bomb.WriteString("checkpoints:\n  a: &a [" + strings.Repeat("/x,", 999) + "/x]\n")
	for i := range 1000 {
		bomb.WriteString("  b" + string(rune('0'+i/100)) + string(rune('0'+i/10%10)) + string(rune('0'+i%10)) + ": *a\n")
	}
	_, err := catalog().Load(Sources{Files: []string{writeFile(t, bomb.String())}})
	if err == nil || !strings.Contains(err.Error(), "has more than 100000 values") || strings.Contains(err.Error(), "\n") {
		t.Errorf("a million values by aliases: %v", err)
	}
	_, err = catalog().Load(Sources{Files: []string{writeFile(t, "checkpoints: &c {a: *c}\n")}})
	if err == nil {
		t.Error("an alias inside itself is accepted")
	}
}

func TestHugeFileIsRefused(t *testing.T) {
	path := writeFile(t, "")
	if err := os.Truncate(path, 10<<30); err != nil {
		t.Skipf("no sparse files here: %v", err)
	}
	_, err := catalog().Load(Sources{Files: []string{path}})
	var e *Error
	if !errors.As(err, &e) || e.Problem != "is larger than 1048576 bytes, so it is not a configuration file" {
		t.Errorf("error is %v", err)
	}
}

func TestOwnModelLeavesContradictionsToOverlay(t *testing.T) {
	set := []string{"model.adapter.merge=rescale"}
	if _, err := catalog().Load(Sources{Set: set}); err == nil {
		t.Error("a contradiction is accepted")
	}
	loaded := load(t, Sources{Set: set, OwnModel: true})
	if _, _, err := OverlayModel("acdclip", presetModel(t, options.Released), loaded); err != nil {
		t.Errorf("the checkpoint has that very value: %v", err)
	}
	if _, err := catalog().Load(Sources{Set: []string{"model.groups=0"}, OwnModel: true}); err == nil {
		t.Error("an impossible value is accepted")
	}
}

// Files of the maximum size, each built to be slow to parse.
func TestHostileFilesTakeLittleTime(t *testing.T) {
	var keys strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&keys, "k%x: 1\n", i)
	}
	for name, text := range map[string]string{
		"unknown keys": keys.String(),
		"brackets":     strings.Repeat("[", 1<<20),
		"braces":       strings.Repeat("{a: ", 1<<18),
		"dashes":       strings.Repeat("- ", 1<<19),
		"questions":    strings.Repeat("? ", 1<<19),
		"one scalar":   "clip: [" + strings.Repeat("x", 1<<20-10) + "]",
		"many values":  "checkpoints: {a: [" + strings.Repeat("x,", 1<<19-100) + "]}",
		"anchors":      strings.Repeat("- &a x\n", 1<<17),
		"comments":     strings.Repeat("#\n", 1<<19-1),
	} {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			_, err := catalog().Load(Sources{Files: []string{writeFile(t, text)}})
			if err == nil && name != "comments" {
				t.Error("accepted")
			}
			if err != nil && len(err.Error()) > 16<<10 {
				t.Errorf("a message of %d bytes", len(err.Error()))
			}
			if taken := time.Since(begin); taken > 20*time.Second {
				t.Errorf("took %v", taken)
			}
		})
	}
}

// TestCommasPartLists checks that a list on the command line and in the environment needs no brackets.
func TestCommasPartLists(t *testing.T) {
	for text, want := range map[string][]string{
		"a":           {"a"},
		"a,b":         {"a", "b"},
		" a , b,":     {"a", "b"},
		"":            {},
		"[a, b]":      {"a", "b"},
		`["a,b"]`:     {"a,b"},
		`"a,b"`:       {"a,b"},
		"1,true,null": {"1", "true", "null"},
	} {
		loaded, err := catalog().Load(Sources{Set: []string{"train.classes=" + text}})
		if err != nil || !slices.Equal(loaded.Config.Train.Classes, want) {
			t.Errorf("%q: %q, %v, want %q", text, loaded.Config.Train.Classes, err, want)
		}
	}
	loaded, err := catalog().Load(Sources{Env: []string{"ACDCLIP_MODEL_ADAPTER_KERNELS=3,7"}})
	if err != nil || !slices.Equal(loaded.Config.Model.(*options.Model).Adapter.Kernels, []int{3, 7}) {
		t.Errorf("kernels %v, %v", loaded.Config.Model.(*options.Model).Adapter.Kernels, err)
	}
	if loaded, err := catalog().Load(Sources{Set: []string{"checkpoints.visa=a,b.pth"}}); err != nil || len(loaded.Config.Checkpoints["visa"]) != 1 {
		t.Errorf("a path with a comma: %v, %v", loaded.Config.Checkpoints, err)
	}
	if loaded, err := catalog().Load(Sources{Env: []string{"ACDCLIP_TRAIN_VALIDATE=a, b"}}); err != nil || !slices.Equal(loaded.Config.Train.Validate, []string{"a", "b"}) {
		t.Errorf("a variable: %q, %v", loaded.Config.Train.Validate, err)
	}
	if loaded, err := catalog().Load(Sources{Files: []string{writeFile(t, "train:\n  validate: a,b\n")}}); err != nil || !slices.Equal(loaded.Config.Train.Validate, []string{"a,b"}) {
		t.Errorf("text in a file: %q, %v", loaded.Config.Train.Validate, err)
	}
}
