// Package adaclip implements AdaCLIP ("AdaCLIP: Adapting CLIP with Hybrid Learnable Prompts
// for Zero-Shot Anomaly Detection", Cao et al., ECCV 2024) as its authors' released code
// computes it: learned tokens enter both towers of a frozen CLIP. Static tokens are
// parameters, dynamic ones are linear maps of the picture's own class embedding, so text
// features depend on the picture as well as on its class.
package adaclip

import (
	"fmt"

	"acdclip/cgo/torch"
	"acdclip/pkg/clip"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/clip/tokenizer"
	"acdclip/pkg/config"
	"acdclip/pkg/config/section"
	"acdclip/pkg/model"
	"acdclip/pkg/model/adaclip/options"
	"acdclip/pkg/model/gaussian"
	"acdclip/pkg/model/prompt"
)

// Model is AdaCLIP on one CLIP. Its parameters, and what Loss caches, belong to the Scope
// passed to New.
type Model struct {
	*parts
	options   options.Model
	loss      options.Loss
	levels    []int // vision blocks that are compared with the text, from 1
	clip      *clip.Model
	tokenizer *tokenizer.Tokenizer
	filter    gaussian.Filter
	cache     cache
}

var (
	_ model.Trainable     = (*Model)(nil)
	_ model.FeatureKeeper = (*Model)(nil)
)

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
		parts: declare(own, DimensionsOf(o.CLIP.Arch)), options: *own, loss: *loss, levels: own.LevelsFor(o.CLIP.Vision.Depth),
		clip: o.CLIP, tokenizer: o.Tokenizer, cache: newCache(s, o.FeatureCache),
	}
	m.filter = gaussian.New(s, m.imageSize(), own.Sigma)
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
	if err := checkCLIP(o, arch); err != nil {
		return fmt.Errorf("%w: %w", clip.ErrOptions, err)
	}
	if values == nil {
		return nil
	}
	if err := checkNumLevels(len(o.LevelsFor(arch.VisionLayers)), values); err != nil {
		return err
	}
	return values.Match(declare(o, DimensionsOf(arch)).parameters.Specs())
}

// Complete fills in the options that are taken from the CLIP.
func Complete(arch pretrained.Arch, own section.Model) (section.Model, error) {
	o, err := model.Own[*options.Model]("model", own)
	if err != nil {
		return nil, err
	}
	completed := config.Clone(o)
	completed.Levels = o.LevelsFor(arch.VisionLayers)
	completed.Depth = o.NumBlocks()
	return completed, nil
}

// checkCLIP checks the options against the CLIP.
func checkCLIP(o *options.Model, arch pretrained.Arch) error {
	if err := prompt.CheckVocabulary(arch); err != nil {
		return err
	}
	for _, tower := range []struct {
		name   string
		tokens options.Tokens
		depth  int
	}{{"vision", o.VisionTokens, arch.VisionLayers}, {"text", o.TextTokens, arch.TextLayers}} {
		if tower.tokens != options.NoTokens && o.NumBlocks() > tower.depth {
			return fmt.Errorf("learned tokens enter %d blocks (model.depth), but this CLIP's %s tower has %d; lower model.depth", o.NumBlocks(), tower.name, tower.depth)
		}
	}
	if o.TextTokens != options.NoTokens && o.Length >= arch.ContextLength {
		return fmt.Errorf("%d learned tokens (model.length) do not fit into this CLIP's prompts of %d tokens; lower model.length to at most %d",
			o.Length, arch.ContextLength, arch.ContextLength-1)
	}
	return checkLevels(o.LevelsFor(arch.VisionLayers), arch.VisionLayers)
}

// checkLevels checks that levels, which ascend if they are the user's, are blocks of a
// tower of that depth.
func checkLevels(levels []int, depth int) error {
	if levels[0] < 1 {
		return fmt.Errorf("this CLIP's vision tower has %d blocks, which have no quarters; set model.levels", depth)
	}
	if last := levels[len(levels)-1]; last > depth {
		return fmt.Errorf("model.levels has block %d, but this CLIP's vision tower has %d blocks; set model.levels to %d of them", last, depth, len(levels))
	}
	return nil
}

// checkNumLevels compares the number of levels with that of trained parameters.
func checkNumLevels(count int, values model.Values) error {
	trained := 0
	for trained <= count && values.Has(fmt.Sprintf("visual.level.%d.weight", trained)) {
		trained++
	}
	switch {
	case trained > count:
		return fmt.Errorf("model.levels lists %d blocks, but the trained parameters are for more levels; list a block for each", count)
	case trained > 0 && trained < count:
		return fmt.Errorf("model.levels lists %d blocks, but the trained parameters are for %d; list a block for each", count, trained)
	}
	return nil // with none, Match names what is missing
}

// Input returns the pictures' size and CLIP's normalisation.
func (m *Model) Input() model.Input { return model.CLIPInput(m.imageSize()) }

func (m *Model) imageSize() int { return m.clip.Vision.Grid * m.clip.Arch.Patch }

// Groups returns the text side's parameters, then the vision side's.
func (m *Model) Groups() []model.ParameterGroup { return m.parameters.Groups() }

// KeptFeatures counts the features that training keeps; see model.FeatureKeeper.
func (m *Model) KeptFeatures() (pictures int, bytes int64) { return m.cache.frozen.Held() }
