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
		Name: Name, Title: "AdaCLIP", Doc: "Static and dynamic learned tokens in both towers, trained on an auxiliary dataset",
		Long: long,
		Presets: []card.Preset{{
			Name:  Released,
			Model: func() section.Model { return new(releasedModel()) },
			Loss:  func() section.Section { return new(releasedLoss()) },
			Recipe: card.Recipe{
				Epochs: 5, Batch: 1, TextRate: 0.01, VisionRate: 0.01, RateDecay: 1,
				Beta1: 0.5, WeightDecay: 0.01, Shuffle: true, BilinearMasks: true, Mosaic: 0.2,
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
		Depth: defaultDepth, Length: 5, VisionTokens: StaticDynamic, TextTokens: StaticDynamic, PromptTokens: Half, Names: FolderNames,
		Levels: []int{}, HSF: HSF{Clusters: 20, Weight: 0.2, Seed: 111}, Sigma: 4,
	}
}

func releasedLoss() Loss { return Loss{DiceOver: DiceAuto} }

// long says what the method was checked against, and what is known to differ from published numbers.
const long = `Checked against the authors' code in float32, step by step, with losses, gradients and two steps of training. The authors' files are read.
Made for OpenAI's ViT-L/14@336px at 518 pixels.
Known to differ from the published numbers: the authors' K-means depends on all pictures scored before, ours starts anew for each picture (hsf.seed); they run in float16, choose the epoch by the test labels of a dataset, train on a colonoscopy dataset too, and give a mosaic the label of the picture that it replaces, ours its own. Their masks are scaled bilinearly, as in our training; data.mask_resize=bilinear does the same in eval.
Each of their files saw a colonoscopy dataset: ColonDB with MVTec AD, ClinicDB with VisA. eval knows this and stops, or marks the result with --allow-leak.`
