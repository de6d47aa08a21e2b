// Package section defines the interfaces of a method's configuration sections, model: and
// loss:. A section is a struct that declares its keys in field tags, as the sections in
// pkg/config do:
//
//	json    the key
//	range   the permitted numbers, as in "(0,1]" or "[1,inf)"
//	doc     the meaning, in one line
//	runtime "yes": may differ between training and scoring
//	initial "yes": affects only the initial values of training
//	open    the value that leaves the option to be taken from CLIP or the trained parameters:
//	        a text, or "zero" for 0 and the empty list
//
// A string type with a method Values() []string permits only those values.
package section

import (
	"strings"

	"acdclip/pkg/clip/activation"
)

// Section is a pointer to a method's struct of options.
type Section interface {
	// Contradictions lists combinations of valid values that are invalid together.
	Contradictions() []*Error
}

// Model is a method's model: section.
type Model interface {
	Section
	// Input is how the model needs CLIP to be loaded.
	Input() Input
	// Variant identifies this model among the models of the same method.
	Variant() Variant
	// Facts describe the model to a reader, the most important first.
	Facts() []Fact
}

// Input is how a model needs CLIP to be loaded.
type Input struct {
	Size       int                   // side in pixels of the square that pictures are resized to
	Activation activation.Activation // of the towers
	Positions  string                // how the vision tower's position embedding is resized to Size, by a name of clip.PositionResizes; "": the default
}

// ScoreRule is how the image scores of an evaluation follow from those of the method.
type ScoreRule string

const (
	// EachPicture takes the method's score of each picture.
	EachPicture ScoreRule = ""
	// ClassRange scales the class probability and the map's maximum to [0, 1] by their
	// ranges over the pictures of a class; the score is half their sum. The maximum is that of
	// the method's own map, which need not lie in [0, 1].
	ClassRange ScoreRule = "class_range"
)

// SetScorer is a Model that scores the pictures of a class together in an evaluation.
type SetScorer interface{ ScoreRule() ScoreRule }

// MapScaler is a Model whose maps hold what a heat map should show in a part of [0, 1].
type MapScaler interface{ MapScale() (low, high float32) }

// MapScale returns the map values at the ends of the color scale of a model's heat maps.
func MapScale(m Model) (low, high float32) {
	if scaler, ok := m.(MapScaler); ok {
		return scaler.MapScale()
	}
	return 0, 1
}

// ClassNamer is a Model that names classes in its prompts by its own rule.
type ClassNamer interface{ PromptName(Class) string }

// Class is what is known of the name of a class of pictures.
type Class struct {
	Benchmark string // the key of the benchmark that it belongs to; "" for others
	Name      string // of its folder or in its list, or as the user gave it
	Prompt    string // its name in prompts by the usual rule
	Chosen    bool   // the user chose Prompt
}

// ClassNamed returns the class that a user names. _ stands for a space in its prompts.
func ClassNamed(name string) Class {
	return Class{Name: name, Prompt: strings.ReplaceAll(name, "_", " ")}
}

// PromptName returns a class's name in the prompts of a model.
func PromptName(m Model, c Class) string {
	if namer, ok := m.(ClassNamer); ok {
		return namer.PromptName(c)
	}
	return c.Prompt
}

// CheckpointNeeder is a Model that needs trained parameters or not, depending on its options.
type CheckpointNeeder interface{ NeedsCheckpoint() bool }

// Variant identifies a model among the models of the same method.
type Variant struct {
	Slug   string  // for names of run folders, unique among all methods: "n3"
	Label  string  // for tables, "N=3"
	Long   string  // for tables with ablations, "N=3 conv_lora+dfg"
	Fields []Field // stored in results
}

// Field is a named value in results: a text or a whole number.
type Field struct {
	Name  string
	Value any // string or int
}

// Fact is one name-value line in a description.
type Fact struct{ Name, Text string }
