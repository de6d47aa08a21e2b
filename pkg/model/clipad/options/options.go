// Package options defines CLIP-AD's configuration: its model: and loss: sections and its
// preset. It also recognises the files that its authors' code writes. It is pure Go.
package options

import (
	"fmt"
	"slices"

	"acdclip/pkg/clip/activation"
	"acdclip/pkg/config/section"
	"acdclip/pkg/model/card"
)

// Name is the method's name in configurations and checkpoints.
const Name = "clip_ad"

// Released is the only preset: what the authors' scripts run.
const Released = "released"

// Card describes the method. Whether it needs a checkpoint depends on the variant.
func Card() card.Card {
	return card.Card{
		Name: Name, Title: "CLIP-AD",
		Doc:  "a second, value-value attention path beside CLIP's own; SDP trains nothing, SDP+ trains a linear layer per level",
		Long: long,
		Presets: []card.Preset{{
			Name:   Released,
			Model:  func() section.Model { return new(Default()) },
			Loss:   func() section.Section { return &Loss{Focal: 1, Dice: 1} },
			Recipe: card.Recipe{Epochs: 5, Batch: 8, TextRate: 1e-4, VisionRate: 1e-4, RateDecay: 1, Beta1: 0.9, BilinearMasks: true},
		}},
		Learns:   true,
		Released: released,
	}
}

// Model is the model: section.
type Model struct {
	ImageSize  int                   `json:"image_size" range:"[1,16384]" runtime:"yes" doc:"side in pixels of the square that pictures are resized to; a multiple of CLIP's patch size"`
	Activation activation.Activation `json:"activation" runtime:"yes" doc:"the towers' activation; auto: the one that the CLIP file names"`
	Kind       Kind                  `json:"variant" open:"auto" doc:"sdp: nothing is trained; sdp_plus: linear layers are trained; auto: sdp_plus with a checkpoint and in training, else sdp"`
	Levels     []int                 `json:"levels" range:"[1,1024]" open:"zero" doc:"blocks after which features are read, ascending, each the end of a quarter of the vision tower; []: all four"`
	Text       Text                  `json:"text"`
	Sigma      float64               `json:"sigma" range:"[0,1024]" runtime:"yes" doc:"Gaussian smoothing of the map in pixels; the authors take 8, and 2 for SDP+ on VisA"`
	Score      Score                 `json:"score" runtime:"yes" doc:"image score: probability: the class probability; auto or dataset: in eval, the mean of it and the map's maximum, each scaled by its range over a class's pictures, and in predict the class probability"`
}

// Text chooses the representative vector of each state among its prompts' embeddings.
type Text struct {
	Select Select  `json:"select" runtime:"yes" doc:"cluster: the mean of the largest cluster (DBSCAN); mean: the mean of all"`
	Radius float64 `json:"radius" range:"(0,2]" runtime:"yes" doc:"DBSCAN's radius; the authors take 0.5, and 1.5 for VisA"`
	Count  int     `json:"count" range:"[1,1024]" runtime:"yes" doc:"DBSCAN's number of neighbours of a core point; the authors take 15, and 25 for VisA"`
}

// Kind is SDP or SDP+.
type Kind string

const (
	Auto    Kind = "auto"
	SDP     Kind = "sdp"
	SDPPlus Kind = "sdp_plus"
)

// Values lists the kinds.
func (Kind) Values() []string { return []string{string(Auto), string(SDP), string(SDPPlus)} }

// Select is the way to choose the representative vector.
type Select string

const (
	Cluster Select = "cluster"
	Mean    Select = "mean"
)

// Values lists the ways.
func (Select) Values() []string { return []string{string(Cluster), string(Mean)} }

// Score is the rule for the image score.
type Score string

const (
	ScoreAuto        Score = "auto"
	ScoreDataset     Score = "dataset"
	ScoreProbability Score = "probability"
)

// Values lists the rules.
func (Score) Values() []string {
	return []string{string(ScoreAuto), string(ScoreDataset), string(ScoreProbability)}
}

// Loss is the training objective of SDP+: the sum over levels of both terms.
type Loss struct {
	Focal float64 `json:"focal" range:"[0,inf)" doc:"weight of the focal term"`
	Dice  float64 `json:"dice" range:"[0,inf)" doc:"weight of the dice term"`
}

// Contradictions lists combinations of valid options that are invalid together.
func (l *Loss) Contradictions() []*section.Error {
	if l.Focal != 0 || l.Dice != 0 {
		return nil
	}
	return []*section.Error{{Key: "loss.focal", Problem: "is 0, and so is loss.dice: there is nothing to train", Related: []string{"loss.dice"}}}
}

