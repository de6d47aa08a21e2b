package pretrained

import "strings"

// naming is a container's names and layout of CLIP's tensors.
type naming struct {
	// marker is a prefix of a tensor name in this naming. The naming of a file is the
	// first of customText, openAI and huggingFace whose marker occurs.
	marker string
	// visionBlock and textBlock are the prefixes before a block's number.
	visionBlock, textBlock string
	source                 func(canonical string) source
	format                 string // format of a folder with this naming: FormatOpenCLIP or FormatHuggingFace
}

// source describes a canonical tensor in a container: tensors that are concatenated along
// the first dimension, each transposed before if turned is set.
type source struct {
	names  []string
	turned bool
}

// openAI is the canonical naming; open_clip uses it too.
func openAI() naming {
	return naming{
		marker:      "visual.",
		visionBlock: "visual.transformer.resblocks.",
		textBlock:   "transformer.resblocks.",
		source:      func(canonical string) source { return source{names: []string{canonical}} },
		format:      FormatOpenCLIP,
	}
}

// customText is open_clip's naming of a model whose text tower is a separate module.
func customText() naming {
	return naming{
		marker:      "text.token_embedding.",
		visionBlock: "visual.transformer.resblocks.",
		textBlock:   "text.transformer.resblocks.",
		source: func(canonical string) source {
			if strings.HasPrefix(canonical, "visual.") || canonical == "logit_scale" {
				return source{names: []string{canonical}}
			}
			return source{names: []string{"text." + canonical}}
		},
		format: FormatOpenCLIP,
	}
}

// huggingFace is the naming of transformers' CLIPModel.
func huggingFace() naming {
	return naming{
		marker:      "vision_model.",
		visionBlock: "vision_model.encoder.layers.",
		textBlock:   "text_model.encoder.layers.",
		source:      huggingFaceSource,
		format:      FormatHuggingFace,
	}
}

// huggingFaceNames maps the tensors and modules outside the blocks. "pre_layrnorm" is transformers' spelling.
var huggingFaceNames = map[string]string{
	"visual.conv1.weight":         "vision_model.embeddings.patch_embedding.weight",
	"visual.class_embedding":      "vision_model.embeddings.class_embedding",
	"visual.positional_embedding": "vision_model.embeddings.position_embedding.weight",
	"visual.ln_pre":               "vision_model.pre_layrnorm",
	"visual.ln_post":              "vision_model.post_layernorm",
	"visual.proj":                 "visual_projection.weight",
	"token_embedding.weight":      "text_model.embeddings.token_embedding.weight",
	"positional_embedding":        "text_model.embeddings.position_embedding.weight",
	"ln_final":                    "text_model.final_layer_norm",
	"text_projection":             "text_projection.weight",
	"logit_scale":                 "logit_scale",
}

// huggingFaceModules maps the modules inside a block.
var huggingFaceModules = map[string]string{
	"ln_1":          "layer_norm1",
	"attn.out_proj": "self_attn.out_proj",
	"ln_2":          "layer_norm2",
	"mlp.c_fc":      "mlp.fc1",
	"mlp.c_proj":    "mlp.fc2",
}

func huggingFaceSource(canonical string) source {
	tower := "text_model.encoder.layers."
	rest, inBlock := strings.CutPrefix(canonical, "transformer.resblocks.")
	if !inBlock {
		tower = "vision_model.encoder.layers."
		rest, inBlock = strings.CutPrefix(canonical, "visual.transformer.resblocks.")
	}
	if inBlock {
		number, within, _ := strings.Cut(rest, ".")
		return huggingFaceBlock(tower+number+".", within)
	}
	if name, ok := huggingFaceNames[canonical]; ok {
		// The projections are linear layers in transformers, [out, in].
		return source{names: []string{name}, turned: canonical == "visual.proj" || canonical == "text_projection"}
	}
	module, leaf := cutLast(canonical)
	return source{names: []string{huggingFaceNames[module] + "." + leaf}}
}

// huggingFaceBlock returns the source of the tensor within of a block. "attn.in_proj_weight" consists of three tensors.
func huggingFaceBlock(block, within string) source {
	if leaf, ok := strings.CutPrefix(within, "attn.in_proj_"); ok {
		attention := block + "self_attn."
		return source{names: []string{attention + "q_proj." + leaf, attention + "k_proj." + leaf, attention + "v_proj." + leaf}}
	}
	module, leaf := cutLast(within)
	return source{names: []string{block + huggingFaceModules[module] + "." + leaf}}
}

func cutLast(name string) (module, leaf string) {
	dot := strings.LastIndexByte(name, '.')
	return name[:dot], name[dot+1:]
}
