// Package card describes anomaly detection methods without running them: their names,
// options and presets, their requirements, and the files that their authors published. It
// is pure Go.
package card

import (
	"errors"
	"fmt"
	"strings"

	"acdclip/pkg/config/section"
	"acdclip/pkg/spelling"
)

// Card describes one method.
type Card struct {
	Name    string   // its name in configurations and checkpoints
	Title   string   // the name that its authors use
	Doc     string   // description in one line
	Long    string   // for its page of help: what it was checked against, and what is known to differ from published numbers
	Presets []Preset // complete sets of options; the first is the default

	// NeedsCheckpoint is true if the method cannot score without trained parameters. A
	// section.CheckpointNeeder decides for itself; see Needs.
	NeedsCheckpoint bool
	// Learns is true if the method can be trained on an auxiliary dataset.
	Learns bool

	// Released recognises a file of trained parameters published by the method's authors.
	// It returns nil, nil for any other file. Released is nil if there are no such files.
	Released func(File) (*Released, error)
}

// Preset is a complete set of a method's options. Model and Loss return new values at each call.
type Preset struct {
	Name  string
	Model func() section.Model
	Loss  func() section.Section // nil for a method that learns nothing

	// Recipe is the default training recipe; the zero Recipe stands for DefaultRecipe.
	Recipe Recipe
}

// Recipe is how a method is trained by default; see config.Train.
type Recipe struct {
	Epochs, Batch        int
	TextRate, VisionRate float64 // Adam's initial learning rates
	RateDecay            float64 // the rates are multiplied by it after each epoch
	Beta1                float64 // Adam's
	WeightDecay          float64 // 0: Adam, else AdamW
	Shuffle, Augment     bool
	Mosaic               float64 // chance of each picture to be replaced by a mosaic of four
	BilinearMasks        bool    // masks are scaled bilinearly, not to the nearest pixel
}

// DefaultRecipe is ACD-CLIP's. It also serves methods that learn nothing.
func DefaultRecipe() Recipe {
	return Recipe{Epochs: 20, Batch: 6, TextRate: 5e-4, VisionRate: 1e-3, RateDecay: 0.9, Beta1: 0.9, Shuffle: true, Augment: true}
}

// File describes the content of a weights file.
type File struct {
	Name    string             // its file name, without folders
	Shapes  map[string][]int64 // shapes of its tensors, by name
	Scalars map[string]any     // numbers and texts stored with the tensors
}

// Released describes a file of trained parameters published by a method's authors.
type Released struct {
	Preset string
	Model  section.Model
	Loss   section.Section
	Epoch  int               // epochs trained; 0 if unknown
	Names  map[string]string // the tensor name in the file for each of the method's parameters
	Unused []string          // names of tensors in the file that the method does not use

	// Auxiliary is the dataset that the file was trained on, as far as its name tells; "" if
	// it does not. Companions are the further datasets that the authors trained on beside
	// each, by any spelling of the names (see data.SameDataset).
	Auxiliary  string
	Companions map[string][]string
}

// ErrUnknown reports an unknown method name.
var ErrUnknown = errors.New("unknown method")

// List is a list of methods; the first is the default.
type List []Card

// Names lists the methods' names.
func (l List) Names() []string {
	names := make([]string, len(l))
	for i, c := range l {
		names[i] = c.Name
	}
	return names
}

// Find returns the method with that name. Otherwise the error wraps ErrUnknown.
func (l List) Find(name string) (Card, error) {
	for _, c := range l {
		if c.Name == name {
			return c, nil
		}
	}
	text := fmt.Sprintf("%q", name)
	if near := spelling.Nearest(name, l.Names()); near != "" {
		text += fmt.Sprintf(" (did you mean %s?)", near)
	}
	return Card{}, fmt.Errorf("%w %s; the methods are %s", ErrUnknown, text, strings.Join(l.Names(), ", "))
}

// Needs reports whether a model of the method needs trained parameters.
func (c Card) Needs(own section.Model) bool {
	if needer, ok := own.(section.CheckpointNeeder); ok {
		return needer.NeedsCheckpoint()
	}
	return c.NeedsCheckpoint
}

// PresetNames lists the names of the presets.
func (c Card) PresetNames() []string {
	names := make([]string, len(c.Presets))
	for i, p := range c.Presets {
		names[i] = p.Name
	}
	return names
}

// Preset returns the preset with that name.
func (c Card) Preset(name string) (preset Preset, known bool) {
	for _, p := range c.Presets {
		if p.Name == name {
			return p, true
		}
	}
	return Preset{}, false
}
