// Package cliptest loads a CLIP for tests of methods.
package cliptest

import (
	"context"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/pkg/clip"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/clip/tokenizer"
)

// With loads a CLIP's weights and runs f on it inside Do, on one CPU thread. It returns
// the error of loading or of f.
func With(t testing.TB, path string, options clip.Options, f func(s *torch.Scope, c *clip.Model, tok *tokenizer.Tokenizer) error) error {
	t.Helper()
	weights, err := pretrained.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer weights.Close()
	tok, err := tokenizer.New()
	if err != nil {
		t.Fatal(err)
	}
	rt, err := torch.Open(torch.Options{Threads: 1}) // idle threads spin and would slow down tests that run in parallel
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	return rt.Do(context.Background(), func(s *torch.Scope) error {
		c, err := clip.Load(context.Background(), s, weights, options)
		if err != nil {
			return err
		}
		return f(s, c, tok)
	})
}
