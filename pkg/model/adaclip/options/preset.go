package options

import (
	"acdclip/pkg/clip/activation"
	"acdclip/pkg/config/section"
	"acdclip/pkg/model/card"
)

// Name is the method's name in configurations and checkpoints.
const Name = "adaclip"

// Released is the only preset: what the authors' released code computes, in float32.
const Released = "released"

// Card describes the method.
func Card() card.Card {
	return card.Card{
		Name: Name, Title: "AdaCLIP", Doc: "static and dynamic learned tokens in both towers, trained on an auxiliary dataset",
		Presets: []card.Preset{{
			Name:  Released,
			Model: func() section.Model { return new(releasedModel()) },
			Loss:  func() section.Section { return new(releasedLoss()) },
			Recipe: card.Recipe{
				Epochs: 5, Batch: 1, TextRate: 0.01, VisionRate: 0.01, RateDecay: 1,
				Beta1: 0.5, WeightDecay: 0.01, Shuffle: true,
			},
		}},
		NeedsCheckpoint: true, Learns: true,
		Released: released,
	}
}

// Preset returns the options of the preset. The caller owns the result.
func Preset() (Model, Loss) { return releasedModel(), releasedLoss() }

func releasedModel() Model {
	return Model{
		ImageSize: 518, Activation: activation.GELU, Position: Bicubic,
		Depth: defaultDepth, Length: 5, VisionTokens: StaticDynamic, TextTokens: StaticDynamic, PromptTokens: Half,
		Levels: []int{}, HSF: HSF{Clusters: 20, Weight: 0.2, Seed: 111}, Sigma: 4,
	}
}

func releasedLoss() Loss { return Loss{DiceOver: DiceAuto} }
