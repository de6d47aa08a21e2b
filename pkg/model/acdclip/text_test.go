package acdclip

import (
	"slices"
	"strings"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/golden"
	"acdclip/pkg/clip"
	"acdclip/pkg/model/acdclip/options"
)

func TestPrompts(t *testing.T) {
	want := [states][]string{
		normal: {
			"metal nut.", "a photo of metal nut.", "a metal nut.", "a photo of a metal nut.", "the metal nut.", "a photo of the metal nut.",
		},
		abnormal: {
			"a damaged metal nut.", "a photo of a damaged metal nut.", "a broken metal nut.", "a photo of a broken metal nut.",
			"a metal nut with flaw.", "a photo of a metal nut with flaw.", "a metal nut with defect.", "a photo of a metal nut with defect.",
			"a metal nut with damage.", "a photo of a metal nut with damage.",
		},
	}
	for state, texts := range want {
		if got := prompts.Texts("metal nut", state); !slices.Equal(got, texts) {
			t.Errorf("state %d: got %q, want %q", state, got, texts)
		}
	}
}

// TestCutTokens checks that the tower reads only up to the last end token among the
// prompts, and that tokens after a prompt's own end token have no effect.
func TestCutTokens(t *testing.T) {
	for _, preset := range []string{options.Paper, options.Released} {
		err := with(t, presetRecipe(t, preset), func(s *torch.Scope, m *Model) error {
			return s.NoGrad(func() error {
				encode := func(text string) [][]int32 { return [][]int32{m.tokenizer.Encode(text, m.clip.Text.Context)} }
				short, full := encode("a photo of a nut."), encode(strings.Repeat("very ", 80)+"long.")
				if last := full[0][m.clip.Text.Context-1]; last != full[0][0]+1 {
					t.Errorf("the long prompt ends in %d, not in the end token", last)
				}
				state := func(rows [states][][]int32) []float32 { // T of the first state, all levels
					return m.encodeRest(s, m.encodePrefix(s, rows)).Narrow(-1, normal, 1).Float32s()
				}
				if length := m.clip.Text.Embed(clip.NewPrompts(s, short)).Dim(1); length != 8 {
					t.Errorf("start, six words and end became %d tokens", length)
				}
				cut := state([states][][]int32{short, short})
				uncut := state([states][][]int32{short, full})
				golden.Near(t, "text features next to a prompt of 77 tokens", uncut, cut, 2e-6)
				other := state([states][][]int32{full, full})
				if slices.Equal(cut, other) {
					t.Error("another prompt has the same features")
				}
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
