package anomalyclip

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"acdclip/internal/golden"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/model/anomalyclip/options"
	"acdclip/pkg/model/card"
)

// tinyCLIP is the CLIP of the project's own golden data: 6 + 6 blocks of width 64, patch
// size 7, for 21 pixels.
func tinyCLIP() string { return filepath.Join(golden.Root(), "testdata", "golden", "clip_tiny_hf") }

// tinyRecipe is the preset on the tiny CLIP, with 35 pixels, three levels and sharp
// similarities, so that every parameter has an effect.
func tinyRecipe(t testing.TB) recipe {
	t.Helper()
	preset, _ := options.Card().Preset(options.Released)
	r := recipe{clip: tinyCLIP(), options: *preset.Model().(*options.Model), loss: *preset.Loss().(*options.Loss)}
	r.options.ImageSize, r.options.Words, r.options.Depth, r.options.Tokens = 35, 5, 4, 2
	r.options.VVFrom, r.options.Levels = 3, []int{2, 4, 6}
	return r
}

// values implements model.Values: tensors by name.
type values map[string][]float32

func (v values) Match(wanted []checkpoint.Spec) error {
	if len(wanted) != len(v) {
		return fmt.Errorf("%d tensors, expected %d", len(v), len(wanted))
	}
	for _, want := range wanted {
		if !v.Has(want.Name) {
			return errors.New("tensor " + want.Name + " is missing")
		}
	}
	return nil
}

func (v values) Has(name string) bool { return v[name] != nil }

func (v values) Read(name string, into []float32) error {
	if copy(into, v[name]); len(into) != len(v[name]) {
		return fmt.Errorf("%s has %d values, expected %d", name, len(v[name]), len(into))
	}
	return nil
}

// openReleased opens a file of the authors'.
func openReleased(t testing.TB, path string) *checkpoint.Checkpoint {
	t.Helper()
	c, err := checkpoint.Open(path, card.List{options.Card()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
