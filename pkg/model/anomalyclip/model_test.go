package anomalyclip

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/cliptest"
	"acdclip/internal/golden"
	"acdclip/pkg/clip"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/clip/tokenizer"
	"acdclip/pkg/domain"
	"acdclip/pkg/model"
	"acdclip/pkg/model/anomalyclip/options"
	"acdclip/pkg/model/prompt"
)

// TestPrompts checks the token ids of the two prompts.
func TestPrompts(t *testing.T) {
	tok, err := tokenizer.New()
	if err != nil {
		t.Fatal(err)
	}
	for state, want := range [][]int32{
		prompt.Normal:   {49406, 343, 343, 343, 14115, 269, 49407, 0},
		prompt.Abnormal: {49406, 343, 343, 343, 13568, 14115, 269, 49407},
	} {
		if got := tok.Encode(texts(3)[state], 77)[:8]; !slices.Equal(got, want) {
			t.Errorf("state %d: %v, want %v", state, got, want)
		}
	}
}

// TestPositionsAreKnown checks that the towers know every interpolation of the options.
func TestPositionsAreKnown(t *testing.T) {
	known := clip.PositionResizes()
	for _, name := range options.Position("").Values() {
		if !slices.ContainsFunc(known, func(p clip.PositionResize) bool { return p.Name == name }) {
			t.Errorf("the towers do not know %s", name)
		}
	}
}

