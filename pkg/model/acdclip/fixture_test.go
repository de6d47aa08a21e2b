package acdclip

import (
	"path/filepath"
	"strconv"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/cliptest"
	"acdclip/internal/golden"
	"acdclip/internal/torchtest"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/clip"
	"acdclip/pkg/clip/tokenizer"
	"acdclip/pkg/model"
	"acdclip/pkg/model/acdclip/options"
	"acdclip/pkg/model/card"
)

func TestMain(m *testing.M) { torchtest.Main(m) }

// The tiny CLIP of a golden folder, in its two formats.
var clips = []string{"clip_tiny_openai.pt", "clip_tiny_hf"}

// recipe describes a model for a test.
type recipe struct {
	clip    string
	options options.Model
	loss    options.Loss
	values  model.Values // nil: initial values of seed 5
	train   bool

	precision string
	recompute bool // activation recomputation
}

// requireGrad enables gradients for the parameters, like a trainer.
func requireGrad(m *Model) {
	for _, p := range m.parameters {
		p.Tensor.RequireGrad(true)
	}
}

// on returns the options for New to build the model on a CLIP.
func (r recipe) on(c *clip.Model, tok *tokenizer.Tokenizer) model.Options {
	return model.Options{CLIP: c, Tokenizer: tok, Model: &r.options, Loss: &r.loss, Values: r.values, Seed: 5}
}

// values implements model.Values with two functions. Without match everything matches.
type values struct {
	match func(wanted []checkpoint.Spec) error
	read  func(name string, values []float32) error
}

func (v values) Match(wanted []checkpoint.Spec) error {
	if v.match == nil {
		return nil
	}
	return v.match(wanted)
}

func (v values) Has(string) bool { return true }

func (v values) Read(name string, values []float32) error { return v.read(name, values) }

// tinyCLIP is the CLIP of the golden data: 6 + 6 blocks of width 64, patch size 7, for 21 pixels.
func tinyCLIP() string { return filepath.Join(golden.Root(), "testdata", "golden", "clip_tiny_hf") }

// presetRecipe is a preset on the tiny CLIP, with 35 pixels and three groups. Its values
// are random, so that every parameter has an effect.
func presetRecipe(t testing.TB, name string) recipe {
	t.Helper()
	own, loss, known := options.Preset(name)
	if !known {
		t.Fatalf("there is no preset %s", name)
	}
	r := recipe{clip: tinyCLIP(), options: own, loss: loss, train: true}
	r.options.ImageSize, r.options.Groups, r.options.Adapter.Init = 35, 3, options.InitReleased
	return r
}

// with builds a model and runs f on it inside Do.
func with(t testing.TB, r recipe, f func(s *torch.Scope, m *Model) error) error {
	t.Helper()
	return withCLIP(t, r, func(s *torch.Scope, c *clip.Model, tok *tokenizer.Tokenizer) error {
		m, err := New(s, r.on(c, tok))
		if err != nil {
			return err
		}
		if r.train {
			requireGrad(m)
		}
		return f(s, m)
	})
}

// withCLIP loads a recipe's CLIP and runs f on it inside Do.
func withCLIP(t testing.TB, r recipe, f func(s *torch.Scope, c *clip.Model, tok *tokenizer.Tokenizer) error) error {
	t.Helper()
	return cliptest.With(t, r.clip, clip.Options{ImageSize: r.options.ImageSize, Activation: r.options.Activation, Precision: r.precision, Recompute: r.recompute}, f)
}

// releasedRecipe is the model of a golden adapter file at the golden image size.
func releasedRecipe(t testing.TB, f golden.Folder, clip, adapters string, imageSize int) recipe {
	t.Helper()
	c, err := checkpoint.Open(f.File(adapters), card.List{options.Card()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	own := *c.Metadata.Model.(*options.Model)
	own.ImageSize = imageSize
	return recipe{clip: f.File(clip), options: own, loss: *c.Metadata.Loss.(*options.Loss), values: c}
}

// number returns one entry of a golden file's metadata.
func number(t testing.TB, f *golden.Tensors, key string) int {
	t.Helper()
	value, err := strconv.Atoi(f.Metadata[key])
	if err != nil {
		t.Fatalf("metadata %s: %v", key, err)
	}
	return value
}
