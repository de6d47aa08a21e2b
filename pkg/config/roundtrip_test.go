package config

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"acdclip/pkg/config/section"
	"acdclip/pkg/domain"
	"acdclip/pkg/model/acdclip/options"
)

// randomConfig draws a valid configuration.
func randomConfig(r *rand.Rand) Config {
	c, _ := preset([]string{options.Paper, options.Released}[r.IntN(2)])
	for _, option := range wholeSchema().options() {
		v := option.value(reflect.ValueOf(&c).Elem())
		switch {
		case option.key == "preset": // drawn above
		case option.choices != nil:
			v.SetString(option.choices[r.IntN(len(option.choices))])
		case v.Kind() == reflect.Int:
			v.SetInt(1 + r.Int64N(60))
		case v.Kind() == reflect.Float64:
			v.SetFloat(0.01 + 0.4*r.Float64())
		case v.Kind() == reflect.Bool:
			v.SetBool(r.IntN(2) == 0)
		}
	}
	c.Seed = r.Uint64()
	c.Data.MaxPixels, c.Data.Cache = 1+r.Int64N(1<<50), r.Int64N(1<<50)
	model := c.Model.(*options.Model)
	if model.Adapter.Merge == options.Rescale {
		model.Adapter.Init = options.InitReleased
	}
	model.Adapter.Kernels = [][]int{{3}, {1, 63}, {7, 5, 3}}[r.IntN(3)]
	c.Clip = []string{"", "builtin:tiny", "/" + randomText(r)}[r.IntN(3)]
	c.Train.Auxiliary = randomText(r)
	c.Train.Classes = [][]string{{}, {randomText(r)}, {randomText(r), "b"}}[r.IntN(3)]
	for range r.IntN(4) {
		name := randomText(r)
		c.Data.Roots[name] = Root{Path: "/" + randomText(r), Domain: []domain.Domain{"", domain.Industrial, domain.Medical}[r.IntN(3)], Normal: randomText(r), MaskThreshold: r.IntN(256)}
		c.Data.Pairing[name] = randomText(r)
		c.Checkpoints[name] = []string{"/" + randomText(r), "/" + randomText(r)}[:r.IntN(3)]
	}
	return c
}

// randomText draws text that YAML is known to misread, without characters that a dataset's name may not contain.
func randomText(r *rand.Rand) string {
	words := []string{
		"visa", "VisA_2022", "01", "0x1F", "1e3", "true", "No", "null", "~", "2024-01-01", ".inf", "<<", "a.b", " lead", "trail ", "a: b", "a #b", "#", "- x", "[x]", "{x}",
		"*x", "&x", "!x", "%x", "@x", "`x", "'", "\"", "é", "日本", "🙂", "\u2028", "\ufeffx", "a,b", "?", "|", ">", "x:", "-", "--- x", "\u00a0",
	}
	text := words[r.IntN(len(words))]
	if r.IntN(3) == 0 {
		text += words[r.IntN(len(words))]
	}
	return text
}

func TestYAMLReadsBack(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	path := writeFile(t, "")
	for i := range 150 {
		want := randomConfig(r)
		if err := section.Join(want.problems(wholeSchema(), nil)); err != nil {
			t.Fatalf("the drawn configuration is wrong: %v", err)
		}
		text, err := want.YAML()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		loaded, err := catalog().Load(Sources{Files: []string{path}})
		if err != nil {
			t.Fatalf("draw %d: %v\n%s", i, err, text)
		}
		if !reflect.DeepEqual(loaded.Config, want) {
			t.Fatalf("draw %d: read back\n%+v\nwant\n%+v\n%s", i, loaded.Config, want, text)
		}
		again, _ := loaded.Config.YAML()
		if string(again) != string(text) {
			t.Fatalf("draw %d: written again\n%s\nwant\n%s", i, again, text)
		}
	}
}

