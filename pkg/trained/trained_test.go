package trained

import (
	"errors"
	"testing"

	"acdclip/pkg/checkpoint"
	"acdclip/pkg/config"
	"acdclip/pkg/model/acdclip/options"
	"acdclip/pkg/model/card"
)

func load(t *testing.T, set ...string) config.Loaded {
	t.Helper()
	catalog := config.Catalog{Methods: card.List{options.Card()}, Precisions: []string{"fp32"}}
	loaded, err := catalog.Load(config.Sources{Set: set, OwnModel: true})
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// TestDescribe checks that settings override the checkpoint's options and that results name the file.
func TestDescribe(t *testing.T) {
	m, loss, _ := options.Preset(options.Released)
	c := &checkpoint.Checkpoint{Path: "a.safetensors", Fingerprint: "sha256:1", Metadata: checkpoint.Metadata{
		Method: options.Name, Preset: options.Released, Model: &m, Loss: &loss, Auxiliary: "visa", Seed: new(uint64(3)),
	}}
	plain, err := Describe(c, load(t))
	if err != nil {
		t.Fatal(err)
	}
	if source := plain.Source; source.Path != "a.safetensors" || source.Fingerprint != "sha256:1" || source.Auxiliary != "visa" || *source.Seed != 3 || source.Setup == "" || source.Variant.Label == "" {
		t.Errorf("source %+v", source)
	}
	if plain.Changes != nil || plain.Options.Input().Size != 518 || plain.Name() != "a.safetensors" {
		t.Errorf("%+v", plain)
	}
	changed, err := Describe(c, load(t, "model.image_size=336"))
	if err != nil || changed.Options.Input().Size != 336 || len(changed.Changes) != 1 || m.ImageSize != 518 {
		t.Errorf("%+v, %v; the checkpoint's own size is %d", changed, err, m.ImageSize)
	}
	c.Metadata.Seed = new(uint64(4))
	if seed, err := Describe(c, load(t)); err != nil || seed.Source.Setup != plain.Source.Setup {
		t.Errorf("another seed is another setup: %v", err)
	}
	var wrong *config.Error
	if _, err := Describe(c, load(t, "model.groups=2")); !errors.As(err, &wrong) || wrong.Key != "model.groups" {
		t.Errorf("groups that were not trained: %v", err)
	}
}

// TestUntrained checks that the fingerprint of a method without a checkpoint depends only on its options.
func TestUntrained(t *testing.T) {
	fingerprints := map[string]string{}
	for name, settings := range map[string][]string{"plain": nil, "seed": {"seed=9"}, "size": {"model.image_size=70"}} {
		m, err := Untrained(load(t, settings...))
		if err != nil {
			t.Fatal(err)
		}
		if m.Path != "" || m.Name() != "method acdclip" || m.Metadata.Auxiliary != NoAuxiliary || m.Source.Seed != nil {
			t.Errorf("%s: %+v", name, m)
		}
		fingerprints[name] = m.Source.Fingerprint
	}
	if fingerprints["plain"] != fingerprints["seed"] || fingerprints["plain"] == fingerprints["size"] {
		t.Errorf("%v", fingerprints)
	}
}

func TestNoCLIP(t *testing.T) {
	if _, err := IdentifyCLIP(load(t).Config); !errors.Is(err, ErrNoCLIP) {
		t.Errorf("got %v", err)
	}
}
