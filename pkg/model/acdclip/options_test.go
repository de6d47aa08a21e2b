package acdclip

import (
	"acdclip/internal/cliptest"
	"acdclip/internal/golden"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/clip"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/clip/tokenizer"
	"acdclip/pkg/domain"
	"acdclip/pkg/model"
	"acdclip/pkg/model/acdclip/options"
)

// TestAllOptions builds a model for every combination of the options in which presets and
// ablations differ, scores with it and computes its gradients.
func TestAllOptions(t *testing.T) {
	err := withCLIP(t, presetRecipe(t, options.Paper), func(s *torch.Scope, c *clip.Model, tok *tokenizer.Tokenizer) error {
		for _, r := range combinations(t) {
			o := r.options
			name := fmt.Sprint(o.Adapter.Kind, "/", o.Fusion.Kind, "/", o.Adapter.Merge, "/", o.Fusion.Similarity, "/", o.Fusion.Average, "/", o.Classification.Feature)
			err := s.Within(func(inner *torch.Scope) error {
				m, err := New(inner, r.on(c, tok))
				if err != nil {
					return err
				}
				requireGrad(m)
				return exercise(t, name, inner, m)
			})
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// combinations returns 64 recipes.
func combinations(t *testing.T) []recipe {
	var recipes []recipe
	for choice := range 1 << 6 {
		bit := func(i int) bool { return choice>>i&1 == 1 }
		r := presetRecipe(t, options.Paper)
		if bit(0) {
			r = presetRecipe(t, options.Released)
		}
		o := &r.options
		o.Adapter.Kind = pick(bit(1), options.ConvLoRA, options.LoRA)
		o.Fusion.Kind = pick(bit(2), options.DFG, options.Static)
		o.Fusion.Similarity = pick(bit(3), options.Cosine, options.Dot)
		o.Fusion.Average = pick(bit(4), options.Probabilities, options.Logits)
		o.Classification.Feature = pick(bit(5), options.CLSFeature, options.DetectionFeature)
		recipes = append(recipes, r)
	}
	return recipes
}

func pick[T any](second bool, a, b T) T {
	if second {
		return b
	}
	return a
}

// exercise checks that scores are in [0, 1] and that every parameter affects the loss.
func exercise(t *testing.T, name string, s *torch.Scope, m *Model) error {
	batch := cliptest.Batch(s, m.imageSize())
	err := s.Inference(func() error {
		scores, err := prepareAndScore(s, m, batch)
		if err != nil {
			return err
		}
		size := int64(m.imageSize())
		for what, tensor := range map[string]torch.Tensor{"maps": scores.Maps, "image": scores.Image, "class": scores.ClassProbabilities} {
			want := []int64{3, size, size}
			if what != "maps" {
				want = want[:1]
			}
			values := tensor.Float32s()
			if !slices.Equal(tensor.Shape(), want) || !finite(values) || slices.Min(values) < 0 || slices.Max(values) > 1 {
				t.Errorf("%s: %s has the shape %v and values from %g to %g", name, what, tensor.Shape(), slices.Min(values), slices.Max(values))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	loss, err := m.Loss(context.Background(), s, batch)
	if err != nil {
		return err
	}
	loss.Total.Backward()
	for parameter, gradient := range takeGradients(m) {
		if len(gradient) == 0 || !finite(gradient) || gradient[golden.Largest(gradient)] == 0 {
			t.Errorf("%s: the gradient of %s, of %d values, is zero or not finite", name, parameter, len(gradient))
		}
	}
	return nil
}

func TestOptionsThatDoNotFit(t *testing.T) {
	odd := pretrained.Arch{
		ImageSize: 21, Patch: 7, VisionWidth: 64, VisionLayers: 6, VisionHeads: 1, EmbedDim: 128,
		ContextLength: 77, VocabSize: 49408, TextWidth: 64, TextLayers: 6, TextHeads: 1,
	}
	shallow := odd
	shallow.EmbedDim, shallow.TextLayers = 64, 4
	few, many := odd, odd
	few.VocabSize, many.VocabSize = 49407, 60000
	tests := []struct {
		name   string
		arch   *pretrained.Arch // a random CLIP; nil: the tiny one
		change func(r *recipe)
		says   []string
	}{
		{"groups", nil, func(r *recipe) { r.options.Groups = 4 }, []string{"model.groups is 4", "6 blocks", "vision"}},
		{"groups of the text tower", &shallow, func(*recipe) {}, []string{"model.groups is 3", "4 blocks", "text"}},
		{"no groups", nil, func(r *recipe) { r.options.Groups = 0 }, []string{"model.groups"}},
		{"image size", nil, func(r *recipe) { r.options.ImageSize = 40 }, []string{"40", "patch size of 7", "nearest is 42"}},
		{"image smaller than a patch", nil, func(r *recipe) { r.options.ImageSize = 2 }, []string{"2", "nearest is 7"}},
		{"smoothing", nil, func(r *recipe) { r.options.ImageSize, r.options.Fusion.Smoothing = 28, options.Gaussian },
			[]string{"model.fusion.smoothing", "more than 4 patches", "image size 28 has 4", "model.image_size"}},
		{"too small a vocabulary", &few, func(*recipe) {}, []string{"vocabulary has 49407 tokens", "another tokenizer"}},
		{"another tokenizer's vocabulary", &many, func(*recipe) {}, []string{"vocabulary has 60000 tokens"}},
		{"embedding width", &odd, func(*recipe) {}, []string{"text width 64", "embedding width 128"}},
		{"rescaling nothing", nil, func(r *recipe) { r.options.Adapter.Merge, r.options.Adapter.Init = options.Rescale, options.InitPaper }, []string{"model.adapter.merge", "0/0"}},
		{"no loss", nil, func(r *recipe) { r.loss = options.Loss{DiceForm: r.loss.DiceForm, FocalForm: r.loss.FocalForm} }, []string{"loss.focal", "nothing to train"}},
		{"values", nil, func(r *recipe) {
			r.values = values{read: func(_ string, into []float32) error { return fmt.Errorf("no %d values", len(into)) }}
		}, []string{"parameter visual.0.down", "no 1024 values"}},
		{"check", nil, func(r *recipe) {
			r.values = values{match: func(wanted []checkpoint.Spec) error { return fmt.Errorf("%d parameters", len(wanted)) }}
		}, []string{"parameters"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := presetRecipe(t, options.Paper)
			if test.arch != nil {
				r.clip = t.TempDir()
				if err := pretrained.WriteRandom(r.clip, *test.arch, 1); err != nil {
					t.Fatal(err)
				}
			}
			test.change(&r)
			err := with(t, r, func(*torch.Scope, *Model) error { t.Error("the model was built"); return nil })
			for _, says := range test.says {
				if err == nil || !strings.Contains(err.Error(), says) {
					t.Errorf("%v does not say %q", err, says)
				}
			}
		})
	}
}

// TestOwnImageSize uses CLIP's own image size, at which the position embedding is not resized.
func TestOwnImageSize(t *testing.T) {
	r := presetRecipe(t, options.Released)
	r.options.ImageSize, r.options.Fusion.Smoothing = 21, options.NoSmoothing
	if err := with(t, r, func(s *torch.Scope, m *Model) error { return exercise(t, "21 px", s, m) }); err != nil {
		t.Fatal(err)
	}
}

// TestJoin checks that classes prepared one by one give the same bits as classes prepared together.
func TestJoin(t *testing.T) {
	err := with(t, presetRecipe(t, options.Paper), func(s *torch.Scope, m *Model) error {
		ctx, batch := context.Background(), cliptest.Batch(s, m.imageSize())
		whole, err := m.Prepare(ctx, s, cliptest.Classes())
		if err != nil {
			return err
		}
		var parts []model.Prepared
		for _, class := range cliptest.Classes().Prompts {
			part, err := m.Prepare(ctx, s, cliptest.Industrial(class))
			if err != nil {
				return err
			}
			parts = append(parts, part)
		}
		joined, err := m.Join(s, parts)
		if err != nil {
			return err
		}
		var found [2][]float32
		for i, prepared := range []model.Prepared{whole, joined} {
			scores, err := m.Score(s, batch.Pictures, batch.ClassOf, prepared)
			if err != nil {
				return err
			}
			found[i] = append(scores.Maps.Float32s(), scores.Image.Float32s()...)
		}
		if !slices.Equal(found[0], found[1]) {
			t.Error("joined classes score to other bits")
		}
		medical, err := m.Prepare(ctx, s, domain.Classes{Prompts: []string{"brain"}, Domain: domain.Medical})
		if err != nil {
			return err
		}
		for says, parts := range map[string][]model.Prepared{"no classes": nil, "domains": {whole, medical}, "another method": {whole, "text"}} {
			if _, err := m.Join(s, parts); err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %v", says, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	err := with(t, presetRecipe(t, options.Paper), func(s *torch.Scope, m *Model) error {
		ctx := context.Background()
		batch := cliptest.Batch(s, m.imageSize())
		ready, err := m.Prepare(ctx, s, cliptest.Classes())
		if err != nil {
			return err
		}
		score := func(pictures torch.Tensor, classOf []int, prepared model.Prepared) error {
			_, err := m.Score(s, pictures, classOf, prepared)
			return err
		}
		prepare := func(ctx context.Context, classes domain.Classes) error {
			got, err := m.Prepare(ctx, s, classes)
			if err != nil && got != nil {
				t.Errorf("beside the error %v something was prepared", err)
			}
			return err
		}
		learn := func(change func(b *model.Batch)) error {
			changed := batch
			change(&changed)
			_, err := m.Loss(ctx, s, changed)
			return err
		}
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		for _, test := range []struct {
			name string
			err  error
			says string
		}{
			{"no classes", prepare(ctx, cliptest.Industrial()), "no classes"},
			{"cancelled", prepare(cancelled, cliptest.Classes()), "canceled"},
			{"another method's", score(batch.Pictures, batch.ClassOf, "text"), "another method"},
			{"nothing prepared", score(batch.Pictures, batch.ClassOf, nil), "another method"},
			{"class out of range", score(batch.Pictures, []int{0, 2, 0}, ready), "picture 1 has class index 2, but 2 classes"},
			{"negative class", score(batch.Pictures, []int{0, 0, -1}, ready), "picture 2 has class index -1"},
			{"too few classes", score(batch.Pictures, []int{0}, ready), "class indexes for 1 pictures, but 3 pictures"},
			{"other size", score(s.Full(0, 1, 3, 28, 28), []int{0}, ready), "[1 3 28 28]"},
			{"one channel", score(s.Full(0, 1, 1, 35, 35), []int{0}, ready), "[B, 3, 35, 35]"},
			{"labels", learn(func(b *model.Batch) { b.Labels = b.Labels[:2] }), "2 labels for 3 pictures"},
			{"masks", learn(func(b *model.Batch) { b.Masks = b.Masks.Narrow(0, 0, 1) }), "masks have shape [1 35 35]"},
			{"class of a batch", learn(func(b *model.Batch) { b.ClassOf = []int{0, 1, 2} }), "picture 2 has class index 2"},
			{"batch without classes", learn(func(b *model.Batch) { b.Classes = cliptest.Industrial() }), "no classes"},
		} {
			if test.err == nil || !strings.Contains(test.err.Error(), test.says) {
				t.Errorf("%s gave %v, want an error with %q", test.name, test.err, test.says)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
