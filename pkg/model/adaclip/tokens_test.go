package adaclip

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/cliptest"
	"acdclip/internal/golden"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/model/adaclip/options"
)

// TestAllTokens builds a model for every kind of learned tokens in either tower, scores
// with it, and checks that every parameter affects the loss, except the text tower's first
// static tokens: no learned token enters its first block.
func TestAllTokens(t *testing.T) {
	for _, vision := range (options.Tokens)("").Values() {
		for _, text := range (options.Tokens)("").Values() {
			t.Run(fmt.Sprintf("vision %s, text %s", vision, text), func(t *testing.T) {
				r := tiny()
				r.options.VisionTokens, r.options.TextTokens = options.Tokens(vision), options.Tokens(text)
				if err := with(t, r, func(s *torch.Scope, m *Model) error { return exercise(t, s, m) }); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}

// exercise scores pictures and differentiates the loss.
func exercise(t *testing.T, s *torch.Scope, m *Model) error {
	if err := scoresInRange(t, s, m); err != nil {
		return err
	}
	requireGrad(m)
	loss, err := m.Loss(context.Background(), s, cliptest.Batch(s, m.imageSize()))
	if err != nil {
		return err
	}
	loss.Total.Backward()
	for name, gradient := range takeGradients(m) {
		silent := gradient == nil || gradient[golden.Largest(gradient)] == 0
		if silent != (name == "text.static.0") {
			t.Errorf("the gradient of %s, of %d values, is zero: %v", name, len(gradient), silent)
		}
	}
	return nil
}

// scoresInRange checks the shapes and the range of maps and scores.
func scoresInRange(t *testing.T, s *torch.Scope, m *Model) error {
	return s.Inference(func() error {
		scores, err := prepareAndScore(s, m, cliptest.Batch(s, m.imageSize()))
		if err != nil {
			return err
		}
		size := int64(m.imageSize())
		for what, of := range map[string]torch.Tensor{"maps": scores.Maps, "scores": scores.Image} {
			want := []int64{3, size, size}
			if what == "scores" {
				want = want[:1]
			}
			values := of.Float32s()
			if !slices.Equal(of.Shape(), want) || !(slices.Min(values) >= 0 && slices.Max(values) <= 1) {
				t.Errorf("%s have the shape %v and values from %g to %g", what, of.Shape(), slices.Min(values), slices.Max(values))
			}
		}
		return nil
	})
}

// TestOtherCLIP uses a CLIP whose widths and depths all differ.
func TestOtherCLIP(t *testing.T) {
	r, a := tiny(), arch()
	a.ImageSize, a.Patch, a.EmbedDim, a.VisionWidth, a.VisionHeads, a.VisionLayers, a.TextLayers = 64, 16, 32, 128, 2, 8, 5
	r.clip, r.options.ImageSize = t.TempDir(), 48
	if err := pretrained.WriteRandom(r.clip, a, 1); err != nil {
		t.Fatal(err)
	}
	err := with(t, r, func(s *torch.Scope, m *Model) error {
		if !slices.Equal(m.levels, []int{2, 4, 6, 8}) {
			t.Errorf("levels %v", m.levels)
		}
		return exercise(t, s, m)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestDepthAndLength uses learned tokens of one block, which enter no text, of all blocks,
// and more of them than some prompts, or all, have words.
func TestDepthAndLength(t *testing.T) {
	for _, size := range [][2]int{{1, 3}, {6, 1}, {2, 12}, {2, 76}} {
		r := tiny()
		r.options.Depth, r.options.Length = size[0], size[1]
		if err := with(t, r, func(s *torch.Scope, m *Model) error { return scoresInRange(t, s, m) }); err != nil {
			t.Errorf("depth %d, length %d: %v", size[0], size[1], err)
		}
	}
}

// TestCutPrompts checks that prompts shorter than the learned tokens have the same
// embeddings as in a list with a long one, where nothing is cut off them.
func TestCutPrompts(t *testing.T) {
	r := exact()
	r.options.Length = 20
	err := with(t, r, func(s *torch.Scope, m *Model) error {
		rows := m.tokenize("nut")
		short := m.encodePrefix(s, rows)
		long := m.tokenize(strings.Repeat("very ", 40) + "long")
		rows[1] = append(rows[1], long[1]...)
		whole := m.encodePrefix(s, rows)
		if short.tokens.Dim(1) > 20 || whole.tokens.Dim(1) < 40 {
			t.Errorf("prompts of %d and %d tokens", short.tokens.Dim(1), whole.tokens.Dim(1))
		}
		embedded := m.clip.Vision.Embed(cliptest.Batch(s, m.imageSize()).Pictures)
		dynamic := m.textTokens.dynamic(m.frozenClass(s, embedded)).Narrow(0, 0, 1)
		count := short.tokens.Dim(0)
		got := m.embedPrompts(s, short, dynamic, 1, nil)
		want := m.embedPrompts(s, whole, dynamic, 1, nil).Narrow(1, 0, count)
		golden.Near(t, "embeddings", got.Float32s(), want.Float32s(), 1e-5)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestHalf checks that half precision rounds the sum of learned tokens and, for each copy,
// its gradient.
func TestHalf(t *testing.T) {
	err := with(t, tiny(), func(s *torch.Scope, _ *Model) error {
		static := s.FromFloat32([]float32{0.1, 3}, 1, 2)
		static.RequireGrad(true)
		dynamic := s.FromFloat32([]float32{0.2, 1e-4}, 1, 1, 2)
		of := tokens{depth: 1, static: []torch.Tensor{static}, precision: options.Half}
		rows := of.at(0, dynamic, 1, 3)
		const half = 0.300048828125 // 0.3 in float16
		if got := rows.Float32s(); !slices.Equal(got, []float32{half, 3, half, 3, half, 3}) {
			t.Errorf("tokens %v", got)
		}
		// 2049 is 2048 in float16: three times 2048, not 6147 rounded.
		rows.Mul(s.Full(2049, 3, 1, 2)).Sum().Backward()
		gradient, _ := static.Grad()
		if got := gradient.Float32s(); !slices.Equal(got, []float32{6144, 6144}) {
			t.Errorf("gradient %v", got)
		}
		of.precision = options.Float
		if got := of.at(0, dynamic, 1, 1).Float32s(); got[0] == half {
			t.Errorf("rounded without being asked: %v", got)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
