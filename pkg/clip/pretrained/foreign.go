package pretrained

import (
	"fmt"
	"slices"
	"strings"
)

// family is a kind of model that is easily mistaken for a CLIP of OpenAI's architecture.
type family struct {
	name    string // with its article
	instead string // what the user can do
}

// refusal returns what an error says about a model of the family.
func (f family) refusal() string {
	return f.name + "; only OpenAI's CLIP architecture is supported: " + f.instead
}

// What to do instead.
const (
	useViT      = "use a CLIP with a ViT, such as ViT-B-16, ViT-L-14, ViT-L-14-336 or ViT-H-14 of OpenAI, LAION or DataComp"
	useSmall    = "use a small CLIP with a ViT, such as ViT-B-32 or ViT-B-16 of OpenAI, LAION or DataComp"
	useSameSize = "use the CLIP of the same size, such as ViT-B-32 or ViT-L-14 of OpenAI, LAION or DataComp"
	useEnglish  = "use a CLIP with CLIP's own text tower, such as ViT-B-16, ViT-L-14 or ViT-H-14 of OpenAI, LAION or DataComp; prompts are in English"
	useWhole    = "give the file or folder of the whole CLIP, with both towers"
)

// The families that tensors and configurations identify.

func resNet() family {
	return family{"a CLIP with a ResNet vision tower (such as RN50), which has convolutions instead of transformer blocks", useViT}
}
func coca() family     { return family{"a CoCa, which has a text decoder", useSameSize} }
func siglip() family   { return family{"a SigLIP", useViT} }
func mobile() family   { return family{"a MobileCLIP", useSmall} }
func eva() family      { return family{"an EVA-CLIP", useViT} }
func convNeXt() family { return family{"a CLIP with a ConvNeXt vision tower", useViT} }
func vitamin() family {
	return family{"a ViTamin, a CLIP with convolutions before its transformer", useViT}
}
func perception() family {
	return family{"a Perception Encoder (PE), which has rotary positions and attention pooling", useViT}
}
func timmViT() family {
	return family{"a CLIP with a timm vision transformer (such as MobileCLIP2-L-14)", useViT}
}
func timm() family { return family{"a CLIP with a timm vision tower", useViT} }
func clipa() family {
	return family{"a CLIPA, which has no LayerNorm before its blocks and another tokenizer", useSameSize}
}
func layerScale() family { return family{"a CLIP with LayerScale in its blocks", useSameSize} }
func otherText() family {
	return family{"a CLIP with a text tower from Hugging Face, such as XLM-RoBERTa or mT5", useEnglish}
}
func otherTokenizer() family {
	return family{"a CLIP with another tokenizer, like MetaCLIP 2", useEnglish}
}
func visionAlone() family {
	return family{"the vision tower of a CLIP without the text tower", useWhole}
}
func textAlone() family {
	return family{"the text tower of a CLIP without the vision tower", useWhole}
}

// identified is a family with prefixes that all occur among its tensors' names, and the
// types of its models in transformers.
type identified struct {
	family
	beginnings []string
	types      []string
}

