package pretrained

import (
	"maps"
	"math"
	"path/filepath"
)

// transformers' defaults for missing configuration values.
const (
	hiddenActDefault    = QuickGELU
	visionHeadsDefault  = 12
	textHeadsDefault    = 8
	endTokenOldDefault  = 2     // written by the first versions, means the largest id
	endToken            = 49407 // the end token of CLIP's vocabulary
	pictureChannelsOnly = 3
)

// huggingFaceConfig is the part of transformers' CLIPConfig that WriteRandom writes.
type huggingFaceConfig struct {
	Architectures []string          `json:"architectures,omitempty"`
	ModelType     string            `json:"model_type,omitempty"`
	DType         string            `json:"dtype,omitempty"`
	ProjectionDim *int              `json:"projection_dim,omitempty"`
	LogitScale    *float64          `json:"logit_scale_init_value,omitempty"`
	Text          *huggingFaceTower `json:"text_config,omitempty"`
	Vision        *huggingFaceTower `json:"vision_config,omitempty"`
}

type huggingFaceTower struct {
	ModelType     string   `json:"model_type,omitempty"`
	Activation    *string  `json:"hidden_act,omitempty"`
	Width         *int     `json:"hidden_size,omitempty"`
	MLPWidth      *int     `json:"intermediate_size,omitempty"`
	Layers        *int     `json:"num_hidden_layers,omitempty"`
	Heads         *int     `json:"num_attention_heads,omitempty"`
	Epsilon       *float64 `json:"layer_norm_eps,omitempty"`
	ProjectionDim *int     `json:"projection_dim,omitempty"`

	ImageSize *int `json:"image_size,omitempty"`
	Patch     *int `json:"patch_size,omitempty"`
	Channels  *int `json:"num_channels,omitempty"`

	ContextLength *int `json:"max_position_embeddings,omitempty"`
	VocabSize     *int `json:"vocab_size,omitempty"`
	StartToken    *int `json:"bos_token_id,omitempty"`
	EndToken      *int `json:"eos_token_id,omitempty"`
	PadToken      *int `json:"pad_token_id,omitempty"`
}

// foreignHuggingFace returns an error that names a model of another type.
func (c *configuration) foreignHuggingFace() error {
	if kind := c.tree["model_type"]; kind != nil && kind != "clip" {
		name, _ := kind.(string)
		return c.refuse("sets model_type to %s, expected clip: it is %s", brief(kind), typedFamily(name).refusal())
	}
	return nil
}

// agreeHuggingFace compares config.json with the weights, returns an error for
// unsupported features, and reads heads and activation. Unlike open_clip's configuration
// it may contain many unrelated keys, which are ignored, as in transformers.
func (c *configuration) agreeHuggingFace(a *Arch) (Heads, error) {
	if err := c.foreignHuggingFace(); err != nil {
		return Heads{}, err
	}
	for _, key := range []string{"auto_map", "quantization_config", "pruned_heads"} {
		if !empty(c.tree[key]) {
			return Heads{}, c.refuse("has %s, which is not supported", key)
		}
	}
	vision, err := c.huggingFaceTower("vision_config")
	if err != nil {
		return Heads{}, err
	}
	text, err := c.huggingFaceTower("text_config")
	if err != nil {
		return Heads{}, err
	}
	err = c.agreeSizes([]statement{
		{"", c.tree, "projection_dim", a.EmbedDim},
		{"vision_config.", vision, "hidden_size", a.VisionWidth},
		{"vision_config.", vision, "intermediate_size", mlpOr(a.VisionMLP, a.VisionWidth)},
		{"vision_config.", vision, "num_hidden_layers", a.VisionLayers},
		{"vision_config.", vision, "image_size", a.ImageSize},
		{"vision_config.", vision, "patch_size", a.Patch},
		{"vision_config.", vision, "num_channels", pictureChannelsOnly},
		{"text_config.", text, "hidden_size", a.TextWidth},
		{"text_config.", text, "intermediate_size", mlpOr(a.TextMLP, a.TextWidth)},
		{"text_config.", text, "num_hidden_layers", a.TextLayers},
		{"text_config.", text, "max_position_embeddings", a.ContextLength},
		{"text_config.", text, "vocab_size", a.VocabSize},
	})
	if err != nil {
		return Heads{}, err
	}
	// For transformers, the first such token ends a text; here it is the token with the largest id.
	if end := text["eos_token_id"]; end != nil && end != float64(endTokenOldDefault) && end != float64(endToken) && end != float64(a.VocabSize-1) {
		return Heads{}, c.refuse("sets text_config.eos_token_id to %s, but only the end token %d is supported", brief(end), endToken)
	}
	if a.Activation, err = c.oneActivation(vision, text); err != nil {
		return Heads{}, err
	}
	return c.huggingFaceHeads(a, vision, text)
}

