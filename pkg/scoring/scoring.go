// Package scoring defines the interface between code that needs pictures scored and the
// detectors that score them: the work to do and the result for each picture. It is pure
// Go, so that evaluations can be tested without libtorch.
package scoring

import (
	"context"
	"slices"
	"strings"

	"acdclip/pkg/anomalymap"
	"acdclip/pkg/clip/activation"
	"acdclip/pkg/conditions"
	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/domain"
	"acdclip/pkg/events"
	"acdclip/pkg/report"
)

// Scored is the method's result for one picture.
type Scored struct {
	Picture          pixels.Picture
	Score, MapMax    float32              // in [0, 1]
	ClassProbability *float32             // in [0, 1]; nil if the method has none
	Map              *anomalymap.Map      // [S, S], in [0, 1]; of a picture that was cut into tiles [H, W], see tiling.Blend
	RawMap           *anomalymap.Map      // [S, S], the method's own map; nil if it is Map, or was not wanted
	RawMapMax        *float32             // largest value of the method's own map; nil if that map is Map
	Extras           map[string][]float32 // the method's extra outputs for this picture, by name; see model.Extra
	Err              error                // why there is no score; if set, the numbers are not
}

// Work is a list of pictures to score.
type Work struct {
	Items   []data.Item
	Classes domain.Classes
	ClassOf []int              // [len(Items)], the index of each item's class in Classes
	Batches [][]int            // item indexes of each batch, in scoring order; no batch is empty
	Load    pixels.LoadOptions // how pictures are read; the scorer sets Size, Order and Ahead
	Costs   *Costs
	RawMaps bool // RawMap of Scored is wanted; pictures that are cut into tiles have none

	TileBatch int                // tiles per forward pass, for pictures that Load.Tiles cuts
	Emit      func(events.Event) // receives the progress of pictures with many tiles
	Stage     string             // the stage that they belong to

	BatchKey string // name of the flag or key that sets the batch size, for messages
}

// Scorer scores pictures.
type Scorer interface {
	// Size is the side S of the maps and masks in pixels.
	Size() int
	// ScoreAll reads and scores the pictures batch by batch and calls each for every
	// picture, also for those that cannot be read. It stops at the first error that each
	// returns.
	ScoreAll(ctx context.Context, work Work, each func(Scored) error) error
}

// Detector is a Scorer that holds memory until it is closed.
type Detector interface {
	Scorer
	Close()
}

// Machine describes the CLIP, the software and the hardware that scores depend on.
type Machine struct {
	CLIP       report.Source
	Activation activation.Activation // the CLIP's own activation, which "auto" selects
	Device     string                // "cpu", "cuda:0"
	Threads    int
	Libtorch   string // its version
	Hardware   string // instruction set of the CPU, or the GPU's name
}

// Conditions returns what scores depend on in their last digits.
func (m Machine) Conditions() conditions.Record {
	kind, _, _ := strings.Cut(m.Device, ":") // the index of the GPU does not matter
	return conditions.Record{
		conditions.Of(conditions.Bits, "libtorch's version", m.Libtorch),
		conditions.Of(conditions.Bits, "device", kind),
		conditions.Of(conditions.Bits, "hardware", m.Hardware),
		conditions.Of(conditions.Bits, "threads", m.Threads),
	}
}

// Classes is a list of distinct prompt names that knows their indexes.
type Classes struct {
	Prompts []string
	indexes map[string]int
}

// Place returns the index of a prompt name in the list. It appends a new name.
func (c *Classes) Place(prompt string) int {
	index, known := c.indexes[prompt]
	if !known {
		if c.indexes == nil {
			c.indexes = map[string]int{}
		}
		index = len(c.Prompts)
		c.indexes[prompt] = index
		c.Prompts = append(c.Prompts, prompt)
	}
	return index
}

// Chunks splits the indexes 0 to count-1 into consecutive batches of the given size.
func Chunks(count, size int) [][]int {
	all := make([]int, count)
	for i := range all {
		all[i] = i
	}
	return slices.Collect(slices.Chunk(all, size))
}
