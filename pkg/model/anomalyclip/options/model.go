// Package options defines AnomalyCLIP's configuration: its model: and loss: sections and
// its preset. It also recognises the files that its authors' code writes. It is pure Go.
package options

import (
	"fmt"
	"slices"
	"strings"

	"acdclip/pkg/clip/activation"
	"acdclip/pkg/config/section"
)

// Model holds the model's options. Blocks are counted from 1.
type Model struct {
	ImageSize  int                   `json:"image_size" range:"[1,16384]" runtime:"yes" doc:"side in pixels of the square that pictures are resized to; a multiple of CLIP's patch size"`
	Activation activation.Activation `json:"activation" runtime:"yes" doc:"the towers' activation; auto: the one that the CLIP file names"`
	Position   Position              `json:"position" runtime:"yes" doc:"interpolation of the position embedding at an image size that CLIP was not trained with"`

	Words      int        `json:"words" range:"[1,1024]" doc:"E: learned words in each of the two prompts"`
	Depth      int        `json:"depth" range:"[1,1024]" doc:"M: deep tokens enter the text blocks 2 to M; 1: none"`
	Tokens     int        `json:"tokens" range:"[1,1024]" doc:"t: deep tokens of each block; at most words"`
	DeepTokens DeepTokens `json:"deep_tokens" runtime:"yes" doc:"half: deep tokens are rounded to float16 where they enter, as in the released code; float: they are not"`

	VVFrom      int     `json:"vv_from" range:"[0,1024]" open:"zero" runtime:"yes" doc:"f: first vision block with value-value attention; 0: a quarter of the blocks, 6 of 24"`
	Levels      []int   `json:"levels" range:"[1,1024]" runtime:"yes" doc:"vision blocks whose patch tokens are compared with the text; []: the last block, as the released weights need"`
	Temperature float64 `json:"temperature" range:"(0,inf)" runtime:"yes" doc:"tau, which similarities are divided by"`
	Sigma       float64 `json:"sigma" range:"[0,1024]" runtime:"yes" doc:"standard deviation in pixels of the Gaussian that smooths maps; 0: no smoothing"`
}

// Loss is the training objective:
//
//	L = CE(class logits, label) + Lambda * sum over levels of (focal + dice of the abnormal map + dice of the normal map)
type Loss struct {
	Lambda float64 `json:"lambda" range:"[0,inf)" doc:"weight of the maps' focal and dice terms; that of the class logits' cross-entropy is 1"`
}

// For returns the options for a vision tower of depth blocks: VVFrom and Levels are never
// left open.
func (m Model) For(depth int) Model {
	if m.VVFrom == 0 {
		m.VVFrom = max(1, depth/4)
	}
	m.Levels = slices.Clone(m.Levels)
	if len(m.Levels) == 0 {
		m.Levels = []int{depth}
	}
	return m
}

// Input returns how CLIP must be loaded.
func (m *Model) Input() section.Input {
	return section.Input{Size: m.ImageSize, Activation: m.Activation, Positions: string(m.Position)}
}

// Variant identifies the model by the numbers of its learned tokens.
func (m *Model) Variant() section.Variant {
	label := fmt.Sprintf("M=%d E=%d t=%d", m.Depth, m.Words, m.Tokens)
	return section.Variant{
		Slug: fmt.Sprintf("anomalyclip-m%d-e%d-t%d", m.Depth, m.Words, m.Tokens), Label: label, Long: fmt.Sprintf("%s levels %s", label, m.levels()),
		Fields: []section.Field{{Name: "depth", Value: m.Depth}, {Name: "words", Value: m.Words}, {Name: "tokens", Value: m.Tokens}, {Name: "levels", Value: m.levels()}},
	}
}

// Facts describe the model to a reader.
func (m *Model) Facts() []section.Fact {
	return []section.Fact{
		{Name: "learned words", Text: fmt.Sprintf("%d in each prompt", m.Words)},
		{Name: "deep tokens", Text: m.deep()},
		{Name: "levels", Text: m.levels()},
		{Name: "image size", Text: fmt.Sprint(m.ImageSize)},
	}
}

func (m *Model) deep() string {
	if m.Depth == 1 {
		return "none"
	}
	return fmt.Sprintf("%d in each of the text blocks 2 to %d", m.Tokens, m.Depth)
}

func (m *Model) levels() string {
	if len(m.Levels) == 0 {
		return "last"
	}
	return strings.Trim(fmt.Sprint(m.Levels), "[]")
}
