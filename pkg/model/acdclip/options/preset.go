package options

import (
	"acdclip/pkg/clip/activation"
	"acdclip/pkg/config/section"
	"acdclip/pkg/model/card"
)

// Name is the method's name in configurations and checkpoints.
const Name = "acdclip"

// The presets.
const (
	Paper    = "paper"    // Eq. 1-8 as printed
	Released = "released" // what the authors' released code computes
)

// Gates is the name of the extra output of models with a fusion gateway. Its values are
// [N, N, 2] for each picture: the weight of vision group i, text level j and state s
// (normal, abnormal), which sum to 1 over j.
const Gates = "gates"

// Card describes the method.
func Card() card.Card {
	return card.Card{
		Name: Name, Title: "ACD-CLIP", Doc: "Conv-LoRA adapters in both towers and a fusion gateway between vision and text, trained on an auxiliary dataset",
		Long: long,
		Presets: []card.Preset{
			preset(Paper, paperModel, paperLoss),
			preset(Released, releasedModel, releasedLoss),
		},
		NeedsCheckpoint: true, Learns: true,
		Released: released,
	}
}

func preset(name string, model func() Model, loss func() Loss) card.Preset {
	return card.Preset{
		Name:  name,
		Model: func() section.Model { return new(model()) },
		Loss:  func() section.Section { return new(loss()) },
	}
}

// Preset returns the options of a preset. The caller owns the result.
func Preset(name string) (model Model, loss Loss, known bool) {
	switch name {
	case Paper:
		return paperModel(), paperLoss(), true
	case Released:
		return releasedModel(), releasedLoss(), true
	}
	return Model{}, Loss{}, false
}

// paperModel is Eq. 1-8 as printed.
func paperModel() Model {
	return Model{
		ImageSize:  336,
		Groups:     3,
		Activation: activation.GELU,
		Adapter: Adapter{
			Kind: ConvLoRA, Projections: SharedProjections, Scale: InverseKernel, Merge: Residual, Init: InitPaper,
			Rank: 16, ConvRank: 8, Kernels: []int{3, 5}, Alpha: 2,
		},
		Fusion:         Fusion{Kind: DFG, Similarity: Cosine, Average: Probabilities, Smoothing: NoSmoothing, Temperature: 0.1},
		Classification: Classification{Feature: CLSFeature},
		Score:          Score{Classification: 0.5, Map: 0.5, Medical: MedicalScore{Classification: 0.5, Map: 0.5}},
	}
}

// releasedModel differs from paperModel where the released code differs from the equations.
func releasedModel() Model {
	m := paperModel()
	m.ImageSize = 518
	m.Groups = 4
	m.Adapter.Projections = PerBranch
	m.Adapter.Scale = AlphaOverRank
	m.Adapter.Merge = Rescale
	m.Adapter.Init = InitReleased
	m.Fusion.Similarity = Dot
	m.Fusion.Average = Logits
	m.Fusion.Smoothing = Gaussian
	m.Classification.Feature = DetectionFeature
	m.Score.Classification, m.Score.Map = 0.9, 0.1
	return m
}

func paperLoss() Loss {
	return Loss{Focal: 1, Dice: 1, Classification: 1, DiceForm: DiceAbnormal, FocalForm: FocalProbability}
}

func releasedLoss() Loss {
	l := paperLoss()
	l.DiceForm = DiceBoth
	l.FocalForm = FocalOneHot
	return l
}

// long says what the method was checked against, and what is known to differ from published numbers.
const long = `Checked against PyTorch, step by step: the preset released against the authors' code, paper against the paper's equations, with losses, gradients and two steps. The authors' adapter_N.pth files are read.
Known to differ from the published numbers: the released code departs from the paper in many places (each is an option), and it is not published which of the two made the paper's tables.`
