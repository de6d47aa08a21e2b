// Package acdclip implements ACD-CLIP ("Architectural Co-Design for Zero-Shot Anomaly
// Detection", Ma et al.): Conv-LoRA adapters in a frozen CLIP's vision tower and a Dynamic
// Fusion Gateway between vision and text. Presets and ablations are options of one model.
package acdclip

import (
	"fmt"

	"acdclip/cgo/torch"
	"acdclip/pkg/clip"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/clip/tokenizer"
	"acdclip/pkg/config"
	"acdclip/pkg/config/section"
	"acdclip/pkg/domain"
	"acdclip/pkg/model"
	"acdclip/pkg/model/acdclip/options"
	"acdclip/pkg/model/prompt"
)

// Model is ACD-CLIP on one CLIP. Its parameters, and the prefixes that Loss caches, belong
// to the Scope passed to New.
type Model struct {
	*parts
	options   options.Model
	loss      options.Loss
	clip      *clip.Model
	tokenizer *tokenizer.Tokenizer
	prefixes  prefixes
}

var (
	_ model.Trainable       = (*Model)(nil)
	_ model.GradientLimiter = (*Model)(nil)
)

// visionGroup holds the trainable parts after a group of vision blocks.
type visionGroup struct {
	adapter      visionAdapter
	merge        merge
	segmentation projection
	detection    *projection // nil if the class logits come from the class token
	gate         *gate       // nil with static fusion
}

// textGroup holds the trainable parts after a group of text blocks.
type textGroup struct {
	adapter textAdapter
	merge   merge
	norm    layerNorm
}

// New builds the model. It must be called inside Do; the parameters belong to s.
func New(s *torch.Scope, o model.Options) (*Model, error) {
	own, loss, err := model.OwnSections[*options.Model, *options.Loss](o)
	if err != nil {
		return nil, err
	}
	if err := Check(o.CLIP.Arch, own, o.Values); err != nil {
		return nil, err
	}
	m := &Model{
		parts: declare(*own, DimensionsOf(o.CLIP.Arch)), options: *own, loss: *loss, clip: o.CLIP, tokenizer: o.Tokenizer,
		prefixes: prefixes{scope: s, of: map[string]prefix{}},
	}
	return m, m.parameters.Load(s, o.Values, o.Seed)
}

// Check returns an error if a model with these options cannot be built on a CLIP of that
// architecture, or if values (nil: none) do not match its parameters. It reads only lists
// of tensors, so it can be called before CLIP is loaded.
func Check(arch pretrained.Arch, own section.Model, values model.Values) error {
	o, err := model.Own[*options.Model]("model", own)
	if err != nil {
		return err
	}
	if err := checkCLIP(*o, arch); err != nil {
		return fmt.Errorf("%w: %w", clip.ErrOptions, err)
	}
	if values == nil {
		return nil
	}
	return values.Match(Parameters(*o, DimensionsOf(arch)).Specs())
}

// Complete fills in the options that are taken from the CLIP.
func Complete(arch pretrained.Arch, own section.Model) (section.Model, error) {
	o, err := model.Own[*options.Model]("model", own)
	if err != nil {
		return nil, err
	}
	completed := config.Clone(o)
	completed.Adapter.Hidden = o.Adapter.HiddenFor(arch.VisionWidth)
	return completed, nil
}

// DimensionsOf returns the widths of a CLIP.
func DimensionsOf(arch pretrained.Arch) Dimensions {
	return Dimensions{Vision: arch.VisionWidth, Text: arch.TextWidth}
}

// checkCLIP checks the options against the CLIP.
func checkCLIP(o options.Model, arch pretrained.Arch) error {
	if err := prompt.CheckVocabulary(arch); err != nil {
		return err
	}
	for _, tower := range []struct {
		name  string
		depth int
	}{{"vision", arch.VisionLayers}, {"text", arch.TextLayers}} {
		if tower.depth%o.Groups != 0 {
			return fmt.Errorf("model.groups is %d, which does not divide the %d blocks of this CLIP's %s tower", o.Groups, tower.depth, tower.name)
		}
	}
	if arch.EmbedDim != arch.TextWidth {
		return fmt.Errorf("this CLIP's text width %d differs from its embedding width %d; ACD-CLIP needs them equal, as in ViT-L/14", arch.TextWidth, arch.EmbedDim)
	}
	if margin := max(smoothing(domain.Industrial).size, smoothing(domain.Medical).size) / 2; o.Fusion.Smoothing == options.Gaussian && o.ImageSize/arch.Patch <= margin {
		return fmt.Errorf("model.fusion.smoothing gaussian needs more than %d patches per side, but image size %d has %d; raise model.image_size or set model.fusion.smoothing to none",
			margin, o.ImageSize/arch.Patch*arch.Patch, o.ImageSize/arch.Patch)
	}
	return nil
}

// Input returns the pictures' size and CLIP's normalisation.
func (m *Model) Input() model.Input { return model.CLIPInput(m.imageSize()) }

func (m *Model) imageSize() int { return m.clip.Vision.Grid * m.clip.Arch.Patch }

// Groups returns the text side's parameters, then the vision side's, including the gates.
func (m *Model) Groups() []model.ParameterGroup { return m.parameters.Groups() }

// LimitGradients clips the gradient of each blending vector w separately to a norm of at most 1.
func (m *Model) LimitGradients() {
	for _, blend := range m.blends {
		blend.ClipGradNorm(options.BlendGradientNorm)
	}
}
