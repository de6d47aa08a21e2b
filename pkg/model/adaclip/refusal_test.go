package adaclip

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/cliptest"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/domain"
	"acdclip/pkg/model"
	"acdclip/pkg/model/adaclip/options"
)

// values implements model.Values with the names of the tensors that it has. Their values cannot be read.
type values []string

func (v values) Match(wanted []checkpoint.Spec) error {
	return fmt.Errorf("%d parameters are wanted", len(wanted))
}

func (v values) Has(name string) bool {
	for _, own := range v {
		if own == name {
			return true
		}
	}
	return false
}

func (v values) Read(string, []float32) error { return errors.New("cannot be read") }

// arch is the tiny CLIP's.
func arch() pretrained.Arch {
	return pretrained.Arch{
		ImageSize: 21, Patch: 7, VisionWidth: 64, VisionLayers: 6, VisionHeads: 1, EmbedDim: 64,
		ContextLength: 77, VocabSize: 49408, TextWidth: 64, TextLayers: 6, TextHeads: 1,
	}
}

func TestOptionsThatDoNotFit(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(a *pretrained.Arch, o *options.Model)
		values model.Values
		says   []string
	}{
		{"level", func(_ *pretrained.Arch, o *options.Model) { o.Levels = []int{6, 12, 18, 24} }, nil,
			[]string{"model.levels has block 24", "has 6 blocks", "set model.levels to 4 of them"}},
		{"no quarters", func(a *pretrained.Arch, o *options.Model) { a.VisionLayers, o.Depth = 3, 1 }, nil, []string{"3 blocks", "set model.levels"}},
		{"depth", func(_ *pretrained.Arch, o *options.Model) { o.Depth = 7 }, nil, []string{"7 blocks (model.depth)", "vision tower has 6"}},
		{"depth of the text tower", func(a *pretrained.Arch, _ *options.Model) { a.TextLayers = 1 }, nil, []string{"2 blocks", "text tower has 1"}},
		{"length", func(_ *pretrained.Arch, o *options.Model) { o.Length = 77 }, nil, []string{"77 learned tokens", "at most 76"}},
		{"another tokenizer", func(a *pretrained.Arch, _ *options.Model) { a.VocabSize = 60000 }, nil, []string{"another tokenizer"}},
		{"descending levels", func(_ *pretrained.Arch, o *options.Model) { o.Levels = []int{3, 2} }, nil, []string{"model.levels: must be ascending"}},
		{"fewer levels than trained", func(_ *pretrained.Arch, o *options.Model) { o.Levels = []int{2} },
			values{"visual.level.0.weight", "visual.level.1.weight"}, []string{"lists 1 blocks", "more levels"}},
		{"more levels than trained", func(*pretrained.Arch, *options.Model) {}, values{"visual.level.0.weight"}, []string{"lists 4 blocks", "for 1"}},
		{"parameters", func(*pretrained.Arch, *options.Model) {}, values{}, []string{"26 parameters are wanted"}},
	} {
		a, o := arch(), tiny().options
		test.change(&a, &o)
		err := Check(a, &o, test.values)
		for _, says := range test.says {
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %v does not say %q", test.name, err, says)
			}
		}
	}
	for name, plain := range map[string]func(a *pretrained.Arch, o *options.Model){
		"a plain text tower is of any depth": func(a *pretrained.Arch, o *options.Model) { a.TextLayers, o.TextTokens = 1, options.NoTokens },
		"an embedding of another width":      func(a *pretrained.Arch, _ *options.Model) { a.EmbedDim = 128 },
	} {
		a, o := arch(), tiny().options
		plain(&a, &o)
		if err := Check(a, &o, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWrongInputs(t *testing.T) {
	own, loss := options.Preset()
	for name, o := range map[string]model.Options{
		"nothing":     {},
		"no options":  {Model: (*options.Model)(nil), Loss: &loss},
		"no loss":     {Model: &own},
		"no CLIP":     {Model: &own, Loss: &loss},
		"nil as loss": {Model: &own, Loss: (*options.Loss)(nil)},
	} {
		if _, err := New(nil, o); err == nil {
			t.Errorf("%s: a model was built", name)
		}
	}
	if err := Check(arch(), (*options.Model)(nil), nil); err == nil {
		t.Error("no options fit")
	}
	if _, err := Complete(arch(), nil); err == nil {
		t.Error("no options were completed")
	}
	for change, says := range map[*recipe]string{
		{clip: tinyCLIP(), options: tiny().options, loss: options.Loss{DiceOver: "no"}}:     "loss.dice_over",
		{clip: tinyCLIP(), options: tiny().options, loss: tiny().loss, values: values{"a"}}: "26 parameters are wanted",
	} {
		err := with(t, *change, func(*torch.Scope, *Model) error { t.Error("the model was built"); return nil })
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v does not say %q", err, says)
		}
	}
}

func TestComplete(t *testing.T) {
	o := tiny().options
	completed, err := Complete(arch(), &o)
	if err != nil {
		t.Fatal(err)
	}
	if got := completed.(*options.Model).Levels; fmt.Sprint(got) != "[1 3 4 6]" || len(o.Levels) != 0 {
		t.Errorf("levels %v; the options given have %v", got, o.Levels)
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	err := with(t, tiny(), func(s *torch.Scope, m *Model) error {
		ctx, batch := context.Background(), cliptest.Batch(s, m.imageSize())
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
		_, stopped := m.Loss(cancelled, s, batch)
		for _, test := range []struct {
			name string
			err  error
			says string
		}{
			{"no classes", prepare(ctx, cliptest.Industrial()), "no classes"},
			{"cancelled", prepare(cancelled, cliptest.Classes()), "canceled"},
			{"cancelled training", stopped, "canceled"},
			{"another method's", score(batch.Pictures, batch.ClassOf, "text"), "another method"},
			{"nothing prepared", score(batch.Pictures, batch.ClassOf, nil), "another method"},
			{"class out of range", score(batch.Pictures, []int{0, 2, 0}, ready), "picture 1 has class index 2, but 2 classes"},
			{"negative class", score(batch.Pictures, []int{0, 0, -1}, ready), "picture 2 has class index -1"},
			{"too few classes", score(batch.Pictures, []int{0}, ready), "class indexes for 1 pictures, but 3 pictures"},
			{"other size", score(s.Full(0, 1, 3, 28, 28), []int{0}, ready), "[1 3 28 28]"},
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
