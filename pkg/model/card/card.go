// Package card says what the anomaly detection methods are without running them:
// their names, options and presets, what they need, and the files that their authors
// have published. It is pure Go.
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
	Name    string   // as the configuration and checkpoints call it
	Title   string   // as its authors call it
	Doc     string   // what it is, in a line
	Presets []Preset // complete sets of options; the first is the default

	// NeedsCheckpoint says that nothing can be scored without trained parameters.
	NeedsCheckpoint bool
	// Learns says that the method can be trained on an auxiliary dataset.
	Learns bool

	// Released recognises a file of trained parameters that the method's authors have
	// published. It returns nil for any other file. nil: there are no such files.
	Released func(File) (*Released, error)
}

// Preset is a complete set of a method's options. Each call gives a new one.
type Preset struct {
	Name  string
	Model func() section.Model
	Loss  func() section.Section // nil for a method that learns nothing
}

// File is what a file of weights says of its content.
type File struct {
	Shapes  map[string][]int64 // of its tensors, by name
	Scalars map[string]any     // numbers and texts beside the tensors
}

// Released is a file of trained parameters as a method's authors publish it.
type Released struct {
	Preset string
	Model  section.Model
	Loss   section.Section
	Epoch  int               // epochs trained; 0 where it is not said
	Names  map[string]string // the file's name of each of the method's parameters
}

// ErrUnknown reports a name that no method has.
var ErrUnknown = errors.New("there is no such method")

// List are the methods that there are; the first is the default.
type List []Card

// Names lists the methods' names.
func (l List) Names() []string {
	names := make([]string, len(l))
	for i, c := range l {
		names[i] = c.Name
	}
	return names
}

// Find gives the method of that name; else the error wraps ErrUnknown.
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
	return Card{}, fmt.Errorf("%w: %s; there are %s", ErrUnknown, text, strings.Join(l.Names(), ", "))
}

// PresetNames lists the names of the presets.
func (c Card) PresetNames() []string {
	names := make([]string, len(c.Presets))
	for i, p := range c.Presets {
		names[i] = p.Name
	}
	return names
}

// Preset gives the preset of that name.
func (c Card) Preset(name string) (preset Preset, known bool) {
	for _, p := range c.Presets {
		if p.Name == name {
			return p, true
		}
	}
	return Preset{}, false
}
