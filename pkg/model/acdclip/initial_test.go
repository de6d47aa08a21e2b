package acdclip

import (
	"acdclip/internal/cliptest"
	"acdclip/pkg/model/parameter"
	"context"
	"math"
	"regexp"
	"slices"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/pkg/clip"
	"acdclip/pkg/model/acdclip/options"
)

// distribution is the distribution of initial values: constant, uniform within bound, or
// normal with deviation.
type distribution struct{ constant, bound, deviation float64 }

// initialRules are the initial values of both presets, for ViT-L/14: C 1024, D 768, h 256, r 16, r_c 8.
func initialRules(init options.Init) []struct {
	name *regexp.Regexp
	want distribution
} {
	const c, d, h, r, rc = 1024.0, 768.0, 256.0, 16.0, 8.0
	torchLinear := func(fanIn float64) distribution { return distribution{bound: 1 / math.Sqrt(fanIn)} } // Kaiming, a = sqrt(5)
	drawn, visionDown, textDown, up := torchLinear, torchLinear(c), torchLinear(d), distribution{}
	if init == options.InitReleased {
		drawn = func(fanIn float64) distribution { return distribution{bound: math.Sqrt(6 / fanIn)} } // Kaiming, a = 0
		visionDown, textDown, up = drawn(r), drawn(r), distribution{deviation: 0.02}
	}
	type rule = struct {
		name *regexp.Regexp
		want distribution
	}
	var rules []rule
	for _, each := range []struct {
		pattern string
		want    distribution
	}{
		{`visual\.\d\.down(\.\d)?`, visionDown}, {`text\.\d\.A`, textDown},
		{`visual\.\d\.up(\.\d)?`, up}, {`text\.\d\.B`, up},
		{`visual\.\d\.conv_down\.3`, drawn(r * 9)}, {`visual\.\d\.conv_down\.5`, drawn(r * 25)},
		{`visual\.\d\.conv_up\.3`, drawn(rc * 9)}, {`visual\.\d\.conv_up\.5`, drawn(rc * 25)},
		{`visual\.\d\.fuse`, torchLinear(2 * c)},
		{`visual\.\d\.(det_)?proj\.0\.(weight|bias)`, torchLinear(c)}, {`visual\.\d\.gate\.0\.(weight|bias)`, torchLinear(d)},
		{`visual\.\d\.((det_)?proj|gate)\.2\.(weight|bias)`, torchLinear(h)},
		{`(visual|text)\.\d\.(det_)?norm\.weight`, distribution{constant: 1}}, {`(visual|text)\.\d\.(det_)?norm\.bias`, distribution{}},
		{`(visual|text)\.\d\.blend`, distribution{constant: 0.2}},
	} {
		rules = append(rules, rule{regexp.MustCompile("^" + each.pattern + "$"), each.want})
	}
	return rules
}

func TestInitialValues(t *testing.T) {
	for _, name := range []string{options.Paper, options.Released} {
		t.Run(name, func(t *testing.T) {
			preset, _, _ := options.Preset(name)
			rules := initialRules(preset.Adapter.Init)
			used := make([]bool, len(rules))
			for _, d := range Parameters(preset, Dimensions{Vision: 1024, Text: 768}) {
				matches := 0
				for i, rule := range rules {
					if rule.name.MatchString(d.Name) {
						used[i] = true
						matches++
						checkDistribution(t, d, rule.want)
					}
				}
				if matches != 1 {
					t.Errorf("%s has %d rules", d.Name, matches)
				}
			}
			for i, rule := range rules {
				if blend := rule.want.constant == 0.2; used[i] == (blend && name == options.Paper) {
					t.Errorf("rule %s: used %v", rule.name, used[i])
				}
			}
		})
	}
}

// checkDistribution checks the range, the mean and the deviation. Mean and deviation may
// be off by five standard errors.
func checkDistribution(t *testing.T, d parameter.Parameter, want distribution) {
	t.Helper()
	values := make([]float32, d.NumElements())
	d.Initialize(11, values)
	count, mean, square := float64(len(values)), 0.0, 0.0
	for _, value := range values {
		mean += float64(value) / count
		square += float64(value) * float64(value) / count
	}
	low, high := float64(slices.Min(values)), float64(slices.Max(values))
	deviation, spread := want.deviation, 0.71 // of the deviation, times sqrt(count): normal 1/sqrt(2)
	if want.bound > 0 {
		deviation, spread = want.bound/math.Sqrt(3), 0.45
		if reach := want.bound * (1 - 40/count); low < -want.bound || high > want.bound || low > -reach || high < reach {
			t.Errorf("%s lies in [%g, %g], want all of ±%g", d.Name, low, high, want.bound)
		}
	}
	if deviation == 0 {
		if low != float64(float32(want.constant)) || high != low {
			t.Errorf("%s lies in [%g, %g], want %g", d.Name, low, high, want.constant)
		}
		return
	}
	if got := math.Sqrt(square); math.Abs(mean) > 5*deviation/math.Sqrt(count) || math.Abs(got/deviation-1) > 5*spread/math.Sqrt(count) {
		t.Errorf("%s has mean %g and deviation %g, want 0 and %g", d.Name, mean, got, deviation)
	}
}

