package pretrained

// open_clip's defaults for missing configuration values.
const (
	openCLIPHeadWidth = 64
	openCLIPTextHeads = 8
)

// The keys of open_clip_config.json in open_clip 2 and 3: the fields of CLIPVisionCfg and
// CLIPTextCfg and the arguments of its CLIP. Keys that are compared with the weights or
// read elsewhere have the rule anything.

func openCLIPTop() map[string]rule {
	return map[string]rule{"model_cfg": anything, "preprocess_cfg": anything}
}

func openCLIPModel() map[string]rule {
	return map[string]rule{
		"embed_dim": anything, "vision_cfg": anything, "text_cfg": anything, "quick_gelu": anything,
		"custom_text": anything, "init_logit_scale": anything, "cast_dtype": anything, "output_dict": anything,
		"init_logit_bias": func(value any) bool { return value == nil }, "nonscalar_logit_scale": off, "multimodal_cfg": empty,
	}
}

// openCLIPBlocks returns the keys of both towers together with a tower's own.
func openCLIPBlocks(own map[string]rule) map[string]rule {
	both := map[string]rule{
		"width": anything, "layers": anything, "mlp_ratio": anything,
		"ls_init_value": off, "final_ln_after_pool": off, "output_tokens": off, "act_kwargs": empty, "norm_kwargs": usualNorm,
		"block_type": func(value any) bool { return value == nil || value == "default" },
		"qk_norm":    off, "scaled_cosine_attn": off, "scale_heads": off, "scale_attn_inner": off, "scale_attn": off, "scale_fc": off,
	}
	for key, rule := range own {
		both[key] = rule
	}
	return both
}

func openCLIPVision() map[string]rule {
	return openCLIPBlocks(map[string]rule{
		"image_size": anything, "patch_size": anything, "head_width": anything,
		"patch_dropout": anything, // only in training
		"no_ln_pre":     off, "pos_embed_type": is("learnable"), "pool_type": is("tok"),
		"attentional_pool": off, "attn_pooler_queries": anything, "attn_pooler_heads": anything, // the latter two only with attentional_pool
		"global_average_pool": off, "input_patchnorm": off, // only in older versions
		"timm_model_name": off, "timm_model_pretrained": anything, "timm_pool": anything, "timm_proj": anything,
		"timm_proj_bias": anything, "timm_drop": anything, "timm_drop_path": anything, // only with timm_model_name
	})
}

func openCLIPText() map[string]rule {
	return openCLIPBlocks(map[string]rule{
		"context_length": anything, "vocab_size": anything, "heads": anything,
		"hf_tokenizer_name": off, "tokenizer_mode": off, "tokenizer_kwargs": empty,
		"embed_cls": off, "pad_id": off, "no_causal_mask": off, "pool_type": anything, "eos_id": anything, // see openCLIPPooling
		"proj_bias": off, "proj_type": is("linear"),
		"hf_model_name": off, "hf_model_pretrained": anything, "hf_proj_type": anything, "hf_pooler_type": anything, // only with hf_model_name
	})
}

func openCLIPPictures() map[string]rule {
	return map[string]rule{
		"size": anything, "resize_mode": anything, "fill_color": anything, // methods do their own resizing
		"mean": anything, "std": anything, // read by openCLIPNormalisation
		"mode": is("RGB"), "interpolation": is("bicubic"),
	}
}

// foreignOpenCLIP returns an error that names a model with towers of another architecture.
func (c *configuration) foreignOpenCLIP() error {
	model, vision, text, err := c.openCLIPSections()
	if err != nil {
		return err
	}
	_, stages := vision["layers"].([]any)
	trunk, _ := vision["timm_model_name"].(string)
	switch {
	case !off(vision["timm_model_name"]):
		return c.refuse("sets vision_cfg.timm_model_name to %s: it is %s", brief(vision["timm_model_name"]), timmFamily(trunk).refusal())
	case stages:
		return c.refuse("sets vision_cfg.layers to %s: it is %s", brief(vision["layers"]), resNet().refusal())
	case !empty(model["multimodal_cfg"]):
		return c.refuse("has a multimodal_cfg: it is %s", coca().refusal())
	case !off(text["hf_model_name"]):
		return c.refuse("sets text_cfg.hf_model_name to %s: it is %s", brief(text["hf_model_name"]), otherText().refusal())
	case !off(text["hf_tokenizer_name"]) && !off(vision["no_ln_pre"]):
		return c.refuse("sets vision_cfg.no_ln_pre to %s and text_cfg.hf_tokenizer_name to %s: it is %s", brief(vision["no_ln_pre"]), brief(text["hf_tokenizer_name"]), clipa().refusal())
	case !off(text["hf_tokenizer_name"]):
		return c.refuse("sets text_cfg.hf_tokenizer_name to %s: it is %s", brief(text["hf_tokenizer_name"]), otherTokenizer().refusal())
	case !off(vision["ls_init_value"]):
		return c.refuse("sets vision_cfg.ls_init_value to %s: it is %s", brief(vision["ls_init_value"]), layerScale().refusal())
	}
	return nil
}

