package checkpoint

import (
	"fmt"
	"regexp"

	"acdclip/pkg/config"
)

// releasedNames maps the released code's tensor names to ours. A convolution
// branch is a place in a list there and a kernel size here, so that name ends in
// %s, to be filled with the size.
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

// releasedBranch is a branch of a released Conv-LoRA: the kernel sizes in the order of its list.
var releasedBranch = regexp.MustCompile(`\.conv_lora_blocks\.(\d+)\.`)

var releasedKernels = map[string]string{"0": "3", "1": "5"}

// OwnName translates a tensor name of the released code's adapter files,
// "image_adapter.m_i_w.0.i_w", to the project's, "visual.0.blend". A name that
// is not known comes back as it is.
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

// describeReleased reads an adapter_N.pth: preset released, sizes from the tensors' shapes.
func (c *Checkpoint) describeReleased() error {
	for _, t := range c.file.Tensors {
		if own, known := OwnName(t.Name); known {
			c.tensors[own] = t
		}
	}
	if len(c.tensors) == 0 {
		return fmt.Errorf("%w: it holds neither this program's metadata nor the released code's tensor names", ErrNotCheckpoint)
	}
	preset, err := config.Preset(config.Released)
	if err != nil {
		return err
	}
	model := preset.Model
	model.Groups = 0
	for c.tensors[fmt.Sprintf("visual.%d.blend", model.Groups)] != nil {
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
		t := c.tensors[size.name]
		if t == nil || len(t.Shape) <= size.dim {
			return fmt.Errorf("%w: it lacks %s", ErrNotCheckpoint, size.name)
		}
		*size.into = int(t.Shape[size.dim])
	}
	if err := model.Validate(); err != nil {
		return fmt.Errorf("its tensors' shapes: %w", err)
	}
	epoch, _ := c.file.Scalars["epoch"].(int64)
	c.Metadata = Metadata{
		Method: config.ACDCLIP, Preset: config.Released, Model: model, Loss: preset.Loss,
		Auxiliary: Unknown, Epoch: int(epoch),
	}
	return nil
}
