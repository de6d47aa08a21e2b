package options

import (
	"slices"
	"strings"
	"testing"

	"acdclip/pkg/config"
	"acdclip/pkg/model/card"
)

func TestFor(t *testing.T) {
	for _, test := range []struct {
		depth, vvFrom int
		levels        []int
		wantFrom      int
		wantLevels    []int
	}{
		{24, 0, nil, 6, []int{24}},
		{12, 0, []int{}, 3, []int{12}},
		{8, 0, []int{2, 8}, 2, []int{2, 8}},
		{3, 0, nil, 1, []int{3}},
		{24, 13, []int{6, 12, 18, 24}, 13, []int{6, 12, 18, 24}},
	} {
		m := releasedModel()
		m.VVFrom, m.Levels = test.vvFrom, test.levels
		if got := m.For(test.depth); got.VVFrom != test.wantFrom || !slices.Equal(got.Levels, test.wantLevels) {
			t.Errorf("for %d blocks: vv_from %d, levels %v, want %d, %v", test.depth, got.VVFrom, got.Levels, test.wantFrom, test.wantLevels)
		}
	}
}

func TestMistakes(t *testing.T) {
	for name, test := range map[string]struct {
		change func(m *Model)
		says   []string // none: no mistake
	}{
		"preset":              {func(*Model) {}, nil},
		"as many as words":    {func(m *Model) { m.Tokens = 12 }, nil},
		"no deep tokens":      {func(m *Model) { m.Depth, m.Words = 1, 2 }, nil},
		"more than words":     {func(m *Model) { m.Tokens = 13 }, []string{"model.tokens", "is 13", "model.words 12"}},
		"the same level":      {func(m *Model) { m.Levels = []int{6, 24, 6} }, []string{"model.levels", "block 6 twice"}},
		"level 0":             {func(m *Model) { m.Levels = []int{0} }, []string{"model.levels"}},
		"no words":            {func(m *Model) { m.Words = 0 }, []string{"model.words"}},
		"no depth":            {func(m *Model) { m.Depth = 0 }, []string{"model.depth"}},
		"negative":            {func(m *Model) { m.VVFrom = -1 }, []string{"model.vv_from"}},
		"temperature":         {func(m *Model) { m.Temperature = 0 }, []string{"model.temperature"}},
		"sigma":               {func(m *Model) { m.Sigma = -1 }, []string{"model.sigma"}},
		"position":            {func(m *Model) { m.Position = "nearest" }, []string{"model.position", "bilinear"}},
		"format of the token": {func(m *Model) { m.DeepTokens = "double" }, []string{"model.deep_tokens", "half"}},
	} {
		m := releasedModel()
		test.change(&m)
		err := config.Validate("model", &m)
		if (err == nil) != (test.says == nil) {
			t.Errorf("%s: %v", name, err)
		}
		for _, says := range test.says {
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %v does not say %q", name, err, says)
			}
		}
	}
}

func TestDescription(t *testing.T) {
	m := releasedModel()
	if v := m.Variant(); v.Slug != "anomalyclip-m9-e12-t4" || v.Label != "M=9 E=12 t=4" || v.Long != "M=9 E=12 t=4 levels last" {
		t.Errorf("%+v", v)
	}
	m.Levels = []int{6, 24}
	if v := m.Variant(); v.Long != "M=9 E=12 t=4 levels 6 24" {
		t.Errorf("%+v", v)
	}
	m.Depth = 1
	if facts := m.Facts(); facts[1].Text != "none" {
		t.Errorf("%+v", facts)
	}
	if input := m.Input(); input.Size != 518 || input.Activation != "quick_gelu" || input.Positions != "bilinear" {
		t.Errorf("%+v", input)
	}
}

