package options

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"acdclip/pkg/model/card"
)

// mark is the tensor that the authors' files are recognised by.
const mark = "clip_model.patch_token_layer.head.0.weight"

// releasedDepth is the number of vision blocks of the CLIP that the authors use, ViT-L/14.
// Their files do not tell the levels.
const releasedDepth = 24

// releasedNames maps the released code's tensor names to ours.
var releasedNames = []struct {
	pattern *regexp.Regexp
	own     string
}{
	{regexp.MustCompile(`^clip_model\.text_prompter\.static_prompts\.(\d+)$`), "text.static.$1"},
	{regexp.MustCompile(`^clip_model\.visual_prompter\.static_prompts\.(\d+)$`), "visual.static.$1"},
	{regexp.MustCompile(`^clip_model\.patch_token_layer\.head\.(\d+)\.(weight|bias)$`), "visual.level.$1.$2"},
	{regexp.MustCompile(`^clip_model\.cls_token_layer\.head\.0\.(weight|bias)$`), "visual.class.$1"},
	{regexp.MustCompile(`^clip_model\.dynamic_visual_prompt_generator\.head\.(\d+)\.(weight|bias)$`), "visual.dynamic.$1.$2"},
	{regexp.MustCompile(`^clip_model\.dynamic_text_prompt_generator\.head\.(\d+)\.(weight|bias)$`), "text.dynamic.$1.$2"},
}

// OwnName translates a tensor name in the released code's files, such as
// "clip_model.text_prompter.static_prompts.0", to ours, "text.static.0". It returns an
// unknown name unchanged.
func OwnName(released string) (own string, known bool) {
	for _, name := range releasedNames {
		if name.pattern.MatchString(released) {
			return name.pattern.ReplaceAllString(released, name.own), true
		}
	}
	return released, false
}

// released recognises a file of the authors' code. Its options are those of the preset,
// with what follows from the tensors and their shapes.
func released(file card.File) (*card.Released, error) {
	if _, found := file.Shapes[mark]; !found {
		return nil, nil
	}
	c := content{shapes: file.Shapes, names: map[string]string{}}
	for name := range file.Shapes {
		if own, known := OwnName(name); known {
			c.names[own] = name
		}
	}
	model := releasedModel()
	if err := c.describe(&model); err != nil {
		return nil, err
	}
	return &card.Released{
		Preset: Released, Model: &model, Loss: new(releasedLoss()), Names: c.names, Unused: c.dropPlain(model),
		Auxiliary: auxiliaryOf(file.Name), Companions: companions(),
	}, nil
}

// auxiliaryOf returns the dataset that a file was trained on by the names that the authors
// publish; "" for other names.
func auxiliaryOf(name string) string {
	for part, auxiliary := range map[string]string{"mvtec_colondb": "MVTec", "visa_clinicdb": "VisA", "pretrained_all": everything} {
		if strings.Contains(name, part) {
			return auxiliary
		}
	}
	return ""
}

// everything is the auxiliary of the file for demonstrations.
const everything = "14 datasets"

// companions are the datasets that the authors trained on beside each auxiliary dataset.
// Their "brain_mri" is not BMAD's BrainMRI, which the benchmarks mean by that name.
func companions() map[string][]string {
	return map[string][]string{
		"MVTec": {"CVC-ColonDB"}, "VisA": {"CVC-ClinicDB"},
		everything: {
			"MVTec", "VisA", "MPDD", "BTAD", "DTD-Synthetic", "DAGM", "SDD", "CVC-ClinicDB", "CVC-ColonDB", "Br35H", "HeadCT", "ISIC", "TN3K",
		},
	}
}

// content is the content of a file of the authors' code.
type content struct {
	shapes map[string][]int64
	names  map[string]string // the name in the file, by our name
}

// count returns the number of tensors whose names, ours, are pattern with 0, 1, 2 and so on.
func (c content) count(pattern string) int {
	n := 0
	for c.names[fmt.Sprintf(pattern, n)] != "" {
		n++
	}
	return n
}

// describe sets the options that follow from the tensors.
func (c content) describe(m *Model) error {
	vision, text := c.count("visual.static.%d"), c.count("text.static.%d")
	visionHeads, textHeads := c.count("visual.dynamic.%d.weight"), c.count("text.dynamic.%d.weight")
	m.VisionTokens = kindOf(vision > 0, visionHeads > 0, text > 0)
	m.TextTokens = kindOf(text > 0, textHeads > 0, vision > 0)
	if vision > 0 && text > 0 && vision != text {
		return fmt.Errorf("it has static tokens for %d vision blocks, but for %d text blocks; the numbers must be equal", vision, text)
	}
	m.Depth = max(vision, text) // 0, the user's choice, with dynamic tokens alone: they serve any number of blocks
	if length := c.length(max(visionHeads, textHeads)); length > 0 {
		m.Length = length
	}
	if levels := c.count("visual.level.%d.weight"); levels != quarters {
		m.Levels = parts(releasedDepth, levels)
	}
	return nil
}

// kindOf returns a tower's tokens. A tower without static tokens is plain if the other
// tower has some.
func kindOf(static, dynamic, otherStatic bool) Tokens {
	switch {
	case static && dynamic:
		return StaticDynamic
	case static:
		return Static
	case dynamic && !otherStatic:
		return Dynamic
	}
	return NoTokens
}

// length is the number of tokens per block: of static tokens if there are any, else heads.
func (c content) length(heads int) int {
	for _, name := range []string{"visual.static.0", "text.static.0"} {
		if shape := c.shapes[c.names[name]]; len(shape) > 0 {
			return int(shape[0])
		}
	}
	return heads
}

// dropPlain takes the dynamic tokens of towers that stay plain out of the names, and
// returns their names in the file.
func (c content) dropPlain(m Model) []string {
	var unused []string
	for tower, tokens := range map[string]Tokens{"visual.": m.VisionTokens, "text.": m.TextTokens} {
		for own, name := range c.names {
			if tokens == NoTokens && strings.HasPrefix(own, tower+"dynamic.") {
				unused = append(unused, name)
				delete(c.names, own)
			}
		}
	}
	slices.Sort(unused)
	return unused
}
