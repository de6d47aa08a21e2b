// Package anomalyclip implements AnomalyCLIP (Zhou et al., "AnomalyCLIP: Object-agnostic
// Prompt Learning for Zero-shot Anomaly Detection", ICLR 2024; the released code is
// github.com/zqhang/AnomalyCLIP). Two prompts are learned, one for normal and one for
// abnormal, that name no object: the same text features serve every class. CLIP is frozen;
// in its vision tower a second path with value-value attention gives the patch features.
package anomalyclip

import (
	"errors"
	"fmt"

	"acdclip/cgo/torch"
	"acdclip/pkg/clip"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/config/section"
	"acdclip/pkg/model"
	"acdclip/pkg/model/anomalyclip/options"
	"acdclip/pkg/model/feature"
	"acdclip/pkg/model/gaussian"
	"acdclip/pkg/model/prompt"
)

// Model is AnomalyCLIP on one CLIP. Its parameters, and the vision features that Loss
// keeps, belong to the Scope passed to New.
type Model struct {
	*learned
	options options.Model // with no value left open
	loss    options.Loss
	clip    *clip.Model
	prompts prompts
	blur    gaussian.Filter
	cache   *feature.Cache
}

var (
	_ model.Trainable     = (*Model)(nil)
	_ model.FeatureKeeper = (*Model)(nil)
)

// New builds the model. It must be called inside Do; the parameters belong to s. If the
// values have copies of CLIP's token embeddings that differ from the CLIP's, the error
// wraps model.ErrOtherCLIP, or it is a warning with AllowOtherCLIP.
func New(s *torch.Scope, o model.Options) (*Model, error) {
	own, loss, err := model.OwnSections[*options.Model, *options.Loss](o)
	if err != nil {
		return nil, err
	}
	if err := Check(o.CLIP.Arch, own, o.Values); err != nil {
		return nil, err
	}
	m := &Model{
		learned: declare(*own, o.CLIP.Arch), options: own.For(o.CLIP.Vision.Depth), loss: *loss, clip: o.CLIP,
		prompts: newPrompts(s, o.CLIP.Text, o.Tokenizer, own.Words), cache: feature.NewCache(s, o.FeatureCache),
	}
	if err := m.prompts.compare(o.Values, o.CLIP.Text.Context); errors.Is(err, model.ErrOtherCLIP) && o.AllowOtherCLIP {
		o.Warned(err.Error())
	} else if err != nil {
		return nil, err
	}
	m.blur = gaussian.New(s, m.imageSize(), own.Sigma)
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
	wanted := declare(*o, arch).parameters.Specs()
	for _, c := range copies(o.Words, arch.ContextLength, arch.TextWidth, values) {
		wanted = append(wanted, c.Spec)
	}
	return values.Match(wanted)
}

// Complete fills in the options that are taken from the CLIP.
func Complete(arch pretrained.Arch, own section.Model) (section.Model, error) {
	o, err := model.Own[*options.Model]("model", own)
	if err != nil {
		return nil, err
	}
	completed := o.For(arch.VisionLayers)
	return &completed, nil
}

// checkCLIP checks the options against the CLIP.
func checkCLIP(o options.Model, arch pretrained.Arch) error {
	if err := prompt.CheckVocabulary(arch); err != nil {
		return err
	}
	if most := arch.ContextLength - unlearned; o.Words > most {
		return fmt.Errorf("model.words is %d, but this CLIP's prompts of %d tokens have room for %d learned words; lower model.words", o.Words, arch.ContextLength, most)
	}
	if o.Depth > arch.TextLayers {
		return fmt.Errorf("model.depth is %d, but this CLIP's text tower has %d blocks; lower model.depth", o.Depth, arch.TextLayers)
	}
	if o.VVFrom > arch.VisionLayers {
		return fmt.Errorf("model.vv_from is %d, but this CLIP's vision tower has %d blocks; 0 selects a quarter of them", o.VVFrom, arch.VisionLayers)
	}
	for _, level := range o.Levels {
		if level > arch.VisionLayers {
			return fmt.Errorf("model.levels lists block %d, but this CLIP's vision tower has %d blocks; an empty list selects the last", level, arch.VisionLayers)
		}
	}
	return nil
}

// Input returns the pictures' size and CLIP's normalisation.
func (m *Model) Input() model.Input { return model.CLIPInput(m.imageSize()) }

func (m *Model) imageSize() int { return m.clip.Vision.Grid * m.clip.Arch.Patch }

// Groups returns the parameters, all of the text side.
func (m *Model) Groups() []model.ParameterGroup { return m.parameters.Groups() }

// KeptFeatures counts the features that training keeps; see model.FeatureKeeper.
func (m *Model) KeptFeatures() (pictures int, bytes int64) { return m.cache.Held() }
