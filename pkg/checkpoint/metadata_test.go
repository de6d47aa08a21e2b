package checkpoint

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"acdclip/pkg/config"
	"acdclip/pkg/model/acdclip/options"
)

func encoded(t testing.TB, metadata Metadata) string {
	t.Helper()
	text, err := json.Marshal(metadata)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// edited returns the sample's metadata as JSON after change has edited its tree.
func edited(t *testing.T, change func(tree map[string]any)) string {
	t.Helper()
	var tree map[string]any
	if err := json.Unmarshal([]byte(encoded(t, sample(t))), &tree); err != nil {
		t.Fatal(err)
	}
	change(tree)
	text, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestDecodeIsStrict(t *testing.T) {
	section := func(tree map[string]any, name string) map[string]any { return tree[name].(map[string]any) }
	tests := []struct {
		name   string
		change func(tree map[string]any)
		says   string
		other  bool // ErrOtherVersion
	}{
		{"newer format", func(tree map[string]any) { tree["format"] = FormatVersion + 1 }, "format version is 3, expected 2", true},
		{"no format", func(tree map[string]any) { delete(tree, "format") }, "format version is 0", true},
		{"other method", func(tree map[string]any) { tree["method"] = "winclip" }, `method "winclip"`, false},
		{"unknown entry", func(tree map[string]any) { tree["tau"] = 3 }, `"tau"`, true},
		{"unknown option", func(tree map[string]any) { section(tree, "model")["heads"] = 8 }, `unknown entry "model.heads"`, true},
		{"unknown loss option", func(tree map[string]any) { section(tree, "loss")["lovasz"] = 1 }, `unknown entry "loss.lovasz"`, true},
		{"unknown recipe option", func(tree map[string]any) { section(tree, "recipe")["warmup"] = 1 }, `unknown entry "recipe.warmup"`, true},
		{"no section", func(tree map[string]any) { delete(tree, "model") }, "no entry model", true},
		{"missing option", func(tree map[string]any) { delete(section(tree, "model"), "groups") }, "no entry model.groups", true},
		{"missing entry", func(tree map[string]any) { delete(tree, "seed") }, "no entry seed", true},
		{"missing recipe option", func(tree map[string]any) { delete(section(section(tree, "recipe"), "lr"), "text") }, "no entry recipe.lr.text", true},
		{"recipe that is nothing", func(tree map[string]any) { tree["recipe"] = nil }, "no entry recipe", true},
		{"impossible value", func(tree map[string]any) { section(tree, "model")["groups"] = 0 }, "model.groups", false},
		{"wrong type", func(tree map[string]any) { tree["epoch"] = "three" }, "epoch", true},
		{"negative seed", func(tree map[string]any) { tree["seed"] = -1 }, "seed", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := decode(edited(t, test.change), methods())
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Fatalf("got %v, want an error with %q", err, test.says)
			}
			if errors.Is(err, ErrOtherVersion) != test.other {
				t.Errorf("%v: ErrOtherVersion is %v", err, !test.other)
			}
		})
	}
	for _, text := range []string{"", "{", "[]", "null", "3", encoded(t, sample(t)) + "{}"} {
		if _, err := decode(text, methods()); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

func TestUnknownSeedAndPromptsComeBack(t *testing.T) {
	metadata := sample(t)
	metadata.Seed, metadata.Prompts = nil, nil
	got, err := decode(encoded(t, metadata), methods())
	if err != nil || !reflect.DeepEqual(got, metadata) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// FuzzDecode checks that metadata that decode accepts survives encoding and decoding unchanged.
func FuzzDecode(f *testing.F) {
	whole := encoded(f, sample(f))
	for _, text := range []string{whole, "{}", "null", whole[:len(whole)/2], strings.Replace(whole, `"epoch":3`, `"epoch":3,"epoch":4`, 1),
		strings.Replace(whole, `"loss"`, `"LOSS"`, 1), strings.Replace(whole, `"recipe":{`, `"recipe":[`, 1)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		metadata, err := decode(text, methods())
		if err != nil {
			return
		}
		if err := errors.Join(config.Validate("model", metadata.Model), config.Validate("loss", metadata.Loss)); err != nil {
			t.Errorf("impossible options were accepted: %v", err)
		}
		again, err := decode(encoded(t, metadata), methods())
		if err != nil || !reflect.DeepEqual(again, metadata) {
			t.Errorf("%+v came back as %+v, %v", metadata, again, err)
		}
	})
}

// TestSetupHash checks that the hash covers everything except seed, machine and versions.
func TestSetupHash(t *testing.T) {
	setup := func(change func(*Metadata)) string {
		m := Metadata{Method: options.Name, Model: &options.Model{}, Auxiliary: "visa", Seed: new(uint64(1)), Epoch: 3, Threads: 2, Device: "cpu"}
		change(&m)
		text, err := m.SetupHash()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	first := setup(func(*Metadata) {})
	for name, c := range map[string]struct {
		change func(*Metadata)
		same   bool
	}{
		"seed":    {func(m *Metadata) { m.Seed = new(uint64(2)) }, true},
		"threads": {func(m *Metadata) { m.Threads = 8 }, true},
		"device":  {func(m *Metadata) { m.Device = "cuda" }, true},
		"version": {func(m *Metadata) { m.Versions.Acdclip = "v9" }, true},
		"epoch":   {func(m *Metadata) { m.Epoch = 4 }, false},
		"recipe":  {func(m *Metadata) { m.Recipe.Batch = 3 }, false},
		"groups":  {func(m *Metadata) { m.Model.(*options.Model).Groups = 6 }, false},
		"set":     {func(m *Metadata) { m.Auxiliary = "mvtec" }, false},
	} {
		if got := setup(c.change); (got == first) != c.same {
			t.Errorf("%s: %s beside %s", name, got, first)
		}
	}
	if got := setup(func(m *Metadata) { m.Seed = nil }); got != "" {
		t.Errorf("without a seed it is %q", got)
	}
}
