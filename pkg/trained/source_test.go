package trained

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"acdclip/pkg/config"
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
		e.Name: published.ErrNotFetched, "openai:ViT-B/31": published.ErrUnknown, "builtin:none": published.ErrUnknown, "anomalyclip:trained-on-visa": published.ErrUnknown,
	} {
		if path, err := PathOf(source, published.CLIP, c); !errors.Is(err, want) {
			t.Errorf("%s: %s, %v", source, path, err)
		}
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	for source, want := range map[string]string{e.Name: file, "a/b": "a/b", "/x/openai:y": "/x/openai:y", "": ""} {
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
