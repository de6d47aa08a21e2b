package pretrained

import (
	"fmt"
	"slices"
	"strings"
)

// foreign lists models that are easily mistaken for a CLIP of OpenAI's architecture, each
// with prefixes that all occur among its tensors' names. The first match is reported.
func foreign() []struct {
	name       string
	beginnings []string
} {
	return []struct {
		name       string
		beginnings []string
	}{
		{"a CLIP with a ResNet vision tower (such as RN50), which has convolutions instead of transformer blocks", []string{"visual.layer1."}},
		{"a SigLIP", []string{"vision_model.head."}},
		{"a SigLIP with a timm vision tower", []string{"visual.trunk.attn_pool.", "logit_bias"}},
		{"a CoCa, which has a text decoder", []string{"text_decoder."}},
		{"a CLIP with a timm vision tower (such as EVA, ConvNeXt, ViTamin or MobileCLIP)", []string{"visual.trunk."}},
		{"an EVA-CLIP", []string{"visual.blocks.", "visual.patch_embed."}},
		{"a CLIP with attention pooling in the vision tower, like CoCa", []string{"visual.attn_pool."}},
		{"a CLIP with a text tower from Hugging Face, such as XLM-RoBERTa", []string{"text.transformer.embeddings."}},
		{"a CLIP with a text tower from Hugging Face, such as XLM-RoBERTa", []string{"text.transformer.encoder."}},
		{"a CLIP with a text tower from Hugging Face, such as mT5", []string{"text.transformer.shared."}},
		{"a model whose text tower is a BERT (such as Chinese-CLIP, BLIP, ALIGN or FLAVA)", []string{"text_model.encoder.layer."}},
		{"an X-CLIP, for videos", []string{"mit.", "vision_model."}},
		{"a Chinese-CLIP, whose text tower is a BERT", []string{"bert.", "visual."}},
		{"an AltCLIP, whose text tower is a RoBERTa", []string{"text_model.roberta."}},
		{"a BLIP", []string{"visual_encoder."}},
		{"a BLIP-2", []string{"qformer.", "vision_model."}},
		{"a MobileCLIP", []string{"image_encoder.model."}},
		{"a Stable Diffusion model, which contains only a text tower", []string{"model.diffusion_model."}},
		{"a vision transformer without a text tower", []string{"cls_token", "blocks."}},
		{"a vision transformer without a text tower", []string{"embeddings.cls_token"}},
		{"a ResNet without a text tower", []string{"conv1.weight", "layer1."}},
	}
}

// refuseForeign returns an error that names a model of another architecture, identified by its tensors.
func (b *binder) refuseForeign() error {
	for _, model := range foreign() {
		fits := true
		for _, beginning := range model.beginnings {
			fits = fits && slices.ContainsFunc(b.inside, func(t namedTensor) bool { return strings.HasPrefix(t.name, beginning) })
		}
		if fits {
			return fmt.Errorf("its tensors are those of %s; only OpenAI's CLIP architecture is supported: %w", model.name, ErrNotCLIP)
		}
	}
	return nil
}