func (c *configuration) openCLIPSections() (model, vision, text object, err error) {
	if model, err = c.section(c.tree, "model_cfg"); err != nil {
		return nil, nil, nil, err
	}
	if vision, err = c.section(model, "vision_cfg"); err != nil {
		return nil, nil, nil, err
	}
	text, err = c.section(model, "text_cfg")
	return model, vision, text, err
}

// agreeOpenCLIP compares open_clip_config.json with the weights, returns an error for
// unsupported features, and reads heads and activation.
func (c *configuration) agreeOpenCLIP(a *Arch) (Heads, error) {
	if c.tree["model_cfg"] == nil {
		return Heads{}, c.refuse("has no model_cfg")
	}
	if err := c.foreignOpenCLIP(); err != nil {
		return Heads{}, err
	}
	model, vision, text, err := c.openCLIPSections()
	if err != nil {
		return Heads{}, err
	}
	pictures, err := c.section(c.tree, "preprocess_cfg")
	if err != nil {
		return Heads{}, err
	}
	for _, part := range []struct {
		section string
		tree    object
		rules   map[string]rule
	}{
		{"", c.tree, openCLIPTop()}, {"", model, openCLIPModel()}, {"vision_cfg.", vision, openCLIPVision()},
		{"text_cfg.", text, openCLIPText()}, {"preprocess_cfg.", pictures, openCLIPPictures()},
	} {
		if err := c.obey(part.section, part.tree, part.rules); err != nil {
			return Heads{}, err
		}
	}
	err = c.agreeSizes([]statement{
		{"", model, "embed_dim", a.EmbedDim},
		{"vision_cfg.", vision, "image_size", a.ImageSize},
		{"vision_cfg.", vision, "patch_size", a.Patch},
		{"vision_cfg.", vision, "width", a.VisionWidth},
		{"vision_cfg.", vision, "layers", a.VisionLayers},
		{"text_cfg.", text, "context_length", a.ContextLength},
		{"text_cfg.", text, "vocab_size", a.VocabSize},
		{"text_cfg.", text, "width", a.TextWidth},
		{"text_cfg.", text, "layers", a.TextLayers},
	})
	if err != nil {
		return Heads{}, err
	}
	if err := c.openCLIPPooling(a, text); err != nil {
		return Heads{}, err
	}
	switch model["quick_gelu"] {
	case nil, false:
		a.Activation = GELU
	case true:
		a.Activation = QuickGELU
	default:
		return Heads{}, c.refuse("sets quick_gelu to %s, expected true or false", brief(model["quick_gelu"]))
	}
	return c.openCLIPHeads(a, vision, text)
}

// openCLIPHeads determines the heads like open_clip: by their width in the vision tower,
// by their number in the text tower. If its default does not fit the width, they stay 0.
func (c *configuration) openCLIPHeads(a *Arch, vision, text object) (heads Heads, err error) {
	width, missing, err := c.positive("vision_cfg.", vision, "head_width")
	if missing {
		width = openCLIPHeadWidth
	}
	if err == nil && width <= a.VisionWidth {
		heads.Vision = a.VisionWidth / width
	}
	if err == nil && !missing && heads.Vision == 0 {
		err = c.refuse("sets vision_cfg.head_width to %d, more than the width %d", width, a.VisionWidth)
	}
	if err != nil {
		return Heads{}, err
	}
	heads.Text, missing, err = c.positive("text_cfg.", text, "heads")
	if missing && a.TextWidth%openCLIPTextHeads == 0 {
		heads.Text = openCLIPTextHeads
	}
	return heads, err
}

// openCLIPPooling returns an error unless a text is pooled at its end token, which here is
// the token with the largest id. "eos" is the same if it means CLIP's own end token.
func (c *configuration) openCLIPPooling(a *Arch, text object) error {
	switch pool, end := text["pool_type"], text["eos_id"]; {
	case pool == nil || pool == "argmax":
		return nil
	case pool == "eos" && (end == float64(endToken) || end == float64(a.VocabSize-1)):
		return nil
	case pool == "eos":
		return c.refuse("sets text_cfg.pool_type to \"eos\" with text_cfg.eos_id %s, but only the end token %d is supported", brief(end), endToken)
	default:
		return c.refuse("sets text_cfg.pool_type to %s, which is not supported", brief(pool))
	}
}

// openCLIPNormalisation returns how open_clip normalised pictures in training.
func (c *configuration) openCLIPNormalisation() (Normalisation, error) {
	pictures, err := c.section(c.tree, "preprocess_cfg")
	if err != nil {
		return Normalisation{}, err
	}
	return c.normalisation("preprocess_cfg.", pictures, "mean", "std")
}
