// Package winclip implements WinCLIP ("WinCLIP: Zero-/Few-Shot Anomaly Classification and
// Segmentation", Jeong et al.), zero-shot. Its authors published no code; the presets follow
// the two public implementations, anomalib's and caoyunkang's.
package winclip

import (
	"context"
	"fmt"

	"acdclip/cgo/torch"
	"acdclip/pkg/clip"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/clip/tokenizer"
	"acdclip/pkg/config/section"
	"acdclip/pkg/domain"
	"acdclip/pkg/model"
	"acdclip/pkg/model/prompt"
	"acdclip/pkg/model/winclip/options"
)

// Model is WinCLIP on one CLIP. Its windows belong to the Scope passed to New.
type Model struct {
	options   options.Model
	clip      *clip.Model
	tokenizer *tokenizer.Tokenizer
	scales    []scale // one per window size
}

var _ model.Method = (*Model)(nil)

// New builds the model. It must be called inside Do; what it creates belongs to s.
func New(s *torch.Scope, o model.Options) (*Model, error) {
	own, err := model.Own[*options.Model]("model", o.Model)
	if err != nil {
		return nil, err
	}
	if err := Check(o.CLIP.Arch, own, o.Values); err != nil {
		return nil, err
	}
	m := &Model{options: *own, clip: o.CLIP, tokenizer: o.Tokenizer}
	for _, side := range m.options.Windows {
		m.scales = append(m.scales, newScale(s, m.clip.Vision.Grid, side))
	}
	return m, nil
}

// Check returns an error if the method cannot run with these options on a CLIP of that
// architecture. There are no trained parameters: values must be nil or empty.
func Check(arch pretrained.Arch, own section.Model, values model.Values) error {
	o, err := model.Own[*options.Model]("model", own)
	if err != nil {
		return err
	}
	if err := prompt.CheckVocabulary(arch); err != nil {
		return fmt.Errorf("%w: %w", clip.ErrOptions, err)
	}
	for _, side := range o.Windows {
		if grid := o.ImageSize / arch.Patch; side > grid {
			return fmt.Errorf("%w: model.windows lists %d patches, but image size %d has only %d x %d patches; raise model.image_size or list smaller windows",
				clip.ErrOptions, side, o.ImageSize, grid, grid)
		}
	}
	if values == nil {
		return nil
	}
	return values.Match(nil)
}

// Input returns the pictures' size and CLIP's normalisation.
func (m *Model) Input() model.Input { return model.CLIPInput(m.imageSize()) }

func (m *Model) imageSize() int { return m.clip.Vision.Grid * m.clip.Arch.Patch }

// Prepare computes the text features [K, 2, E] of classes: for each state, the mean of its
// prompts' embeddings, which are not normalised before.
func (m *Model) Prepare(ctx context.Context, s *torch.Scope, classes domain.Classes) (model.Prepared, error) {
	return prompt.Prepare(s, classes, func(s *torch.Scope, name string) (torch.Tensor, error) { return m.encodeText(ctx, s, name) })
}

// encodeText returns the text [2, E] of a class, which belongs to s.
func (m *Model) encodeText(ctx context.Context, s *torch.Scope, name string) (torch.Tensor, error) {
	var states [prompt.States]torch.Tensor
	for state := range states {
		ids := prompt.Tokenize(m.clip.Text, m.tokenizer, ensemble(m.options.Prompts).Texts(name, state))
		embeddings, err := prompt.Embed(ctx, s, m.clip.Text, ids)
		if err != nil {
			return torch.Tensor{}, err
		}
		states[state] = s.Step(embeddings, func(e torch.Tensor) torch.Tensor { return e.Mean(0) })
	}
	return torch.Stack(0, states[:]...), nil
}

// Join concatenates lists of classes; see model.Method.
func (m *Model) Join(s *torch.Scope, parts []model.Prepared) (model.Prepared, error) {
	return prompt.Join(s, parts)
}
