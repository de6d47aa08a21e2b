package pretrained

import (
	"encoding/json"
	"errors"
	"fmt"

	"acdclip/pkg/regularfile"
)

// maxConfig is far above the size of any model's configuration.
const maxConfig = 1 << 20

// hiddenActDefault and epsilon are transformers' defaults, which its files may leave out.
const (
	hiddenActDefault = QuickGELU
	epsilon          = 1e-5
)

// huggingFaceConfig is what is held against the weights, and written, of transformers' CLIPConfig.
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

// openCLIPConfig is open_clip_config.json.
type openCLIPConfig struct {
	Model *struct {
		EmbedDim  *int `json:"embed_dim"`
		QuickGELU bool `json:"quick_gelu"`
		Vision    struct {
			ImageSize *int `json:"image_size"`
			Patch     *int `json:"patch_size"`
			Width     *int `json:"width"`
			Layers    *int `json:"layers"`
			HeadWidth *int `json:"head_width"`
		} `json:"vision_cfg"`
		Text struct {
			ContextLength *int `json:"context_length"`
			VocabSize     *int `json:"vocab_size"`
			Width         *int `json:"width"`
			Layers        *int `json:"layers"`
			Heads         *int `json:"heads"`
		} `json:"text_cfg"`
	} `json:"model_cfg"`
}

// statement is a number in a configuration, nil where it is left out, and what the weights say.
type statement struct {
	key    string
	stated *int
	actual int
}

func agree(path string, statements []statement) error {
	for _, s := range statements {
		if s.stated != nil && *s.stated != s.actual {
			return fmt.Errorf("%s says %s %d, the weights say %d: %w", path, s.key, *s.stated, s.actual, ErrNotCLIP)
		}
	}
	return nil
}

// agreeWithHuggingFace holds config.json against the weights and takes its activation.
func (a *Arch) agreeWithHuggingFace(path string) error {
	var config huggingFaceConfig
	if err := readJSON(path, &config); err != nil {
		return err
	}
	if config.ModelType != "" && config.ModelType != "clip" {
		return fmt.Errorf("%s says model_type %.200q, not clip: %w", path, config.ModelType, ErrNotCLIP)
	}
	vision, text := config.Vision, config.Text
	if vision == nil {
		vision = &huggingFaceTower{}
	}
	if text == nil {
		text = &huggingFaceTower{}
	}
	err := agree(path, []statement{
		{"projection_dim", config.ProjectionDim, a.EmbedDim},
		{"vision_config.hidden_size", vision.Width, a.VisionWidth},
		{"vision_config.intermediate_size", vision.MLPWidth, 4 * a.VisionWidth},
		{"vision_config.num_hidden_layers", vision.Layers, a.VisionLayers},
		{"vision_config.num_attention_heads", vision.Heads, a.VisionHeads},
		{"vision_config.image_size", vision.ImageSize, a.ImageSize},
		{"vision_config.patch_size", vision.Patch, a.Patch},
		{"text_config.hidden_size", text.Width, a.TextWidth},
		{"text_config.intermediate_size", text.MLPWidth, 4 * a.TextWidth},
		{"text_config.num_hidden_layers", text.Layers, a.TextLayers},
		{"text_config.num_attention_heads", text.Heads, a.TextHeads},
		{"text_config.max_position_embeddings", text.ContextLength, a.ContextLength},
		{"text_config.vocab_size", text.VocabSize, a.VocabSize},
	})
	if err != nil {
		return err
	}
	for key, eps := range map[string]*float64{"vision_config": vision.Epsilon, "text_config": text.Epsilon} {
		if eps != nil && *eps != epsilon {
			return fmt.Errorf("%s says %s.layer_norm_eps %g, only %g is computed: %w", path, key, *eps, epsilon, ErrNotCLIP)
		}
	}
	a.Activation, err = oneActivation(path, vision.Activation, text.Activation)
	return err
}

// oneActivation is what both towers use.
func oneActivation(path string, vision, text *string) (string, error) {
	both := [2]string{hiddenActDefault, hiddenActDefault}
	for i, stated := range []*string{vision, text} {
		if stated != nil {
			both[i] = *stated
		}
	}
	if both[0] != both[1] {
		return "", fmt.Errorf("%s says hidden_act %.200q for pictures and %.200q for text: %w", path, both[0], both[1], ErrNotCLIP)
	}
	if both[0] != GELU && both[0] != QuickGELU {
		return "", fmt.Errorf("%s says hidden_act %.200q, neither %s nor %s: %w", path, both[0], GELU, QuickGELU, ErrNotCLIP)
	}
	return both[0], nil
}

// agreeWithOpenCLIP holds open_clip_config.json against the weights and takes its activation.
func (a *Arch) agreeWithOpenCLIP(path string) error {
	var config openCLIPConfig
	if err := readJSON(path, &config); err != nil {
		return err
	}
	model := config.Model
	if model == nil {
		return fmt.Errorf("%s has no model_cfg: %w", path, ErrNotCLIP)
	}
	a.Activation = GELU
	if model.QuickGELU {
		a.Activation = QuickGELU
	}
	return agree(path, []statement{
		{"embed_dim", model.EmbedDim, a.EmbedDim},
		{"vision_cfg.image_size", model.Vision.ImageSize, a.ImageSize},
		{"vision_cfg.patch_size", model.Vision.Patch, a.Patch},
		{"vision_cfg.width", model.Vision.Width, a.VisionWidth},
		{"vision_cfg.layers", model.Vision.Layers, a.VisionLayers},
		{"vision_cfg.head_width", model.Vision.HeadWidth, headWidth},
		{"text_cfg.context_length", model.Text.ContextLength, a.ContextLength},
		{"text_cfg.vocab_size", model.Text.VocabSize, a.VocabSize},
		{"text_cfg.width", model.Text.Width, a.TextWidth},
		{"text_cfg.layers", model.Text.Layers, a.TextLayers},
		{"text_cfg.heads", model.Text.Heads, a.TextHeads},
	})
}

// readJSON reads a small JSON file.
func readJSON(path string, into any) error {
	text, err := regularfile.Head(path, maxConfig+1)
	if _, ok := errors.AsType[*regularfile.OtherError](err); ok {
		return fmt.Errorf("reading a CLIP's configuration: %s is no regular file: %w", path, ErrNotCLIP)
	}
	if err != nil {
		return fmt.Errorf("reading a CLIP's configuration: %w", err)
	}
	if len(text) > maxConfig {
		return fmt.Errorf("%s is larger than %d bytes: %w", path, maxConfig, ErrNotCLIP)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %.300s: %w", path, err.Error(), ErrNotCLIP) // it may quote a number of any length
	}
	return nil
}
