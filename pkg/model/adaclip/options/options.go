// Package options defines AdaCLIP's configuration: its model: and loss: sections and its
// preset. It also recognises the files that its authors' code writes. It is pure Go.
package options

import (
	"cmp"
	"fmt"
	"strings"

	"acdclip/pkg/clip/activation"
	"acdclip/pkg/config/section"
)

// Model holds the model's options.
type Model struct {
	ImageSize    int                   `json:"image_size" range:"[1,16384]" runtime:"yes" doc:"S: side in pixels of the square that pictures are resized to; a multiple of CLIP's patch size"`
	Activation   activation.Activation `json:"activation" runtime:"yes" doc:"the towers' activation; auto: the one that the CLIP file names"`
	Position     Position              `json:"position" runtime:"yes" doc:"how the position embedding is resized to another image size"`
	Depth        int                   `json:"depth" range:"[0,256]" open:"zero" doc:"J: number of blocks at the start of each tower that learned tokens enter; the text tower's first block has none"`
	Length       int                   `json:"length" range:"[1,1024]" doc:"m: number of learned tokens per block"`
	VisionTokens Tokens                `json:"vision_tokens" doc:"learned tokens of the vision tower: static are parameters, dynamic are linear maps of the picture's class embedding"`
	TextTokens   Tokens                `json:"text_tokens" doc:"learned tokens of the text tower"`
	Names        Names                 `json:"names" runtime:"yes" doc:"names of classes in prompts: folder: as in the released code, the folder's name with its _; table: the names that the other methods use"`
	PromptTokens Precision             `json:"prompt_tokens" runtime:"yes" doc:"half: learned tokens are rounded to float16, as in the released code; float: they are not"`
	Levels       []int                 `json:"levels" range:"[1,256]" runtime:"yes" doc:"blocks of the vision tower whose patch tokens are compared with the text, ascending, from 1; []: the quarters of its depth"`
	HSF          HSF                   `json:"hsf"`
	Sigma        float64               `json:"sigma" range:"[0,1024]" runtime:"yes" doc:"standard deviation in pixels of the Gaussian that smooths the anomaly map; 0: no smoothing"`
}

// HSF holds the options of the hybrid semantic fusion: the most abnormal patches are
// clustered, and the mean of the clusters' means is blended with the class embedding.
type HSF struct {
	Clusters int     `json:"clusters" range:"[1,1024]" runtime:"yes" doc:"K: number of clusters, which are made of the 5 K most abnormal patches"`
	Weight   float64 `json:"weight" range:"[0,1]" runtime:"yes" doc:"weight of the cluster feature in the image feature; 0: the class embedding alone, without clustering"`
	Seed     int64   `json:"seed" range:"[0,4294967295]" runtime:"yes" doc:"seed of the clustering, which starts anew for every picture"`
}

// Loss is the training objective:
//
//	L = Focal(image probability) + sum over levels [ Focal(map) + Dice(abnormal map, mask) + Dice(normal map, 1 - mask) ]
type Loss struct {
	DiceOver DiceOver `json:"dice_over" doc:"the dice term is a mean over rows of pixels, as in the released code, or over pictures; auto: rows in a batch of one picture, else pictures"`
}

// quarters is the number of levels when Levels is empty.
const quarters = 4

// LevelsFor returns the blocks that are compared with the text in a vision tower of that
// depth: Levels, or the quarters of the depth.
func (m *Model) LevelsFor(depth int) []int {
	if len(m.Levels) > 0 {
		return m.Levels
	}
	return parts(depth, quarters)
}

// parts returns the last block of each of count equal parts of a tower.
func parts(depth, count int) []int {
	blocks := make([]int, count)
	for i := range blocks {
		blocks[i] = (i + 1) * depth / count
	}
	return blocks
}

// defaultDepth is the number of blocks with learned tokens when Depth is 0.
const defaultDepth = 4

// NumBlocks is J, the number of blocks that learned tokens enter: Depth, or 4 if Depth is 0.
func (m *Model) NumBlocks() int { return cmp.Or(m.Depth, defaultDepth) }

// NumLevels is the number of levels.
func (m *Model) NumLevels() int { return len(m.LevelsFor(0)) }

// Contradictions lists combinations of valid options that are invalid together.
func (m *Model) Contradictions() []*section.Error {
	for i, level := range m.Levels {
		if i > 0 && level <= m.Levels[i-1] {
			return []*section.Error{{
				Key:     "model.levels",
				Problem: fmt.Sprintf("must be ascending, but %d follows %d", level, m.Levels[i-1]),
			}}
		}
	}
	return nil
}

// Contradictions returns nil.
func (l *Loss) Contradictions() []*section.Error { return nil }

// Input returns how CLIP must be loaded.
func (m *Model) Input() section.Input {
	return section.Input{Size: m.ImageSize, Activation: m.Activation, Positions: string(m.Position)}
}

// Variant identifies the model by its learned tokens.
func (m *Model) Variant() section.Variant {
	label := fmt.Sprintf("J=%d m=%d", m.NumBlocks(), m.Length)
	return section.Variant{
		Slug: fmt.Sprintf("adaclip-j%dm%d", m.NumBlocks(), m.Length), Label: label, Long: fmt.Sprintf("%s vision %s, text %s", label, m.VisionTokens, m.TextTokens),
		Fields: []section.Field{
			{Name: "depth", Value: m.NumBlocks()}, {Name: "length", Value: m.Length},
			{Name: "vision_tokens", Value: string(m.VisionTokens)}, {Name: "text_tokens", Value: string(m.TextTokens)},
		},
	}
}

// Facts describe the model to a reader.
func (m *Model) Facts() []section.Fact {
	levels := "the quarters of the vision tower"
	if len(m.Levels) > 0 {
		levels = "blocks " + strings.Trim(fmt.Sprint(m.Levels), "[]")
	}
	return []section.Fact{
		{Name: "learned tokens", Text: fmt.Sprintf("%d in each of the first %d blocks; vision %s, text %s", m.Length, m.NumBlocks(), m.VisionTokens, m.TextTokens)},
		{Name: "levels", Text: levels},
		{Name: "clusters", Text: fmt.Sprint(m.HSF.Clusters)},
		{Name: "image size", Text: fmt.Sprint(m.ImageSize)},
	}
}
