package acdclip

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/golden"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/clip"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/clip/tokenizer"
	"acdclip/pkg/config"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if left := torch.LiveHandles(); left != 0 {
		fmt.Fprintf(os.Stderr, "%d tensors were never freed\n", left)
		code = 1
	}
	os.Exit(code)
}

// The tiny CLIP of a golden folder, in its two formats.
var clips = []string{"clip_tiny_openai.pt", "clip_tiny_hf"}

// recipe is what a test builds a model from.
type recipe struct {
	clip    string
	options config.Model
	loss    config.Loss
	values  Values
	train   bool
}

// with builds a model and runs f on it inside Do.
func with(t *testing.T, r recipe, f func(s *torch.Scope, m *Model) error) error {
	t.Helper()
	weights, err := pretrained.Open(r.clip)
	if err != nil {
		t.Fatal(err)
	}
	defer weights.Close()
	tok, err := tokenizer.New()
	if err != nil {
		t.Fatal(err)
	}
	rt, err := torch.Open(torch.Options{Threads: 1}) // idle threads spin: several would slow each other down beside other tests
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	return rt.Do(context.Background(), func(s *torch.Scope) error {
		c, err := clip.Load(context.Background(), s, weights, clip.Options{ImageSize: r.options.ImageSize, Activation: r.options.Activation})
		if err != nil {
			return err
		}
		m, err := New(s, c, tok, r.options, r.loss, r.values, r.train)
		if err != nil {
			return err
		}
		return f(s, m)
	})
}

// releasedRecipe is the model of a golden adapter file at the golden image size.
func releasedRecipe(t *testing.T, f golden.Folder, clip, adapters string, imageSize int) recipe {
	t.Helper()
	c, err := checkpoint.Open(f.File(adapters))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	options := c.Metadata.Model
	options.ImageSize = imageSize
	return recipe{
		clip: f.File(clip), options: options, loss: c.Metadata.Loss,
		values: Values{Read: func(d Definition, values []float32) error { return c.Read(d.Name, values) }},
	}
}

// number reads one entry of a golden file's metadata.
func number(t *testing.T, f *golden.Tensors, key string) int {
	t.Helper()
	value, err := strconv.Atoi(f.Metadata[key])
	if err != nil {
		t.Fatalf("metadata %s: %v", key, err)
	}
	return value
}
