// Package options defines WinCLIP's configuration: its model: section and its presets. It
// is pure Go.
package options

import (
	"fmt"
	"slices"
	"strings"

	"acdclip/pkg/clip/activation"
	"acdclip/pkg/config/section"
	"acdclip/pkg/model/card"
)

// Name is the method's name in configurations.
const Name = "winclip"

// The presets, named after the two public implementations.
const (
	Anomalib   = "anomalib"   // open-edge-platform/anomalib, the closer to the paper
	CaoYunkang = "caoyunkang" // caoyunkang/WinClip
)

// Card describes the method.
func Card() card.Card {
	return card.Card{
		Name: Name, Title: "WinCLIP",
		Doc:  "CLIP's own embeddings of the picture and of windows of patches, compared with prompts for both states; nothing is trained",
		Long: long,
		Presets: []card.Preset{
			{Name: Anomalib, Model: func() section.Model { return new(anomalib()) }},
			{Name: CaoYunkang, Model: func() section.Model { return new(caoYunkang()) }},
		},
	}
}

// Preset returns the options of a preset. The caller owns the result.
func Preset(name string) (model Model, known bool) {
	switch name {
	case Anomalib:
		return anomalib(), true
	case CaoYunkang:
		return caoYunkang(), true
	}
	return Model{}, false
}

// Model is the model: section. It holds everything in which the two implementations differ.
type Model struct {
	ImageSize   int                   `json:"image_size" range:"[1,16384]" runtime:"yes" doc:"side in pixels of the square that pictures are resized to; a multiple of CLIP's patch size"`
	Activation  activation.Activation `json:"activation" runtime:"yes" doc:"the towers' activation; auto: the one that the CLIP file names"`
	Windows     []int                 `json:"windows" range:"[1,1024]" runtime:"yes" doc:"sides of the windows, in patches"`
	Prompts     Prompts               `json:"prompts" runtime:"yes" doc:"prompts of which implementation: anomalib or caoyunkang"`
	Temperature float64               `json:"temperature" range:"(0,inf)" runtime:"yes" doc:"tau, which cosines are divided by"`
	Mean        Mean                  `json:"mean" runtime:"yes" doc:"abnormal: harmonic means of the probability of abnormal; normal: of normal, and the map is half of 1 - the mean"`
	ImageScale  bool                  `json:"image_scale" runtime:"yes" doc:"the whole picture's score counts as one more scale of the map"`
	Score       Score                 `json:"score" runtime:"yes" doc:"the image score: class: the whole picture's probability; map_max: the maximum of the map"`
}

// Prompts names a set of prompts.
type Prompts string

// Values lists the sets of prompts.
func (Prompts) Values() []string { return []string{Anomalib, CaoYunkang} }

// Mean is the state whose probability is averaged harmonically.
type Mean string

const (
	MeanAbnormal Mean = "abnormal" // one window that looks normal pulls a patch down
	MeanNormal   Mean = "normal"   // one window that looks abnormal pulls a patch up
)

// Values lists the means.
func (Mean) Values() []string { return []string{string(MeanAbnormal), string(MeanNormal)} }

// Score is the rule for the image score.
type Score string

const (
	ScoreClass  Score = "class"
	ScoreMapMax Score = "map_max"
)

// Values lists the rules.
func (Score) Values() []string { return []string{string(ScoreClass), string(ScoreMapMax)} }

func anomalib() Model {
	return Model{
		ImageSize: 240, Activation: activation.Auto, Windows: []int{2, 3}, Prompts: Anomalib, Temperature: 0.07,
		Mean: MeanAbnormal, ImageScale: true, Score: ScoreClass,
	}
}

func caoYunkang() Model {
	return Model{
		ImageSize: 240, Activation: activation.Auto, Windows: []int{2, 3}, Prompts: CaoYunkang, Temperature: 0.01,
		Mean: MeanNormal, Score: ScoreMapMax,
	}
}

// Contradictions lists combinations of valid options that are invalid together.
func (m *Model) Contradictions() []*section.Error {
	if len(m.Windows) == 0 {
		return []*section.Error{{Key: "model.windows", Problem: "lists no window size"}}
	}
	for i, side := range m.Windows {
		if slices.Contains(m.Windows[:i], side) {
			return []*section.Error{{Key: "model.windows", Problem: fmt.Sprintf("lists %d twice", side)}}
		}
	}
	return nil
}

// Input returns how CLIP must be loaded.
func (m *Model) Input() section.Input {
	return section.Input{Size: m.ImageSize, Activation: m.Activation}
}

// MapScale returns the range of the maps, which are halved with the mean of normal.
func (m *Model) MapScale() (low, high float32) {
	if m.Mean == MeanNormal {
		return 0, 0.5
	}
	return 0, 1
}

// Variant identifies the model by its windows.
func (m *Model) Variant() section.Variant {
	windows := m.windows()
	label := "windows " + windows
	return section.Variant{
		Slug: "winclip-w" + strings.ReplaceAll(windows, ",", "-"), Label: label, Long: fmt.Sprintf("%s %s tau=%g", label, m.Prompts, m.Temperature),
		Fields: []section.Field{{Name: "windows", Value: windows}},
	}
}

// Facts describe the model to a reader.
func (m *Model) Facts() []section.Fact {
	return []section.Fact{
		{Name: "windows", Text: fmt.Sprintf("%s patches, harmonic mean of %s", m.windows(), m.Mean)},
		{Name: "prompts", Text: fmt.Sprintf("%s, temperature %g", m.Prompts, m.Temperature)},
		{Name: "image score", Text: string(m.Score)},
		{Name: "image size", Text: fmt.Sprint(m.ImageSize)},
	}
}

func (m *Model) windows() string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(m.Windows), " ", ","), "[]")
}

// long says what the method was checked against, and what is known to differ from published numbers.
const long = `Checked against anomalib (b7233686) with open_clip 2.24 (preset anomalib) and against caoyunkang's WinCLIP (preset caoyunkang), step by step. The authors published no code. Both implementations disagree in prompts, windows, means and scores.
Made for open_clip's ViT-B/16+ at 240 pixels, trained on LAION-400M.
Known to differ from the published numbers: neither implementation is known to reach them. anomalib with open_clip 2.26.1 or later computes something else: its windows attend across pictures. Few-shot (WinCLIP+) is not included.`
