package quality

import (
	"context"

	"acdclip/cgo/torch"
	"acdclip/pkg/clip"
	"acdclip/pkg/clip/activation"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/clip/tokenizer"
	"acdclip/pkg/config/section"
	"acdclip/pkg/domain"
	"acdclip/pkg/model"
	"acdclip/pkg/model/card"
	"acdclip/pkg/model/methods"
	"acdclip/pkg/model/prompt"
)

// scale is the factor on cosines before the softmax, as in scripts/builtin.
const scale = 10

// frozenRow is the row of a method for comparison: what a CLIP finds with sentences alone,
// without any trained part.
func frozenRow() methods.Row {
	return methods.Row{
		Card: card.Card{
			Name: "frozen", Title: "Frozen CLIP", Doc: "patch tokens against sentences",
			Presets: []card.Preset{{Name: "plain", Model: func() section.Model { return &frozenOptions{ImageSize: 112} }}},
		},
		Check: func(arch pretrained.Arch, own section.Model, _ model.Values) error {
			if _, err := model.Own[*frozenOptions]("model", own); err != nil {
				return err
			}
			return prompt.CheckVocabulary(arch)
		},
		New: func(_ *torch.Scope, o model.Options) (model.Method, error) {
			own, err := model.Own[*frozenOptions]("model", o.Model)
			if err != nil {
				return nil, err
			}
			return &frozen{own.ImageSize, o.CLIP, o.Tokenizer}, nil
		},
	}
}

// frozenOptions is the model: section.
type frozenOptions struct {
	ImageSize int `json:"image_size" range:"[1,1024]" runtime:"yes" doc:"side of the pictures in pixels"`
}

// Contradictions returns nil.
func (o *frozenOptions) Contradictions() []*section.Error { return nil }

// Input is how CLIP must be loaded.
func (o *frozenOptions) Input() section.Input {
	return section.Input{Size: o.ImageSize, Activation: activation.Auto}
}

// Variant identifies the only model.
func (o *frozenOptions) Variant() section.Variant {
	return section.Variant{Slug: "frozen", Label: "frozen", Long: "frozen"}
}

// Facts returns nil.
func (o *frozenOptions) Facts() []section.Fact { return nil }

type frozen struct {
	size      int
	clip      *clip.Model
	tokenizer *tokenizer.Tokenizer
}

// ensemble is ACD-CLIP's set of prompts.
func ensemble() prompt.Ensemble {
	return prompt.Ensemble{
		Templates: []string{"{}.", "a photo of {}."},
		Phrases: [prompt.States][]string{
			prompt.Normal:   {"{}", "a {}", "the {}"},
			prompt.Abnormal: {"a damaged {}", "a broken {}", "a {} with flaw", "a {} with defect", "a {} with damage"},
		},
	}
}

func (m *frozen) Input() model.Input { return model.CLIPInput(m.size) }

// Prepare computes the text features [K, 2, E]: the mean of unit embeddings, unit.
func (m *frozen) Prepare(ctx context.Context, s *torch.Scope, classes domain.Classes) (model.Prepared, error) {
	return prompt.Prepare(s, classes, func(s *torch.Scope, name string) (torch.Tensor, error) {
		var states [prompt.States]torch.Tensor
		for state := range states {
			ids := prompt.Tokenize(m.clip.Text, m.tokenizer, ensemble().Texts(name, state))
			embeddings, err := prompt.Embed(ctx, s, m.clip.Text, ids)
			if err != nil {
				return torch.Tensor{}, err
			}
			states[state] = s.Step(embeddings, func(e torch.Tensor) torch.Tensor { return e.Normalize(-1).Mean(0).Normalize(-1) })
		}
		return torch.Stack(0, states[:]...), nil
	})
}

func (m *frozen) Join(s *torch.Scope, parts []model.Prepared) (model.Prepared, error) {
	return prompt.Join(s, parts)
}

// Score compares all tokens after the last block with the sentences; the image score is the
// mean of the class token's probability and of the map's maximum.
func (m *frozen) Score(s *torch.Scope, pictures torch.Tensor, classOf []int, prepared model.Prepared) (model.Scores, error) {
	_, text, err := prompt.For(s, prepared, pictures, m.size, classOf)
	if err != nil {
		return model.Scores{}, err
	}
	vision, batch := m.clip.Vision, pictures.Dim(0)
	x := vision.Embed(pictures)
	for i := range vision.Depth {
		x = s.Step(x, func(x torch.Tensor) torch.Tensor { return vision.Block(s, i, x) })
	}
	unit := vision.Head(x).Normalize(-1)
	both := unit.MatMul(text.Transpose(1, 2)).MulScalar(scale).Softmax(-1) // [B, 1+L, 2]
	abnormal := both.Narrow(2, prompt.Abnormal, 1)
	grid := int64(vision.Grid)
	maps := abnormal.Narrow(1, 1, grid*grid).Reshape(batch, 1, grid, grid).Resize(torch.BilinearAligned, int64(m.size), int64(m.size)).Reshape(batch, int64(m.size), int64(m.size))
	image := abnormal.Narrow(1, 0, 1).Reshape(batch).Add(maps.AMax(1, 2)).MulScalar(0.5)
	return model.Scores{Maps: maps, Image: image}, nil
}