// foreign lists the families. The first match is reported.
func foreign() []identified {
	transformer := family{"a vision transformer without a text tower", useViT}
	chat := family{"a chat model around a vision tower, such as LLaVA", useViT}
	return []identified{
		{resNet(), []string{"visual.layer1."}, nil},
		{resNet(), []string{"visual.attnpool."}, nil},
		{siglip(), []string{"vision_model.head."}, []string{"siglip", "siglip2", "siglip_vision_model", "siglip2_vision_model", "siglip_text_model", "siglip2_text_model"}},
		{siglip(), []string{"vision_model.", "logit_bias"}, nil},
		{siglip(), []string{"head.probe"}, nil},
		{family{"a SigLIP with a timm vision tower", useViT}, []string{"visual.trunk.", "logit_bias"}, nil},
		{coca(), []string{"text_decoder."}, nil},
		{mobile(), []string{"visual.trunk.stem.0.conv_kxk."}, nil},
		{mobile(), []string{"visual.trunk.patch_embed.backbone.0."}, nil},
		{mobile(), []string{"image_encoder.model."}, nil},
		{vitamin(), []string{"visual.trunk.patch_embed.backbone.stages."}, nil},
		{convNeXt(), []string{"visual.trunk.stages.0.blocks.0.conv_dw."}, nil},
		{perception(), []string{"visual.trunk.attn_pool.", "visual.trunk.norm_pre."}, nil},
		{eva(), []string{"visual.trunk.blocks.0.attn.q_bias"}, nil},
		{eva(), []string{"visual.trunk.blocks.0.attn.q_proj."}, nil},
		{eva(), []string{"visual.blocks.", "visual.patch_embed."}, nil},
		{timmViT(), []string{"visual.trunk.blocks.", "visual.trunk.norm_pre."}, nil},
		{timm(), []string{"visual.trunk."}, nil},
		{family{"a CLIP with attention pooling in the vision tower, like CoCa", useSameSize}, []string{"visual.attn_pool."}, nil},
		{layerScale(), []string{"visual.transformer.resblocks.0.ls_1."}, nil},
		{family{"a model whose text tower is a BERT (such as Chinese-CLIP, BLIP, ALIGN or FLAVA)", useEnglish}, []string{"text_model.encoder.layer."},
			[]string{"chinese_clip", "blip", "align", "flava", "vision-text-dual-encoder"}},
		{family{"an X-CLIP, for videos", useViT}, []string{"mit.", "vision_model."}, []string{"xclip"}},
		{family{"a Chinese-CLIP, whose text tower is a BERT", useEnglish}, []string{"bert.", "visual."}, nil},
		{family{"an AltCLIP, whose text tower is a RoBERTa", useEnglish}, []string{"text_model.roberta."}, []string{"altclip"}},
		{family{"a BLIP", useViT}, []string{"visual_encoder."}, nil},
		{family{"a BLIP-2", useViT}, []string{"qformer.", "vision_model."}, []string{"blip-2", "instructblip"}},
		{family{"an OWL-ViT, for detecting objects", useViT}, []string{"vision_model.pre_layernorm."}, []string{"owlvit", "owlv2"}},
		{family{"a GroupViT", useViT}, []string{"vision_model.embeddings.patch_embeddings."}, []string{"groupvit"}},
		{chat, []string{"model.vision_tower."}, []string{"llava", "llava_next"}},
		{chat, []string{"vision_tower.", "language_model."}, nil},
		{family{"a Stable Diffusion model, which contains only a text tower", useWhole}, []string{"model.diffusion_model."}, nil},
		{visionAlone(), []string{"embeddings.class_embedding"}, []string{"clip_vision_model"}},
		{textAlone(), []string{"embeddings.token_embedding."}, []string{"clip_text_model"}},
		{transformer, []string{"cls_token", "blocks."}, []string{"vit", "dinov2"}},
		{transformer, []string{"embeddings.cls_token"}, nil},
		{family{"a ResNet without a text tower", useViT}, []string{"conv1.weight", "layer1."}, []string{"resnet"}},
		{family{"a MetaCLIP 2, whose tokenizer is another", useEnglish}, nil, []string{"metaclip_2"}},
		{family{"a CLIPSeg, for segmentation", useViT}, nil, []string{"clipseg"}},
	}
}

// refuseForeign returns an error that names a model of another architecture, identified by its tensors.
func (b *binder) refuseForeign() error {
	for _, model := range foreign() {
		lacks := func(beginning string) bool { return !b.has(beginning) }
		if model.beginnings != nil && !slices.ContainsFunc(model.beginnings, lacks) {
			return b.refuse(model.family)
		}
	}
	// These are known by what they lack.
	switch vision, text := b.has("vision_model."), b.has("text_model."); {
	case vision && !text && !b.has("text_projection."):
		return b.refuse(visionAlone())
	case !vision && b.has("text_model.embeddings.token_embedding."):
		return b.refuse(textAlone())
	case b.has("text.transformer.") && !b.has("text.transformer.resblocks."):
		return b.refuse(otherText())
	case b.has("visual.transformer.resblocks.") && b.has("visual.conv1.weight") && !b.has("visual.ln_pre."):
		return b.refuse(clipa())
	}
	return nil
}

func (b *binder) refuse(model family) error {
	return fmt.Errorf("its tensors are those of %s: %w", model.refusal(), ErrNotCLIP)
}

// has reports whether a tensor's name begins with the given text.
func (b *binder) has(beginning string) bool {
	return slices.ContainsFunc(b.inside, func(t namedTensor) bool { return strings.HasPrefix(t.name, beginning) })
}

// timmFamily returns the family of a vision tower by its name in timm.
func timmFamily(name string) family {
	for _, known := range []struct {
		part string
		family
	}{
		{"siglip", siglip()}, {"eva", eva()}, {"mci", mobile()}, {"convnext", convNeXt()}, {"vitamin", vitamin()}, {"pe_core", perception()}, {"_clip_", timmViT()},
	} {
		if strings.Contains(name, known.part) {
			return known.family
		}
	}
	return timm()
}

// typedFamily returns the family of a model by its type in transformers.
func typedFamily(kind string) family {
	for _, model := range foreign() {
		if slices.Contains(model.types, kind) {
			return model.family
		}
	}
	return family{"another model than a CLIP", useViT}
}
