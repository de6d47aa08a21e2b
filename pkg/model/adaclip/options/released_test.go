package options

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"acdclip/pkg/model/card"
)

func TestOwnName(t *testing.T) {
	for released, own := range map[string]string{
		"clip_model.text_prompter.static_prompts.0":              "text.static.0",
		"clip_model.visual_prompter.static_prompts.11":           "visual.static.11",
		"clip_model.patch_token_layer.head.3.weight":             "visual.level.3.weight",
		"clip_model.patch_token_layer.head.0.bias":               "visual.level.0.bias",
		"clip_model.cls_token_layer.head.0.weight":               "visual.class.weight",
		"clip_model.dynamic_visual_prompt_generator.head.4.bias": "visual.dynamic.4.bias",
		"clip_model.dynamic_text_prompt_generator.head.2.weight": "text.dynamic.2.weight",
		"clip_model.cls_token_layer.head.1.weight":               "",
		"clip_model.patch_token_layer.head.x.weight":             "",
		"text.static.0": "",
		"more.clip_model.text_prompter.static_prompts.0":                     "",
		"clip_model.text_prompter.static_prompts.0.more":                     "",
		"clip_model.dynamic_text_prompt_generator.head.2.running_mean":       "",
		"clip_model.visual.transformer.resblocks.0.visual_prompter.static_1": "",
	} {
		got, known := OwnName(released)
		if known != (own != "") || known && got != own || !known && got != released {
			t.Errorf("%s is %s (%v), want %s", released, got, known, own)
		}
	}
}

// file describes a file of the authors' code: depth J, length m, levels N, for C 8 and D 6.
func file(depth, length, levels int) card.File {
	shapes := map[string][]int64{}
	linear := func(name string, in, out int64) {
		shapes[name+".weight"], shapes[name+".bias"] = []int64{out, in}, []int64{out}
	}
	for i := range depth {
		shapes[fmt.Sprint("clip_model.text_prompter.static_prompts.", i)] = []int64{int64(length), 6}
		shapes[fmt.Sprint("clip_model.visual_prompter.static_prompts.", i)] = []int64{int64(length), 8}
	}
	for k := range length {
		linear(fmt.Sprint("clip_model.dynamic_visual_prompt_generator.head.", k), 6, 8)
		linear(fmt.Sprint("clip_model.dynamic_text_prompt_generator.head.", k), 6, 6)
	}
	for n := range levels {
		linear(fmt.Sprint("clip_model.patch_token_layer.head.", n), 8, 6)
	}
	linear("clip_model.cls_token_layer.head.0", 6, 6)
	return card.File{Shapes: shapes}
}

func without(f card.File, parts ...string) card.File {
	for name := range f.Shapes {
		if slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(name, part) }) {
			delete(f.Shapes, name)
		}
	}
	return f
}

func TestReleased(t *testing.T) {
	for _, test := range []struct {
		name   string
		file   card.File
		want   func(m *Model)
		unused int
	}{
		{"as published", file(4, 5, 4), func(*Model) {}, 0},
		{"other sizes", file(9, 3, 4), func(m *Model) { m.Depth, m.Length = 9, 3 }, 0},
		{"three levels", file(4, 5, 3), func(m *Model) { m.Levels = []int{8, 16, 24} }, 0},
		{"static tokens", without(file(2, 3, 4), "dynamic_"), func(m *Model) {
			m.Depth, m.Length, m.VisionTokens, m.TextTokens = 2, 3, Static, Static
		}, 0},
		{"dynamic tokens", without(file(2, 3, 4), "static_"), func(m *Model) {
			m.Depth, m.Length, m.VisionTokens, m.TextTokens = 0, 3, Dynamic, Dynamic
		}, 0},
		{"plain text", without(file(2, 3, 4), "text_prompter"), func(m *Model) { m.Depth, m.Length, m.TextTokens = 2, 3, NoTokens }, 6},
		{"plain text, no dynamic tokens for it", without(file(2, 3, 4), "text_prompter", "dynamic_text"), func(m *Model) {
			m.Depth, m.Length, m.TextTokens = 2, 3, NoTokens
		}, 0},
		{"plain vision", without(file(2, 3, 4), "visual_prompter"), func(m *Model) { m.Depth, m.Length, m.VisionTokens = 2, 3, NoTokens }, 6},
	} {
		t.Run(test.name, func(t *testing.T) {
			found, err := released(test.file)
			if err != nil || found == nil {
				t.Fatalf("%v, %v", found, err)
			}
			want, _ := Preset()
			test.want(&want)
			if got := fmt.Sprintf("%+v", *found.Model.(*Model)); got != fmt.Sprintf("%+v", want) {
				t.Errorf("options %s, want %+v", got, want)
			}
			if len(found.Unused) != test.unused || len(found.Names)+len(found.Unused) != len(test.file.Shapes) {
				t.Errorf("%d names and %d unused of %d tensors, want %d unused", len(found.Names), len(found.Unused), len(test.file.Shapes), test.unused)
			}
			for own, name := range found.Names {
				if got, _ := OwnName(name); got != own || slices.Contains(found.Unused, name) {
					t.Errorf("%s is named %s", name, own)
				}
			}
		})
	}
}

func TestNotReleased(t *testing.T) {
	for name, f := range map[string]card.File{
		"nothing":        {},
		"another method": {Shapes: map[string][]int64{"prompt_learner.ctx_pos": {1, 1, 12, 768}}},
		"no level":       without(file(4, 5, 4), "patch_token_layer"),
	} {
		if found, err := released(f); found != nil || err != nil {
			t.Errorf("%s: %v, %v", name, found, err)
		}
	}
	f := file(4, 5, 4)
	delete(f.Shapes, "clip_model.text_prompter.static_prompts.3")
	if _, err := released(f); err == nil || !strings.Contains(err.Error(), "4 vision blocks, but for 3 text blocks") {
		t.Errorf("%v", err)
	}
	scalar := file(1, 1, 1)
	for name := range maps.Clone(scalar.Shapes) {
		scalar.Shapes[name] = nil
	}
	if _, err := released(scalar); err != nil {
		t.Errorf("tensors without dimensions: %v", err)
	}
}

// TestAuxiliary recognises the published files by their names.
func TestAuxiliary(t *testing.T) {
	for name, want := range map[string]string{
		"pretrained_mvtec_colondb.pth": "MVTec", "pretrained_visa_clinicdb.pth": "VisA", "pretrained_all.pth": everything, "mine.pth": "",
	} {
		f := file(4, 5, 4)
		f.Name = name
		if found, err := released(f); err != nil || found.Auxiliary != want {
			t.Errorf("%s: %q, %v", name, found.Auxiliary, err)
		} else if want != "" && !slices.ContainsFunc(found.Companions[want], func(set string) bool { return strings.Contains(set, "CVC-") }) {
			t.Errorf("%s: no colonoscopy dataset among %q", name, found.Companions[want])
		}
	}
}
