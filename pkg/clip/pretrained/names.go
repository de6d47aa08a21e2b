package pretrained

import "strings"

// naming is how a container calls CLIP's tensors and lays them out.
type naming struct {
	// marker begins the name of some tensor of this naming. A file's naming is the
	// first of customText, openAI and huggingFace whose marker occurs.
	marker string
	// visionBlock and textBlock stand before a block's number.
	visionBlock, textBlock string
	source                 func(canonical string) source
	format                 string // of a folder whose weights are named so: FormatOpenCLIP or FormatHuggingFace
}

// source says what makes up a canonical tensor in a container: tensors joined
// along the first dimension, each turned first where turned is set.
type source struct {
	names  []string
	turned bool
}

// openAI's names are the canonical ones; open_clip uses them too.
func openAI() naming {
	return naming{
		marker:      "visual.",
		visionBlock: "visual.transformer.resblocks.",
		textBlock:   "transformer.resblocks.",
		source:      func(canonical string) source { return source{names: []string{canonical}} },
		format:      FormatOpenCLIP,
	}
}

// customText's are open_clip's names for a model whose text tower is a module of its own.
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

// huggingFace's are those of transformers' CLIPModel.
func huggingFace() naming {
	return naming{
		marker:      "vision_model.",
		visionBlock: "vision_model.encoder.layers.",
		textBlock:   "text_model.encoder.layers.",
		source:      huggingFaceSource,
		format:      FormatHuggingFace,
	}
}

// huggingFaceNames holds the tensors and modules outside the blocks. "pre_layrnorm" is transformers' own spelling.
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

// huggingFaceModules holds the modules inside a block.
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
		// Their projections are linear layers, [out, in].
		return source{names: []string{name}, turned: canonical == "visual.proj" || canonical == "text_projection"}
	}
	module, leaf := cutLast(canonical)
	return source{names: []string{huggingFaceNames[module] + "." + leaf}}
}

// huggingFaceBlock names what a block calls within, such as "attn.in_proj_weight", whose three parts lie apart.
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
