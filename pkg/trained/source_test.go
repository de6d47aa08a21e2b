package trained

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"acdclip/pkg/builtin"
	"acdclip/pkg/config"
	"acdclip/pkg/model/acdclip/options"
	"acdclip/pkg/model/card"
	"acdclip/pkg/published"
)

// TestPathOf: a path stays as it is, and a name stands for the downloaded file.
func TestPathOf(t *testing.T) {
	c := config.Config{Weights: config.Weights{Cache: t.TempDir()}}
	e, err := published.All().Find("openai:ViT-B/32")
	if err != nil {
		t.Fatal(err)
	}
	file := e.Path(c.Weights.Cache)
	for source, want := range map[string]error{
		e.Name: published.ErrNotFetched, "openai:ViT-B/31": published.ErrUnknown, "builtin:none": builtin.ErrUnknown, "anomalyclip:trained-on-visa": published.ErrUnknown,
	} {
		if path, err := PathOf(source, published.CLIP, c); !errors.Is(err, want) {
			t.Errorf("%s: %s, %v", source, path, err)
		}
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	for source, want := range map[string]string{e.Name: file, "a/b": "a/b", "/x/openai:y": "/x/openai:y", builtin.Tiny: builtin.Tiny, "": ""} {
		if path, err := PathOf(source, published.CLIP, c); path != want || err != nil {
			t.Errorf("%s: %s, %v", source, path, err)
		}
	}
	c.Clip = "openai:ViT-B/16"
	if _, err := OpenCLIP(c); !errors.Is(err, published.ErrNotFetched) {
		t.Error(err)
	}
	if _, err := OpenCheckpoint("anomalyclip:trained-on-visa", nil, c); !errors.Is(err, published.ErrNotFetched) {
		t.Error(err)
	}
}

// TestBuiltinPair: the built-in checkpoint belongs to the built-in CLIP, and is no short try.
func TestBuiltinPair(t *testing.T) {
	c := load(t).Config
	c.Clip = builtin.Tiny
	clip, err := IdentifyCLIP(c)
	if err != nil {
		t.Fatal(err)
	}
	parameters, err := OpenCheckpoint(builtin.Tiny, card.List{options.Card()}, c)
	if err != nil {
		t.Fatal(err)
	}
	defer parameters.Close()
	m := parameters.Metadata
	if m.Method != builtin.Method || !clip.Is(m.CLIP) || m.Recipe.Limit != 0 || m.Model.Input().Size != builtin.ImageSize || len(m.Recipe.Validate) == 0 {
		t.Errorf("%s on %s, size %d, recipe %+v; the CLIP is %s", m.Method, m.CLIP, m.Model.Input().Size, m.Recipe, clip.Fingerprint)
	}
}
