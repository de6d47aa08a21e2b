package anomalyclip

import (
	"context"
	"slices"
	"strings"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/cliptest"
	"acdclip/internal/golden"
	"acdclip/pkg/model"
)

// lesson is what a step computes: the loss, its parts and every parameter's gradient.
type lesson struct {
	losses    []float32
	gradients [][]float32
}

func (l lesson) equal(other lesson) bool {
	return slices.Equal(l.losses, other.losses) && slices.EqualFunc(l.gradients, other.gradients, slices.Equal[[]float32])
}

// learn replaces the parameters' gradients with those of the batch.
func learn(s *torch.Scope, m *Model, batch model.Batch) (l lesson, err error) {
	parameters := requireGrad(m)
	err = s.Within(func(inner *torch.Scope) error {
		for _, p := range parameters {
			p.ClearGrad()
		}
		loss, err := m.Loss(context.Background(), inner, batch)
		if err != nil {
			return err
		}
		loss.Total.Backward()
		l.losses = loss.Total.Float32s()
		for _, part := range loss.Parts {
			l.losses = append(l.losses, part.Value.Float32s()...)
		}
		for _, p := range parameters {
			gradient, _ := p.Grad()
			l.gradients = append(l.gradients, gradient.Float32s())
		}
		return nil
	})
	return l, err
}

// part returns pictures of a batch in another order.
func part(s *torch.Scope, b model.Batch, pictures ...int64) model.Batch {
	index := s.FromInt64(pictures, int64(len(pictures)))
	chosen := model.Batch{Pictures: b.Pictures.IndexSelect(0, index), Masks: b.Masks.IndexSelect(0, index), Classes: b.Classes}
	for _, i := range pictures {
		chosen.Labels, chosen.ClassOf = append(chosen.Labels, b.Labels[i]), append(chosen.ClassOf, b.ClassOf[i])
		if b.Keys != nil {
			chosen.Keys = append(chosen.Keys, b.Keys[i])
		}
	}
	return chosen
}

// TestKeptFeatures checks that steps have the same bits with all, some or no features
// kept, whatever batch a picture was first seen in, and that the bound is kept.
func TestKeptFeatures(t *testing.T) {
	one := int64((3*5*5 + 1) * 64 * 4)
	wants := map[bool]*lesson{false: {}, true: {}} // by half
	for _, test := range []struct {
		bytes int64
		keys  []int
		half  bool
		kept  int
	}{
		{0, []int{4, 9, 0}, false, 0}, {1 << 30, nil, false, 0}, {1 << 30, []int{4, 9, 0}, false, 3},
		{3 * one, []int{4, 9, 0}, false, 3}, {3*one - 1, []int{4, 9, 0}, false, 2}, {one - 1, []int{4, 9, 0}, false, 0},
		{0, []int{4, 9, 0}, true, 0}, {3 * one / 2, []int{4, 9, 0}, true, 3}, {one, []int{4, 9, 0}, true, 2},
	} {
		r, want := tinyRecipe(t), wants[test.half]
		r.featureCache, r.featureHalf = test.bytes, test.half
		err := with(t, r, func(s *torch.Scope, m *Model) error {
			batch := cliptest.Batch(s, m.imageSize())
			batch.Keys = test.keys
			if _, err := learn(s, m, part(s, batch, 2, 1)); err != nil {
				return err
			}
			before := torch.LiveHandles()
			for range 2 {
				got, err := learn(s, m, batch)
				if err != nil {
					return err
				}
				if want.losses == nil {
					*want = got
				}
				if !got.equal(*want) {
					t.Errorf("%d bytes, keys %v: the step has other bits: %v, want %v", test.bytes, test.keys, got.losses, want.losses)
				}
			}
			if kept, bytes := m.KeptFeatures(); kept != test.kept || bytes > test.bytes {
				t.Errorf("%d bytes, keys %v: %d pictures of %d bytes were kept, want %d", test.bytes, test.keys, kept, bytes, test.kept)
			}
			if more := torch.LiveHandles() - before; more > 4 { // of the third picture
				t.Errorf("%d bytes, keys %v: %d tensors more", test.bytes, test.keys, more)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	golden.Near(t, "loss with features in float16", wants[true].losses, wants[false].losses, 0.01)
	if wants[true].equal(*wants[false]) {
		t.Error("features in float16 are not rounded")
	}
}

// TestEveryParameterLearns checks that each parameter has a gradient, in both formats of
// the deep tokens, which differ by rounding only.
func TestEveryParameterLearns(t *testing.T) {
	var lessons []lesson
	for _, format := range []string{"half", "float"} {
		r := tinyRecipe(t)
		if r.options.DeepTokens = "float"; format == "half" {
			r.options.DeepTokens = "half"
		}
		err := with(t, r, func(s *torch.Scope, m *Model) error {
			l, err := learn(s, m, cliptest.Batch(s, m.imageSize()))
			lessons = append(lessons, l)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, gradient := range lessons[0].gradients {
		if slices.Max(gradient) == 0 && slices.Min(gradient) == 0 {
			t.Errorf("parameter %d learns nothing", i)
		}
		golden.Near(t, "gradient", gradient, lessons[1].gradients[i], 0.05)
	}
	if lessons[0].equal(lessons[1]) {
		t.Error("half and float deep tokens give the same bits")
	}
}

func TestBatchesThatAreRefused(t *testing.T) {
	err := with(t, tinyRecipe(t), func(s *torch.Scope, m *Model) error {
		cancelled, cancel := context.WithCancel(context.Background())
		cancel()
		for says, test := range map[string]struct {
			ctx    context.Context
			change func(b *model.Batch)
		}{
			"2 keys for 3 pictures":   {context.Background(), func(b *model.Batch) { b.Keys = []int{1, 2} }},
			"2 labels for 3 pictures": {context.Background(), func(b *model.Batch) { b.Labels = b.Labels[:2] }},
			"no classes":              {context.Background(), func(b *model.Batch) { b.Classes = cliptest.Industrial() }},
			"masks have shape":        {context.Background(), func(b *model.Batch) { b.Masks = b.Masks.Narrow(0, 0, 1) }},
			"canceled":                {cancelled, func(*model.Batch) {}},
		} {
			batch := cliptest.Batch(s, m.imageSize())
			test.change(&batch)
			if _, err := m.Loss(test.ctx, s, batch); err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%v does not say %q", err, says)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