func TestYAMLForm(t *testing.T) {
	c, _ := preset(options.Paper)
	c.Clip = "/w/clip file.pt"
	c.Data.Roots = map[string]Root{"visa": {Path: "/v"}, "b": {Path: "/b", Domain: domain.Medical}}
	c.Data.Pairing = map[string]string{"*": "visa"}
	c.Checkpoints["visa"] = []string{"/c1", "/c2"}
	text, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		"preset: paper\nmethod: acdclip\nclip: \"/w/clip file.pt\"\n", "    kernels: [3, 5]\n", "    text: 0.0005\n",
		"  roots:\n    b:\n      path: /b\n      domain: medical\n    visa:\n      path: /v\n", "    \"*\": visa\n", "  visa: [/c1, /c2]\n",
	} {
		if !strings.Contains(string(text), part) {
			t.Errorf("%q is missing in\n%s", part, text)
		}
	}
	c.Clip = "/\xff"
	if _, err := c.YAML(); err == nil {
		t.Error("text that is no UTF-8 is written")
	}
}

func encoded(section any) (string, error) {
	text, err := json.Marshal(section)
	return string(text), err
}

// Changing this text changes the bytes of every checkpoint.
func TestMetadataForm(t *testing.T) {
	const model = `{"image_size":336,"groups":3,"activation":"gelu",` +
		`"adapter":{"kind":"conv_lora","projections":"shared","scale":"inverse_kernel","merge":"residual","init":"paper","rank":16,"conv_rank":8,"kernels":[3,5],"alpha":2,"hidden":0},` +
		`"fusion":{"kind":"dfg","similarity":"cosine","average":"probabilities","smoothing":"none","temperature":0.1},` +
		`"classification":{"feature":"cls"},"score":{"classification":0.5,"map":0.5,"medical":{"classification":0.5,"map":0.5}}}`
	const loss = `{"focal":1,"dice":1,"classification":1,"dice_form":"abnormal","focal_form":"probability"}`
	const train = `{"auxiliary":"","classes":[],"limit":0,"validate":[],"epochs":20,"batch":6,"lr":{"text":0.0005,"vision":0.001},"lr_decay":0.9,"beta1":0.9,"weight_decay":0,"shuffle":true,"mask_resize":"nearest","augment":true,"mosaic":0,` +
		`"accumulate":1,"recompute":false,"feature_cache":2147483648,"feature_format":"fp32","init_from":"","skip_nonfinite":false,"save_minutes":10}`
	c, _ := preset(options.Paper)
	for want, encode := range map[string]func() (string, error){
		model: func() (string, error) { return encoded(c.Model) },
		loss:  func() (string, error) { return encoded(c.Loss) },
		train: func() (string, error) { return encoded(c.Train) },
	} {
		if got, err := encode(); err != nil || got != want {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
}

func FuzzLoad(f *testing.F) {
	for _, name := range []string{"paper.yaml", "released.yaml", "pairing.yaml"} {
		text, err := os.ReadFile(configFile(name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text), "seed=1")
	}
	f.Add("a: &a [*a, *a]\nmodel: *a\n", "data.roots.a.path={b: c}")
	f.Add("? {a: b}\n: !!binary x\n", "model.adapter={kind: &x lora}")
	f.Add("data: {roots: &r {a: /x, b: {path: *r}}}", "checkpoints.a.b=[x")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text, set string) {
		path := filepath.Join(dir, "fuzz.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		loaded, err := catalog().Load(Sources{Files: []string{path}, Set: []string{set}, Dir: dir})
		if err != nil {
			if len(err.Error()) > 64<<10 {
				t.Errorf("a message of %d bytes", len(err.Error()))
			}
			return
		}
		written, err := loaded.Config.YAML()
		if err != nil {
			return // a path that is no UTF-8, from --set
		}
		if err := os.WriteFile(path, written, 0o600); err != nil {
			t.Fatal(err)
		}
		again, err := catalog().Load(Sources{Files: []string{path}})
		if err != nil || !reflect.DeepEqual(again.Config, loaded.Config) {
			t.Errorf("%v\nread back %+v\nwant %+v", err, again.Config, loaded.Config)
		}
	})
}
