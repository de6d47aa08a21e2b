package acdclip

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/cliptest"
	"acdclip/pkg/model"
	"acdclip/pkg/model/acdclip/options"
)

// TestKeptPrefixes checks that a step with cached prefixes has the same loss and gradients
// as one that computes them, also after the parameters have changed.
func TestKeptPrefixes(t *testing.T) {
	for _, preset := range []string{options.Paper, options.Released} {
		err := with(t, presetRecipe(t, preset), func(s *torch.Scope, m *Model) error {
			adam := torch.Adam{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
			for _, group := range m.Groups() {
				var parameters []torch.Tensor
				for _, p := range group.Parameters {
					parameters = append(parameters, p.Tensor)
				}
				adam.AddGroup(s, 0.01, parameters)
			}
			batch := cliptest.Batch(s, m.imageSize())
			for step := range 3 {
				kept := learnFrom(t, s, m, batch)
				m.prefixes.of = map[string]prefix{}
				anew := learnFrom(t, s, m, batch)
				if !slices.Equal(kept.losses, anew.losses) {
					t.Errorf("%s, step %d: the losses are %v with kept prefixes, else %v", preset, step, kept.losses, anew.losses)
				}
				for name := range anew.gradients {
					if !slices.Equal(kept.gradients[name], anew.gradients[name]) {
						t.Errorf("%s, step %d: the gradient of %s is another with kept prefixes", preset, step, name)
					}
				}
				adam.Step()
				adam.ClearGrads()
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

type learned struct {
	losses    []float64
	gradients map[string][]float32
}

// learnFrom replaces the parameters' gradients with those of the batch.
func learnFrom(t *testing.T, s *torch.Scope, m *Model, batch model.Batch) learned {
	t.Helper()
	l := learned{gradients: map[string][]float32{}}
	err := s.Within(func(inner *torch.Scope) error {
		takeGradients(m)
		loss, err := m.Loss(context.Background(), inner, batch)
		if err != nil {
			return err
		}
		loss.Total.Backward()
		for _, part := range loss.Parts {
			l.losses = append(l.losses, part.Value.Item())
		}
		for _, p := range m.parameters {
			if gradient, found := p.Tensor.Grad(); found {
				l.gradients[p.Name] = gradient.Float32s()
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestPrefixesAreBounded checks that repeated classes take no further memory and classes
// beyond the limit none.
func TestPrefixesAreBounded(t *testing.T) {
	err := with(t, presetRecipe(t, options.Paper), func(s *torch.Scope, m *Model) error {
		batch := cliptest.Batch(s, m.imageSize())
		learnFrom(t, s, m, batch)
		handles := torch.LiveHandles()
		learnFrom(t, s, m, batch)
		if now := torch.LiveHandles(); now != handles || len(m.prefixes.of) != len(batch.Classes.Prompts) {
			t.Errorf("%d tensors after a step, %d after another with the same %d classes", handles, now, len(m.prefixes.of))
		}
		for i := len(m.prefixes.of); i < maxPrefixes; i++ {
			m.prefixes.of[fmt.Sprint("taken ", i)] = prefix{}
		}
		batch.Classes = cliptest.Industrial("first new one", "second new one")
		learnFrom(t, s, m, batch)
		if now := torch.LiveHandles(); now != handles || len(m.prefixes.of) != maxPrefixes {
			t.Errorf("%d tensors before classes beyond the bound, %d after", handles, now)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
