package clip_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/pkg/clip"
)

func TestFormatsForAUse(t *testing.T) {
	for _, c := range []struct {
		use  clip.Use
		want []string
	}{
		{clip.Use{}, []string{"fp32", "bf16", "int8"}},
		{clip.Use{Gradients: true}, []string{"fp32", "bf16"}},
		{clip.Use{CUDA: true}, []string{"fp32", "bf16"}},
	} {
		var got []string
		for _, format := range clip.Permitted(c.use) {
			got = append(got, format.Name)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%+v permits %v, want %v", c.use, got, c.want)
		}
		for _, format := range []string{"fp32", "bf16", "int8", "fp8"} {
			if err := clip.CheckFormat(format, c.use); (err == nil) != slices.Contains(c.want, format) || err != nil && !errors.Is(err, clip.ErrOptions) {
				t.Errorf("%+v, %s: %v", c.use, format, err)
			}
		}
	}
	if err := clip.CheckFormat(clip.Auto, clip.Use{Gradients: true, CUDA: true}); err != nil {
		t.Error(err)
	}
}

// TestBlockTime checks that a block can be timed in every format of each use, and that an
// ended context ends it.
func TestBlockTime(t *testing.T) {
	rt, err := torch.Open(torch.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	shape := clip.BlockShape{Width: 64, Heads: 2, Tokens: 5}
	for _, use := range []clip.Use{{}, {Gradients: true}} {
		var seconds []float64
		err := rt.Do(t.Context(), func(s *torch.Scope) (err error) {
			seconds, err = clip.BlockTime(t.Context(), s, shape, clip.Permitted(use), use)
			return err
		})
		if err != nil {
			t.Fatalf("%+v: %v", use, err)
		}
		if len(seconds) != len(clip.Permitted(use)) || slices.ContainsFunc(seconds, func(s float64) bool { return !(s > 0) || math.IsInf(s, 0) }) {
			t.Errorf("%+v: %v seconds", use, seconds)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	err = rt.Do(t.Context(), func(s *torch.Scope) error {
		cancel()
		_, err := clip.BlockTime(ended, s, shape, clip.Formats(), clip.Use{})
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context gives %v", err)
	}
}