func TestInitialValues(t *testing.T) {
	r := tinyRecipe(t)
	r.options.Words, r.options.Tokens = 64, 64
	err := with(t, r, func(_ *torch.Scope, m *Model) error {
		if len(m.parameters) != 2+3 {
			t.Errorf("%d parameters", len(m.parameters))
		}
		for _, p := range m.parameters {
			sum, squares := 0.0, 0.0
			values := p.Tensor.Float64s()
			for _, value := range values {
				sum, squares = sum+value, squares+value*value
			}
			n := float64(len(values))
			if mean, deviation := sum/n, math.Sqrt(squares/n); math.Abs(mean) > 0.002 || math.Abs(deviation-0.02) > 0.002 {
				t.Errorf("%s: mean %g, deviation %g of %v values", p.Name, mean, deviation, n)
			}
		}
		groups := m.Groups()
		if len(groups) != 1 || groups[0].Side != model.TextSide || len(groups[0].Parameters) != 5 {
			t.Errorf("groups %+v", groups)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestOptionsThatDoNotFit(t *testing.T) {
	arch := pretrained.Arch{ImageSize: 21, Patch: 7, VisionWidth: 64, VisionLayers: 6, EmbedDim: 64, ContextLength: 77, VocabSize: 49408, TextWidth: 64, TextLayers: 4}
	for name, test := range map[string]struct {
		change func(o *options.Model, arch *pretrained.Arch)
		says   []string
	}{
		"words":      {func(o *options.Model, _ *pretrained.Arch) { o.Words = 73 }, []string{"model.words is 73", "77 tokens", "72"}},
		"depth":      {func(o *options.Model, _ *pretrained.Arch) { o.Depth = 5 }, []string{"model.depth is 5", "text tower has 4 blocks"}},
		"vv_from":    {func(o *options.Model, _ *pretrained.Arch) { o.VVFrom = 7 }, []string{"model.vv_from is 7", "6 blocks"}},
		"levels":     {func(o *options.Model, _ *pretrained.Arch) { o.Levels = []int{6, 12} }, []string{"model.levels lists block 12", "6 blocks"}},
		"vocabulary": {func(_ *options.Model, a *pretrained.Arch) { a.VocabSize = 60000 }, []string{"another tokenizer"}},
		"range":      {func(o *options.Model, _ *pretrained.Arch) { o.Words = -1 }, []string{"model.words"}},
	} {
		own, other := tinyRecipe(t).options, arch
		if err := Check(other, &own, nil); err != nil {
			t.Fatal(err)
		}
		test.change(&own, &other)
		err := Check(other, &own, nil)
		for _, says := range test.says {
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %v does not say %q", name, err, says)
			}
		}
	}
}

func TestNeedsCLIP(t *testing.T) {
	r := tinyRecipe(t)
	if _, err := New(nil, r.on(nil, nil)); !errors.Is(err, model.ErrNoCLIP) {
		t.Errorf("%v", err)
	}
}

func TestComplete(t *testing.T) {
	own := tinyRecipe(t).options
	own.VVFrom, own.Levels = 0, []int{}
	completed, err := Complete(pretrained.Arch{VisionLayers: 24}, &own)
	if err != nil {
		t.Fatal(err)
	}
	if got := completed.(*options.Model); got.VVFrom != 6 || !slices.Equal(got.Levels, []int{24}) || own.VVFrom != 0 {
		t.Errorf("%+v of %+v", got, own)
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	err := with(t, tinyRecipe(t), func(s *torch.Scope, m *Model) error {
		ctx, batch := context.Background(), cliptest.Batch(s, m.imageSize())
		ready, err := m.Prepare(ctx, s, cliptest.Classes())
		if err != nil {
			return err
		}
		medical, err := m.Prepare(ctx, s, domain.Classes{Prompts: []string{"brain"}, Domain: domain.Medical})
		if err != nil {
			return err
		}
		score := func(pictures torch.Tensor, classOf []int, prepared model.Prepared) error {
			_, err := m.Score(s, pictures, classOf, prepared)
			return err
		}
		prepare := func(ctx context.Context, classes domain.Classes) error {
			_, err := m.Prepare(ctx, s, classes)
			return err
		}
		join := func(parts ...model.Prepared) error {
			_, err := m.Join(s, parts)
			return err
		}
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		for _, test := range []struct {
			err  error
			says string
		}{
			{prepare(ctx, cliptest.Industrial()), "no classes"},
			{prepare(cancelled, cliptest.Classes()), "canceled"},
			{score(batch.Pictures, batch.ClassOf, nil), "another method"},
			{score(batch.Pictures, []int{0, 2, 0}, ready), "picture 1 has class index 2"},
			{score(batch.Pictures, []int{0}, ready), "1 pictures, but 3 pictures"},
			{score(s.Full(0, 1, 3, 28, 28), []int{0}, ready), "[1 3 28 28]"},
			{join(), "no classes"},
			{join(ready, "text"), "another method"},
			{join(ready, medical), "domains"},
		} {
			if test.err == nil || !strings.Contains(test.err.Error(), test.says) {
				t.Errorf("%v does not say %q", test.err, test.says)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// carried returns values that carry copies of the tiny CLIP's token embeddings, like an
// authors' file.
func carried(t *testing.T, r recipe) values {
	t.Helper()
	v := values{}
	err := with(t, r, func(s *torch.Scope, m *Model) error {
		for _, p := range m.parameters {
			v[p.Name] = p.Tensor.Float32s()
		}
		tok, err := tokenizer.New()
		if err != nil {
			return err
		}
		names := [][2]string{prompt.Normal: {options.PrefixNormal, options.SuffixNormal}, prompt.Abnormal: {options.PrefixAbnormal, options.SuffixAbnormal}}
		for state, text := range texts(r.options.Words) {
			var tokens [][]int32 // each is a prompt of its own, so that the padding is not cut
			for _, id := range tok.Encode(text, m.clip.Text.Context) {
				tokens = append(tokens, []int32{id})
			}
			rows := m.clip.Text.Lookup(clip.NewPrompts(s, tokens)).Float32s()
			width := m.clip.Text.Width
			v[names[state][0]] = rows[:width]
			v[names[state][1]] = rows[(1+r.options.Words)*width:]
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestSameEmbeddings checks that copies may differ by rounding to float16 if all values of
// one side are rounded.
func TestSameEmbeddings(t *testing.T) {
	exact := []float32{0.1, -0.3, 1e-6, 0}
	rounded, mixed := make([]float32, len(exact)), slices.Clone(exact)
	for i, value := range exact {
		rounded[i] = half(value)
	}
	mixed[0] = rounded[0]
	changed := slices.Clone(rounded)
	changed[1] *= 1.001
	for _, test := range []struct {
		a, b []float32
		same bool
	}{
		{exact, exact, true}, {exact, rounded, true}, {rounded, exact, true}, {exact, mixed, false}, {mixed, exact, false},
		{mixed, rounded, true}, {exact, changed, false}, {changed, rounded, false},
	} {
		if got := sameEmbeddings(test.a, test.b); got != test.same {
			t.Errorf("%v and %v: %v", test.a, test.b, got)
		}
	}
}

// TestCopiesOfAnotherCLIP checks that every value of every copy is compared.
func TestCopiesOfAnotherCLIP(t *testing.T) {
	r := tinyRecipe(t)
	for name, test := range map[string]struct {
		change func(v values)
		other  string // the copy that is said to differ; "": accepted
	}{
		"equal":     {func(values) {}, ""},
		"no copies": {func(v values) { delete(v, options.SuffixNormal) }, ""},
		"start":     {func(v values) { v[options.PrefixAbnormal][3] *= 1.01 }, options.PrefixAbnormal},
		"padding":   {func(v values) { n := len(v[options.SuffixNormal]); v[options.SuffixNormal][n-1] *= 1.01 }, options.SuffixNormal},
		"a word":    {func(v values) { v[options.SuffixAbnormal][0] *= 1.01 }, options.SuffixAbnormal},
	} {
		v := carried(t, r)
		test.change(v)
		changed := r
		changed.values = v
		err := with(t, changed, func(*torch.Scope, *Model) error { return nil })
		switch {
		case test.other == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case test.other != "" && (!errors.Is(err, model.ErrOtherCLIP) || !strings.Contains(err.Error(), test.other)):
			t.Errorf("%s: %v, want another CLIP, %s", name, err, test.other)
		}
	}
}

// TestGoldenFileOnAnotherCLIP checks that the authors' file is refused with a CLIP of the
// same shapes.
func TestGoldenFileOnAnotherCLIP(t *testing.T) {
	goldens(t, func(t *testing.T, name string) {
		r := goldenRecipe(t, name, golden.Open(t, name+".safetensors"))
		weights, err := pretrained.Open(r.clip)
		if err != nil {
			t.Fatal(err)
		}
		arch := weights.Arch
		weights.Close()
		r.clip = filepath.Join(t.TempDir(), "clip")
		if err := pretrained.WriteRandom(r.clip, arch, 1); err != nil {
			t.Fatal(err)
		}
		err = with(t, r, func(*torch.Scope, *Model) error { return nil })
		if !errors.Is(err, model.ErrOtherCLIP) {
			t.Errorf("got %v, want another CLIP", err)
		}
		r.warned = new([]string)
		err = with(t, r, func(*torch.Scope, *Model) error { return nil })
		if err != nil || len(*r.warned) != 1 || !strings.Contains((*r.warned)[0], "another CLIP") {
			t.Errorf("another CLIP is allowed: %v, told %q", err, *r.warned)
		}
	})
}