// huggingFaceNormalisation returns how pictures were normalised in training, as the file
// with their preprocessing says. Other values of it that this program does not follow, such as
// another filter for resizing, are errors, because they would give wrong results.
func (c *configuration) huggingFaceNormalisation() (Normalisation, error) {
	path := filepath.Join(filepath.Dir(c.path), "preprocessor_config.json")
	if !exists(path) {
		return CLIPNormalisation(), nil
	}
	pictures := &configuration{path: path}
	if err := readJSON(path, &pictures.tree); err != nil {
		return Normalisation{}, err
	}
	for _, s := range []struct {
		key  string
		rule rule
	}{{"do_normalize", is(true)}, {"do_rescale", is(true)}, {"rescale_factor", rescales}, {"resample", is(bicubic)}, {"do_flip_channel_order", is(false)}} {
		if value := pictures.tree[s.key]; value != nil && !s.rule(value) {
			return Normalisation{}, pictures.refuse("sets %s to %s, which is not supported", s.key, brief(value))
		}
	}
	return pictures.normalisation("", pictures.tree, "image_mean", "image_std")
}

// bicubic is Pillow's number of the supported resampling filter.
const bicubic = 3.0

// rescales is the rule for the factor that scales 8-bit values to [0, 1].
func rescales(value any) bool {
	factor, ok := value.(float64)
	return ok && math.Abs(factor*255-1) < 1e-6
}

// huggingFaceTower returns a tower's section, overridden by the values of its older form, KEY_dict.
func (c *configuration) huggingFaceTower(key string) (object, error) {
	section, err := c.section(c.tree, key)
	if err != nil {
		return nil, err
	}
	over, err := c.section(c.tree, key+"_dict")
	if err != nil {
		return nil, err
	}
	tower := maps.Clone(section)
	maps.Copy(tower, over)
	if eps := tower["layer_norm_eps"]; eps != nil && eps != epsilon {
		return nil, c.refuse("sets %s.layer_norm_eps to %s, but only %g is supported", key, brief(eps), epsilon)
	}
	if !empty(tower["pruned_heads"]) {
		return nil, c.refuse("has %s.pruned_heads, which is not supported", key)
	}
	return tower, nil
}

// oneActivation returns the activation of both towers, which must be the same.
func (c *configuration) oneActivation(vision, text object) (string, error) {
	both := [2]any{hiddenActDefault, hiddenActDefault}
	for i, tower := range []object{vision, text} {
		if stated := tower["hidden_act"]; stated != nil {
			both[i] = stated
		}
	}
	first, _ := both[0].(string)
	second, _ := both[1].(string)
	if first != second {
		return "", c.refuse("sets hidden_act to %s for pictures and to %s for text, expected the same for both", brief(both[0]), brief(both[1]))
	}
	if first != GELU && first != QuickGELU {
		return "", c.refuse("sets hidden_act to %s, expected %s or %s", brief(both[0]), GELU, QuickGELU)
	}
	return first, nil
}

// huggingFaceHeads determines the heads like transformers. If its default does not fit the width, they stay 0.
func (c *configuration) huggingFaceHeads(a *Arch, vision, text object) (heads Heads, err error) {
	for _, tower := range []struct {
		section      string
		tree         object
		width, usual int
		into         *int
	}{
		{"vision_config.", vision, a.VisionWidth, visionHeadsDefault, &heads.Vision},
		{"text_config.", text, a.TextWidth, textHeadsDefault, &heads.Text},
	} {
		n, missing, err := c.positive(tower.section, tower.tree, "num_attention_heads")
		if err != nil {
			return Heads{}, err
		}
		if missing && tower.width%tower.usual == 0 {
			n = tower.usual
		}
		*tower.into = n
	}
	return heads, nil
}
