// Package clipad implements CLIP-AD ("CLIP-AD: A Language-Guided Staged Dual-Path Model for
// Zero-shot Anomaly Detection", Chen et al.) as its authors' code computes it: SDP, which
// trains nothing, and SDP+, which trains a linear layer per level.
package clipad

import (
	"errors"
	"fmt"

	"acdclip/cgo/torch"
	"acdclip/pkg/clip"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/clip/tokenizer"
	"acdclip/pkg/config"
	"acdclip/pkg/config/section"
	"acdclip/pkg/model"
	"acdclip/pkg/model/clipad/options"
	"acdclip/pkg/model/feature"
	"acdclip/pkg/model/gaussian"
	"acdclip/pkg/model/parameter"
	"acdclip/pkg/model/prompt"
)

// Model is CLIP-AD on one CLIP. Its tensors belong to the Scope passed to New.
type Model struct {
	options    options.Model
	loss       options.Loss
	clip       *clip.Model
	tokenizer  *tokenizer.Tokenizer
	levels     []int    // ascending; level l is the end of block l, from 1
	linears    []linear // of SDP+, one per level; nil for SDP
	parameters parameter.List
	filter     gaussian.Filter
	scope      *torch.Scope
	warn       func(text string)
	cache      *feature.Cache
	texts      map[string]torch.Tensor // [2, E] by prompt name, for training
}

// linear is a linear layer: weight [E, C] and bias [E].
type linear struct{ weight, bias torch.Tensor }

var (
	_ model.Trainable     = (*Model)(nil)
	_ model.FeatureKeeper = (*Model)(nil)
)

// New builds the model. It must be called inside Do; what it creates belongs to s.
func New(s *torch.Scope, o model.Options) (*Model, error) {
	own, loss, err := model.OwnSections[*options.Model, *options.Loss](o)
	if err != nil {
		return nil, err
	}
	if err := Check(o.CLIP.Arch, own, o.Values); err != nil {
		return nil, err
	}
	m := &Model{options: *own, loss: *loss, clip: o.CLIP, tokenizer: o.Tokenizer, scope: s, warn: o.Warned, cache: feature.NewCache(s, o.FeatureCache), texts: map[string]torch.Tensor{}}
	m.levels, _ = m.options.LevelsFor(o.CLIP.Arch.VisionLayers) // Check has checked them
	if m.options.Kind == options.SDPPlus || o.Values != nil {
		m.linears, m.parameters = declare(len(m.levels), o.CLIP.Arch)
	}
	m.filter = gaussian.New(s, m.imageSize(), m.options.Sigma)
	return m, m.parameters.Load(s, o.Values, o.Seed)
}

// weightName is the name of the matrix of linear layer i.
func weightName(i int) string { return fmt.Sprintf("linear.%d.weight", i) }

// declare declares the linear layers. It is the only place that lists the parameters.
func declare(levels int, arch pretrained.Arch) ([]linear, parameter.List) {
	var list parameter.List
	linears := make([]linear, levels)
	embed, width := int64(arch.EmbedDim), int64(arch.VisionWidth)
	for i := range linears {
		initial := parameter.TorchDefault(width)
		list.Add(&linears[i].weight, model.VisionSide, initial, weightName(i), embed, width)
		list.Add(&linears[i].bias, model.VisionSide, initial, fmt.Sprintf("linear.%d.bias", i), embed)
	}
	return linears, list
}

// Check returns an error if a model with these options cannot be built on a CLIP of that
// architecture, or if values (nil: none) do not match its parameters. It reads no values.
func Check(arch pretrained.Arch, own section.Model, values model.Values) error {
	o, err := model.Own[*options.Model]("model", own)
	if err != nil {
		return err
	}
	levels, err := o.LevelsFor(arch.VisionLayers)
	if err := errors.Join(err, prompt.CheckVocabulary(arch)); err != nil {
		return fmt.Errorf("%w: %w", clip.ErrOptions, err)
	}
	if values == nil {
		return nil
	}
	layers := 0
	for values.Has(weightName(layers)) {
		layers++
	}
	if layers != len(levels) {
		return fmt.Errorf("%w: the checkpoint has %d linear layers, but the model has %d levels, after blocks %v; set model.levels to the blocks that the layers were trained after", clip.ErrOptions, layers, len(levels), levels)
	}
	_, parameters := declare(len(levels), arch)
	if err := values.Match(parameters.Specs()); err != nil {
		return fmt.Errorf("%w (the authors' linear layers belong to ViT-B/16+ at 240 pixels)", err)
	}
	return nil
}

// Complete decides what is trained, and fills in the levels.
func Complete(arch pretrained.Arch, own section.Model) (section.Model, error) {
	o, err := model.Own[*options.Model]("model", own)
	switch {
	case err != nil:
		return nil, err
	case o.Kind == options.SDP:
		return nil, fmt.Errorf("%w: model.variant is sdp, which has nothing to train; leave it out or set model.variant=sdp_plus", clip.ErrOptions)
	}
	levels, err := o.LevelsFor(arch.VisionLayers)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", clip.ErrOptions, err)
	}
	completed := config.Clone(o)
	completed.Kind, completed.Levels = options.SDPPlus, levels
	return completed, nil
}

// Input returns the pictures' size and CLIP's normalisation.
func (m *Model) Input() model.Input { return model.CLIPInput(m.imageSize()) }

func (m *Model) imageSize() int { return m.clip.Vision.Grid * m.clip.Arch.Patch }

// Groups returns the linear layers' parameters.
func (m *Model) Groups() []model.ParameterGroup { return m.parameters.Groups() }

// KeptFeatures counts the features that training keeps; see model.FeatureKeeper.
func (m *Model) KeptFeatures() (pictures int, bytes int64) { return m.cache.Held() }
