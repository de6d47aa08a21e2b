// Package scoring is where those who want pictures scored meet what scores them: the
// work that is asked for, and what is said of each picture. It is pure Go, so that an
// evaluation is tested without libtorch.
package scoring

import (
	"context"
	"slices"

	"acdclip/pkg/anomalymap"
	"acdclip/pkg/clip/activation"
	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/domain"
	"acdclip/pkg/report"
)

// Scored is one picture and what the method says of it.
type Scored struct {
	Picture          pixels.Picture
	Score, MapMax    float32              // in [0, 1]
	ClassProbability *float32             // in [0, 1]; nil where the method has none
	Map              *anomalymap.Map      // [S, S], in [0, 1]
	Extras           map[string][]float32 // the method's other outputs of this picture, by name; see model.Extra
	Err              error                // why there is no score; then the numbers are not set
}

// Work is a list of pictures to score.
type Work struct {
	Items   []data.Item
	Classes domain.Classes
	ClassOf []int              // [len(Items)], the place of each item's class in Classes
	Batches [][]int            // the places of the items that are scored at once, in this order; none is empty
	Load    pixels.LoadOptions // how pictures are read; Size, Order and Ahead are the scorer's
	Costs   *Costs

	BatchKey string // what sets the number of pictures at once, for messages
}

// Scorer scores pictures.
type Scorer interface {
	// Size is the side S of the maps, and of the masks beside them, in pixels.
	Size() int
	// ScoreAll reads and scores the pictures batch by batch and hands each to each, also
	// those that cannot be read. It stops at each's first error.
	ScoreAll(ctx context.Context, work Work, each func(Scored) error) error
}

// Detector is a Scorer that holds memory until it is closed.
type Detector interface {
	Scorer
	Close()
}

// Machine is what scores besides the method: it decides the bits of the numbers.
type Machine struct {
	CLIP       report.Source
	Activation activation.Activation // of CLIP's own: what "auto" stands for
	Device     string                // "cpu", "cuda:0"
	Threads    int
	Libtorch   string // its version
	Hardware   string // instructions of the processor, or a GPU's name
}

// Classes is a list of prompt names, each once, with their places.
type Classes struct {
	Prompts []string
	places  map[string]int
}

// Place gives a class's place in the list, at whose end it is put when it is new.
func (c *Classes) Place(prompt string) int {
	place, known := c.places[prompt]
	if !known {
		if c.places == nil {
			c.places = map[string]int{}
		}
		place = len(c.Prompts)
		c.places[prompt] = place
		c.Prompts = append(c.Prompts, prompt)
	}
	return place
}

// Chunks are the numbers below count, in pieces of size.
func Chunks(count, size int) [][]int {
	all := make([]int, count)
	for i := range all {
		all[i] = i
	}
	return slices.Collect(slices.Chunk(all, size))
}
