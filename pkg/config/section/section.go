// Package section is what a method's own sections of the configuration, model: and
// loss:, have in common. A section is a struct that lists its keys in tags, as
// pkg/config's own sections do:
//
//	json    the key
//	range   the numbers that are permitted, as in "(0,1]" or "[1,inf)"
//	doc     what it means, in a line
//	runtime "yes": may differ between training and scoring
//	initial "yes": decides the values that training begins with, and nothing later
//	open    "zero": 0 leaves the value open, for CLIP or the trained parameters to tell
//
// A string type with a method Values() []string permits those values alone.
package section

import "acdclip/pkg/clip/activation"

// Section is a pointer to a method's struct of options.
type Section interface {
	// Contradictions lists what is wrong with values that are possible each by itself.
	Contradictions() []*Error
}

// Model is a method's model: section.
type Model interface {
	Section
	// InputSize is the side in pixels of the square that pictures are resized to.
	InputSize() int
	// TowerActivation is that of CLIP's towers.
	TowerActivation() activation.Activation
	// Variant tells the models of one method apart.
	Variant() Variant
	// Facts describe the model to a reader, the most telling first.
	Facts() []Fact
}

// Variant tells the models of one method apart.
type Variant struct {
	Slug   string  // for names of folders, "n3"
	Label  string  // for tables, "N=3"
	Long   string  // for tables with ablations, "N=3 conv_lora+dfg"
	Fields []Field // what results keep of it
}

// Field is a named value of results: a text or a whole number.
type Field struct {
	Name  string
	Value any // string or int
}

// Fact is a named line of a description.
type Fact struct{ Name, Text string }