// TestInitialValuesDependOnSeedAndName checks that initial values depend on nothing else.
func TestInitialValuesDependOnSeedAndName(t *testing.T) {
	preset, _, _ := options.Preset(options.Released)
	definitions := Parameters(preset, Dimensions{Vision: 96, Text: 64})
	draw := func(d parameter.Parameter, seed uint64) []float32 {
		values := make([]float32, d.NumElements())
		d.Initialize(seed, values)
		return values
	}
	first := map[string][]float32{}
	for _, d := range definitions {
		first[d.Name] = draw(d, 1)
	}
	beginnings := map[float32]string{}
	for _, d := range slices.Backward(definitions) {
		again, other := draw(d, 1), draw(d, 2)
		if !slices.Equal(again, first[d.Name]) {
			t.Errorf("%s has other values the second time", d.Name)
		}
		if again[0] == again[len(again)-1] {
			continue // constant
		}
		if slices.Equal(again, other) {
			t.Errorf("%s has the same values for two seeds", d.Name)
		}
		if twin, found := beginnings[again[0]]; found {
			t.Errorf("%s and %s begin alike", d.Name, twin)
		}
		beginnings[again[0]] = d.Name
	}
	if len(first) != len(definitions) {
		t.Errorf("%d names for %d parameters", len(first), len(definitions))
	}
}

// TestPaperStartsAtPlainCLIP checks that adapters with the paper's initial values add
// exactly zero.
func TestPaperStartsAtPlainCLIP(t *testing.T) {
	r := presetRecipe(t, options.Paper)
	r.options.Adapter.Init = options.InitPaper
	err := with(t, r, func(s *torch.Scope, m *Model) error {
		return s.NoGrad(func() error {
			pictures := cliptest.Batch(s, m.imageSize()).Pictures
			tower, each := m.clip.Vision, m.clip.Vision.Depth/m.options.Groups
			x := tower.Embed(pictures)
			_, class := m.encodeImage(s, pictures, func(i int, delta, tokens torch.Tensor) {
				for j := range each {
					x = tower.Block(s, i*each+j, x)
				}
				if added := delta.Float32s(); slices.Max(added) != 0 || slices.Min(added) != 0 {
					t.Errorf("group %d adds up to %g", i, slices.Max(added))
				}
				if !slices.Equal(tokens.Float32s(), x.Narrow(1, 1, x.Dim(1)-1).Float32s()) {
					t.Errorf("the tokens of group %d are not plain CLIP's", i)
				}
			})
			if !slices.Equal(class.Float32s(), x.Narrow(1, 0, 1).Float32s()) {
				t.Error("the class token is not plain CLIP's")
			}
			comparePlainText(t, s, m)
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// comparePlainText compares the last text level. Its LayerNorm initially has scale 1 and shift 0.
func comparePlainText(t *testing.T, s *torch.Scope, m *Model) {
	t.Helper()
	var rows [states][][]int32
	for state := range states {
		for _, text := range prompts.Texts("nut", state) {
			rows[state] = append(rows[state], m.tokenizer.Encode(text, m.clip.Text.Context))
		}
	}
	p := clip.NewPrompts(s, slices.Concat(rows[:]...))
	x := m.clip.Text.Embed(p)
	for i := range m.clip.Text.Depth {
		x = m.clip.Text.Block(s, i, x)
	}
	width := x.Dim(2)
	unit := p.Ends(x).LayerNorm(s.Full(1, width), s.Full(0, width), epsilon).Normalize(-1)
	count := int64(len(rows[normal]))
	want := torch.Stack(-1, unit.Narrow(0, 0, count).Mean(0).Normalize(-1), unit.Narrow(0, count, unit.Dim(0)-count).Mean(0).Normalize(-1))
	got, err := m.encodeText(context.Background(), s, cliptest.Classes().Prompts[:1], m.newPrefix)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Narrow(1, int64(m.options.Groups-1), 1).Float32s(), want.Float32s()) {
		t.Error("the last level of the text is not plain CLIP's")
	}
}