// Default returns the preset's options. The caller owns the result.
func Default() Model {
	return Model{
		ImageSize: 240, Activation: activation.Auto, Kind: Auto, Levels: []int{},
		Text: Text{Select: Cluster, Radius: 0.5, Count: 15}, Sigma: 8, Score: ScoreAuto,
	}
}

// Contradictions lists combinations of valid options that are invalid together.
func (m *Model) Contradictions() []*section.Error {
	for i, level := range m.Levels {
		if i > 0 && level <= m.Levels[i-1] {
			return []*section.Error{{Key: "model.levels", Problem: fmt.Sprintf("must be ascending, but %d follows %d", level, m.Levels[i-1])}}
		}
	}
	return nil
}

// Input returns how CLIP must be loaded.
func (m *Model) Input() section.Input {
	return section.Input{Size: m.ImageSize, Activation: m.Activation}
}

// NeedsCheckpoint reports whether the model has trained parameters.
func (m *Model) NeedsCheckpoint() bool { return m.Kind == SDPPlus }

// ScoreRule is the rule by which an evaluation scores the pictures of a class together.
func (m *Model) ScoreRule() section.ScoreRule {
	if m.Score == ScoreProbability {
		return section.EachPicture
	}
	return section.ClassRange
}

// MapScale returns the part of the maps' range that heat maps show: SDP+'s raw maps are in
// [0, K] in practice, which [-K, 2K] maps to the middle third; a raw value of 0 of SDP, whose
// anomalies are above, is one half.
func (m *Model) MapScale() (low, high float32) {
	if m.Kind == SDPPlus {
		return 1. / 3, 2. / 3
	}
	return 0.5, 1
}

// Variant identifies the model as SDP or SDP+.
func (m *Model) Variant() section.Variant {
	kind, label := SDP, "SDP"
	if m.Kind == SDPPlus {
		kind, label = SDPPlus, "SDP+"
	}
	return section.Variant{
		Slug: "clip_ad", Label: label, Long: fmt.Sprintf("%s %s sigma=%g", label, m.Text.Select, m.Sigma),
		Fields: []section.Field{{Name: "variant", Value: string(kind)}},
	}
}

// Facts describe the model to a reader.
func (m *Model) Facts() []section.Fact {
	levels := "ends of the four stages, unless model.levels says others"
	if len(m.Levels) > 0 {
		levels = fmt.Sprint(m.Levels)
	}
	text := string(m.Text.Select)
	if m.Text.Select == Cluster {
		text = fmt.Sprintf("%s, radius %g, count %d", text, m.Text.Radius, m.Text.Count)
	}
	return []section.Fact{
		{Name: "variant", Text: m.Variant().Label},
		{Name: "levels", Text: levels},
		{Name: "text", Text: text},
		{Name: "image size", Text: fmt.Sprint(m.ImageSize)},
	}
}

// Stages returns the last block of each of the four stages of a vision tower: the ends of its
// quarters, rounded up where the depth is no multiple of 4.
func Stages(depth int) ([]int, error) {
	if depth < 4 {
		return nil, fmt.Errorf("the vision tower has %d blocks; CLIP-AD needs at least 4", depth)
	}
	var ends []int
	for quarter := 1; quarter <= 4; quarter++ {
		ends = append(ends, (quarter*depth+3)/4)
	}
	return ends, nil
}

// LevelsFor returns the levels in a vision tower of that depth: Levels, or the ends of the
// four stages if it is empty. It returns an error if they do not fit.
func (m *Model) LevelsFor(depth int) ([]int, error) {
	ends, err := Stages(depth)
	if err != nil || len(m.Levels) == 0 {
		return ends, err
	}
	for _, level := range m.Levels {
		if !slices.Contains(ends, level) {
			return nil, fmt.Errorf("model.levels lists %d, but the quarters of this CLIP's vision tower end after blocks %d, %d, %d and %d", level, ends[0], ends[1], ends[2], ends[3])
		}
	}
	return slices.Clone(m.Levels), nil
}

// long says what the method was checked against, and what is known to differ from published numbers.
const long = `Checked against the authors' code in float32, step by step: SDP, SDP+, losses, gradients and two steps of training. The authors' linear layers are read.
Made for open_clip's ViT-B/16+ at 240 pixels, trained on LAION-400M.
Known to differ from the published numbers: the authors run in float16, take other prompts for medical pictures, which are not published, and set sigma, radius and count by hand for VisA. The paper's Table 1 does not say whether it has SDP or SDP+. In eval a picture's score depends on the other pictures of its class, as in the authors' code; predict gives the class probability.`
