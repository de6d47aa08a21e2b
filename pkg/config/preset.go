package config

import (
	"slices"

	"acdclip/pkg/spelling"
)

// Preset returns a preset's complete configuration. It names no CLIP, no
// dataset and no checkpoint. The result is the caller's own.
func Preset(name PresetName) (Config, error) {
	model, loss := paperModel(), paperLoss()
	switch name {
	case Paper:
	case Released:
		model, loss = releasedModel(), releasedLoss()
	default:
		return Config{}, &Error{Key: "preset", Problem: notOneOf(string(name), PresetName("").Values()), Nearest: spelling.Nearest(string(name), PresetName("").Values())}
	}
	return Config{
		Preset:      name,
		Method:      ACDCLIP,
		Device:      DeviceAuto,
		Precision:   PrecisionAuto,
		Model:       model,
		Loss:        loss,
		Train:       Train{Classes: []string{}, HoldOut: []string{}, Epochs: 20, Batch: 6, LR: LR{Text: 5e-4, Vision: 1e-3}, LRDecay: 0.9, Augment: true, Accumulate: 1, SaveMinutes: 10},
		Data:        Data{Roots: map[string]Root{}, Pairing: map[string]string{}, MaxPixels: 200e6, Cache: 1 << 30},
		Checkpoints: map[string][]string{},
	}, nil
}

// paperModel is Eq. 1-8 as printed.
func paperModel() Model {
	return Model{
		ImageSize:  336,
		Groups:     3,
		Activation: GELU,
		Adapter: Adapter{
			Kind: ConvLoRA, Projections: SharedProjections, Scale: InverseKernel, Merge: Residual, Init: InitPaper,
			Rank: 16, ConvRank: 8, Kernels: []int{3, 5}, Alpha: 2,
		},
		Fusion:         Fusion{Kind: DFG, Similarity: Cosine, Average: Probabilities, Smoothing: NoSmoothing, Temperature: 0.1},
		Classification: Classification{Feature: CLSFeature},
		Score:          Score{Classification: 0.5, Map: 0.5, Medical: MedicalScore{Classification: 0.5, Map: 0.5}},
	}
}

// releasedModel departs from paperModel where the released code departs from the equations.
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

// Clone returns a copy that shares no list with m.
func (m Model) Clone() Model {
	m.Adapter.Kernels = slices.Clone(m.Adapter.Kernels)
	return m
}
