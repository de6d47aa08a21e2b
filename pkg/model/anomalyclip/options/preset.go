package options

import (
	"acdclip/pkg/clip/activation"
	"acdclip/pkg/config/section"
	"acdclip/pkg/model/card"
)

// Name is the method's name in configurations and checkpoints.
const Name = "anomalyclip"

// Released is the only preset: what the authors' released code computes.
const Released = "released"

// Card describes the method.
func Card() card.Card {
	return card.Card{
		Name: Name, Title: "AnomalyCLIP", Doc: "two learned prompts that name no object, and value-value attention in the vision tower, trained on an auxiliary dataset",
		Presets: []card.Preset{{
			Name:   Released,
			Model:  func() section.Model { return new(releasedModel()) },
			Loss:   func() section.Section { return new(releasedLoss()) },
			Recipe: recipe(),
		}},
		NeedsCheckpoint: true, Learns: true,
		Released: released,
	}
}

// recipe is the authors'. Only the text side learns.
func recipe() card.Recipe {
	return card.Recipe{Epochs: 15, Batch: 8, TextRate: 1e-3, VisionRate: 1e-3, RateDecay: 1, Beta1: 0.5, Shuffle: true}
}

func releasedModel() Model {
	return Model{
		ImageSize: 518, Activation: activation.QuickGELU, Position: Bilinear,
		Words: 12, Depth: 9, Tokens: 4, DeepTokens: Half,
		Levels: []int{}, Temperature: 0.07, Sigma: 4,
	}
}

func releasedLoss() Loss { return Loss{Lambda: 4} }
