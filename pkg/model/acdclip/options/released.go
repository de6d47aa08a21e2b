package options

import (
	"fmt"
	"regexp"

	"acdclip/pkg/model/card"
)

// releasedNames maps the released code's tensor names to ours. The released code names a
// convolution branch by its index, we name it by its kernel size: the %s in own is
// replaced by the size.
var releasedNames = []struct {
	pattern *regexp.Regexp
	own     string
}{
	{regexp.MustCompile(`^image_adapter\.m_i_w\.(\d+)\.i_w$`), "visual.$1.blend"},
	{regexp.MustCompile(`^image_adapter\.lora_adapters\.(\d+)\.conv_lora_blocks\.\d+\.lora_A$`), "visual.$1.down.%s"},
	{regexp.MustCompile(`^image_adapter\.lora_adapters\.(\d+)\.conv_lora_blocks\.\d+\.lora_B$`), "visual.$1.up.%s"},
	{regexp.MustCompile(`^image_adapter\.lora_adapters\.(\d+)\.conv_lora_blocks\.\d+\.conv_lora_A\.weight$`), "visual.$1.conv_down.%s"},
	{regexp.MustCompile(`^image_adapter\.lora_adapters\.(\d+)\.conv_lora_blocks\.\d+\.conv_lora_B\.weight$`), "visual.$1.conv_up.%s"},
	{regexp.MustCompile(`^image_adapter\.lora_adapters\.(\d+)\.fusion_conv\.weight$`), "visual.$1.fuse"},
	{regexp.MustCompile(`^image_adapter\.seg_proj\.(\d+)\.fc\.([02])\.(weight|bias)$`), "visual.$1.proj.$2.$3"},
	{regexp.MustCompile(`^image_adapter\.seg_layer_norms\.(\d+)\.(weight|bias)$`), "visual.$1.norm.$2"},
	{regexp.MustCompile(`^image_adapter\.det_proj\.(\d+)\.fc\.([02])\.(weight|bias)$`), "visual.$1.det_proj.$2.$3"},
	{regexp.MustCompile(`^image_adapter\.det_layer_norms\.(\d+)\.(weight|bias)$`), "visual.$1.det_norm.$2"},
	{regexp.MustCompile(`^image_adapter\.vision_text_gate\.(\d+)\.([02])\.(weight|bias)$`), "visual.$1.gate.$2.$3"},
	{regexp.MustCompile(`^text_adapter\.m_t_w\.(\d+)\.i_w$`), "text.$1.blend"},
	{regexp.MustCompile(`^text_adapter\.lora_adapters\.(\d+)\.lora_(A|B)$`), "text.$1.$2"},
	{regexp.MustCompile(`^text_adapter\.layer_norms\.(\d+)\.(weight|bias)$`), "text.$1.norm.$2"},
}

// releasedBranch matches the index of a Conv-LoRA branch in the released code's names.
var releasedBranch = regexp.MustCompile(`\.conv_lora_blocks\.(\d+)\.`)

var releasedKernels = map[string]string{"0": "3", "1": "5"}

// OwnName translates a tensor name in the released code's adapter files, such as
// "image_adapter.m_i_w.0.i_w", to ours, "visual.0.blend". It returns an unknown name
// unchanged.
func OwnName(released string) (own string, known bool) {
	for _, name := range releasedNames {
		if !name.pattern.MatchString(released) {
			continue
		}
		own := name.pattern.ReplaceAllString(released, name.own)
		branch := releasedBranch.FindStringSubmatch(released)
		if branch == nil {
			return own, true
		}
		if kernel, known := releasedKernels[branch[1]]; known {
			return fmt.Sprintf(own, kernel), true
		}
	}
	return released, false
}

// released recognises an adapter_N.pth of the authors' code. Its options are those of the
// preset released, with the sizes taken from the tensors' shapes.
func released(file card.File) (*card.Released, error) {
	names := map[string]string{}
	for name := range file.Shapes {
		if own, known := OwnName(name); known {
			names[own] = name
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	model := releasedModel()
	model.Groups = 0
	for names[fmt.Sprintf("visual.%d.blend", model.Groups)] != "" {
		model.Groups++
	}
	for _, size := range []struct {
		into *int
		name string
		dim  int
	}{
		{&model.Adapter.Rank, "text.0.A", 1},
		{&model.Adapter.ConvRank, "visual.0.conv_down.3", 0},
		{&model.Adapter.Hidden, "visual.0.proj.0.weight", 0},
	} {
		shape := file.Shapes[names[size.name]]
		if len(shape) <= size.dim {
			return nil, fmt.Errorf("tensor %s is missing", size.name)
		}
		*size.into = int(shape[size.dim])
	}
	epoch, _ := file.Scalars["epoch"].(int64)
	return &card.Released{Preset: Released, Model: &model, Loss: new(releasedLoss()), Epoch: int(epoch), Names: names}, nil
}