// releasedShapes are those of an authors' file with E 12, M 3, t 4 and D 768.
func releasedShapes() map[string][]int64 {
	shapes := map[string][]int64{
		"ctx_pos": {1, 1, 12, 768}, "ctx_neg": {1, 1, 12, 768},
		"token_prefix_pos": {1, 1, 1, 768}, "token_prefix_neg": {1, 1, 1, 768}, "token_suffix_pos": {1, 1, 64, 768}, "token_suffix_neg": {1, 1, 64, 768},
		"tokenized_prompts_pos": {1, 1, 77}, "tokenized_prompts_neg": {1, 1, 77},
		"compound_prompts_text.0": {4, 768}, "compound_prompts_text.1": {4, 768},
		"compound_prompt_projections.0.weight": {896, 768}, "compound_prompt_projections.0.bias": {896},
		"compound_prompt_projections.1.weight": {896, 768}, "compound_prompt_projections.1.bias": {896},
	}
	prefixed := map[string][]int64{}
	for name, shape := range shapes {
		prefixed["prompt_learner."+name] = shape
	}
	return prefixed
}

func TestReleased(t *testing.T) {
	shapes := releasedShapes()
	r, err := released(card.File{Shapes: shapes})
	if err != nil {
		t.Fatal(err)
	}
	m := r.Model.(*Model)
	if r.Preset != Released || m.Words != 12 || m.Depth != 3 || m.Tokens != 4 || len(m.Levels) != 0 || r.Loss.(*Loss).Lambda != 4 || r.Epoch != 0 {
		t.Errorf("%+v, %+v", r, m)
	}
	for own, name := range map[string]string{
		"text.words.normal": "ctx_pos", "text.words.abnormal": "ctx_neg", "text.deep.1": "compound_prompts_text.1",
		"clip.prefix.normal": "token_prefix_pos", "clip.suffix.abnormal": "token_suffix_neg",
	} {
		if r.Names[own] != "prompt_learner."+name {
			t.Errorf("%s is %q", own, r.Names[own])
		}
	}
	if len(r.Names)+len(r.Unused) != len(shapes) || len(r.Unused) != 6 {
		t.Errorf("%d names and %q unused of %d tensors", len(r.Names), r.Unused, len(shapes))
	}
}

func TestReleasedWithoutSomeTensors(t *testing.T) {
	shapes := map[string][]int64{"prompt_learner.ctx_pos": {1, 1, 3, 64}}
	r, err := released(card.File{Shapes: shapes})
	if err != nil {
		t.Fatal(err)
	}
	if m := r.Model.(*Model); len(r.Names) != 1 || r.Unused != nil || m.Words != 3 || m.Depth != 1 || m.Tokens != 3 {
		t.Errorf("%+v, %+v", r, m)
	}
}

func TestNotReleased(t *testing.T) {
	for _, name := range []string{"ctx_pos", "prompt_learner.ctx_neg", "visual.0.blend", "image_adapter.m_i_w.0.i_w"} {
		if r, err := released(card.File{Shapes: map[string][]int64{name: {1, 1, 12, 768}}}); r != nil || err != nil {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	for says, change := range map[string]func(shapes map[string][]int64){
		"ctx_pos has shape [12 768]":           func(s map[string][]int64) { s["prompt_learner.ctx_pos"] = []int64{12, 768} },
		"ctx_pos has shape [8 1 12 768]":       func(s map[string][]int64) { s["prompt_learner.ctx_pos"] = []int64{8, 1, 12, 768} },
		"compound_prompts_text.0 has shape []": func(s map[string][]int64) { s["prompt_learner.compound_prompts_text.0"] = []int64{} },
		"have shapes [896 512] and [896], expected [n, 7": func(s map[string][]int64) {
			s["prompt_learner.compound_prompt_projections.1.weight"] = []int64{896, 512}
		},
		"have shapes [896 768] and []":    func(s map[string][]int64) { delete(s, "prompt_learner.compound_prompt_projections.0.bias") },
		"have shapes [896 768] and [768]": func(s map[string][]int64) { s["prompt_learner.compound_prompt_projections.0.bias"] = []int64{768} },
	} {
		shapes := releasedShapes()
		change(shapes)
		if _, err := released(card.File{Shapes: shapes}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v does not say %q", err, says)
		}
	}
}
