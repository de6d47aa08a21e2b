package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"acdclip/pkg/config/section"
	"acdclip/pkg/paper"
)

// Checkpoint describes the file of a trained model.
type Checkpoint struct {
	Source
	Model     string // its name among the models that are compared; "" for one alone
	Method    string
	Preset    string
	Auxiliary string          // the dataset it was trained on, or "unknown"
	Variant   section.Variant // identifies it among the models of its method
	Seed      *uint64         // nil if unknown
	Setup     string          // hash of its training setup without the seed
}

// variant encodes a variant's fields as a JSON object.
type variant []section.Field

// MarshalJSON writes an object with a key for each field.
func (v variant) MarshalJSON() ([]byte, error) {
	var object bytes.Buffer
	fields := make([]field, len(v))
	for i, f := range v {
		fields[i] = field{f.Name, f.Value}
	}
	err := writeObject(&object, fields)
	return object.Bytes(), err
}

// checkpointHead and checkpointTail are the keys before and after those of the variant.
type checkpointHead struct {
	Source
	Model     string `json:"model,omitempty"`
	Method    string `json:"method"`
	Preset    string `json:"preset"`
	Auxiliary string `json:"auxiliary"`
}

type checkpointTail struct {
	Seed  *uint64 `json:"seed"`
	Setup string  `json:"setup"`
	Label string  `json:"label,omitempty"` // the variant's
	Long  string  `json:"long_label,omitempty"`
}

// MarshalJSON writes the variant's fields at the same level as the other fields.
func (c Checkpoint) MarshalJSON() ([]byte, error) {
	return joined(checkpointHead{c.Source, c.Model, c.Method, c.Preset, c.Auxiliary}, variant(c.Variant.Fields),
		checkpointTail{c.Seed, c.Setup, c.Variant.Label, c.Variant.Long})
}

// UnmarshalJSON decodes the output of MarshalJSON.
func (c *Checkpoint) UnmarshalJSON(text []byte) error {
	var head checkpointHead
	var tail checkpointTail
	if err := json.Unmarshal(text, &head); err != nil {
		return err
	}
	if err := json.Unmarshal(text, &tail); err != nil {
		return err
	}
	*c = Checkpoint{head.Source, head.Model, head.Method, head.Preset, head.Auxiliary, section.Variant{Label: tail.Label, Long: tail.Long}, tail.Seed, tail.Setup}
	names, values, err := others(text, "path", "fingerprint", "model", "method", "preset", "auxiliary", "seed", "setup", "label", "long_label")
	if err != nil {
		return err
	}
	for _, name := range names {
		var number int
		var word string
		switch {
		case json.Unmarshal(values[name], &number) == nil:
			c.Variant.Fields = append(c.Variant.Fields, section.Field{Name: name, Value: number})
		case json.Unmarshal(values[name], &word) == nil:
			c.Variant.Fields = append(c.Variant.Fields, section.Field{Name: name, Value: word})
		default:
			return fmt.Errorf("%s is neither a whole number nor a text", name)
		}
	}
	return nil
}

// paper identifies the model in the paper's tables.
func (c Checkpoint) paper() paper.Model {
	fields := map[string]any{}
	for _, f := range c.Variant.Fields {
		fields[f.Name] = f.Value
	}
	return paper.ModelOf(c.Method, fields)
}

// label names the variant; the long form also names the parts that an ablation changes.
func (c Checkpoint) label(long bool) string {
	text := c.Variant.Label
	if long {
		text = c.Variant.Long
	}
	if text != "" {
		return text
	}
	text = c.Method // a file of an earlier version
	for _, f := range c.Variant.Fields {
		text += fmt.Sprintf(" %s=%v", f.Name, f.Value)
	}
	return text
}

// variantColumns lists the names of all fields in the results' variants.
func (e *Evaluation) variantColumns() []string {
	var names []string
	for i := range e.Results {
		for _, f := range e.Results[i].Checkpoint.Variant.Fields {
			if !slices.Contains(names, f.Name) {
				names = append(names, f.Name)
			}
		}
	}
	return names
}

// field returns the value of a field of the variant; nil if it has no such field.
func (c Checkpoint) field(name string) any {
	for _, f := range c.Variant.Fields {
		if f.Name == name {
			return f.Value
		}
	}
	return nil
}
