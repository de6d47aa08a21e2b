// Package checkpoint reads and writes the trained parameters of a method: the project's
// own safetensors files, and the files that the methods' authors have published.
package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"acdclip/pkg/atomicfile"
	"acdclip/pkg/config"
	"acdclip/pkg/config/section"
	"acdclip/pkg/contents"
	"acdclip/pkg/model/card"
	"acdclip/pkg/weights"
)

// FormatVersion is the version of the files that Write makes.
const FormatVersion = 2

// Unknown stands for an auxiliary dataset that a file does not name, as one of a method's authors does not.
const Unknown = "unknown"

// metadataKey is the entry of a safetensors file's metadata that holds Metadata.
const metadataKey = "acdclip"

// Metadata is what changes a checkpoint's numbers, and nothing else.
type Metadata struct {
	Format    int             `json:"format"`
	Method    string          `json:"method"`
	Preset    string          `json:"preset"`
	Model     section.Model   `json:"model"` // the method's own options
	Loss      section.Section `json:"loss"`
	Recipe    Recipe          `json:"recipe"`
	Prompts   []string        `json:"prompts"`   // prompt names of the classes trained on, sorted
	Auxiliary string          `json:"auxiliary"` // name of the dataset trained on, or Unknown
	ListHash  string          `json:"list_hash"` // of the rows trained on; "" where unknown
	Files     contents.Set    `json:"files"`     // content of all pictures of the dataset that they were selected from, and of those of Recipe.InitFrom; empty where unknown
	CLIP      string          `json:"clip"`      // fingerprint of the CLIP it belongs to; "" where unknown
	Seed      *uint64         `json:"seed"`      // nil where unknown
	Epoch     int             `json:"epoch"`     // epochs trained
	Threads   int             `json:"threads"`
	Device    string          `json:"device"` // "cpu" or "cuda"
	Versions  Versions        `json:"versions"`
}

// Recipe is the part of the training configuration that changes numbers.
type Recipe struct {
	Classes []string  `json:"classes"` // none: all
	Limit   int       `json:"limit"`   // 0: none
	Epochs  int       `json:"epochs"`
	Batch   int       `json:"batch"`
	LR      config.LR `json:"lr"`
	LRDecay float64   `json:"lr_decay"`
	Augment bool      `json:"augment"`

	MaskThreshold int `json:"mask_threshold"` // the least grey value of a mask that is anomalous

	// What follows is left out of the file where it says nothing.
	Accumulate int      `json:"accumulate,omitempty"` // batches a step; 0: one
	Precision  string   `json:"precision,omitempty"`  // of the frozen towers' matrices; "": fp32
	EXIF       bool     `json:"exif_orientation,omitempty"`
	MaxPixels  int64    `json:"max_pixels,omitempty"` // data.max_pixels; 0: picture.DefaultMaxPixels
	Validate   []string `json:"validate,omitempty"`   // classes held out, or the share of the pictures; none: nothing
	InitFrom   string   `json:"init_from,omitempty"`  // fingerprint of the checkpoint whose adapters it began with; "": fresh values
}

// Versions of what computed the numbers.
type Versions struct {
	Acdclip  string `json:"acdclip"`
	Libtorch string `json:"libtorch"`
	Hardware string `json:"hardware,omitempty"` // instructions of the processor, or a GPU's name; "" where unknown
}

// Checkpoint is an open file of trained adapters. The caller closes it.
type Checkpoint struct {
	Path        string
	Metadata    Metadata
	Fingerprint string // "sha256:..." of the whole file's content
	file        *weights.File
	tensors     map[string]*weights.Tensor // by the project's own names
	names       map[*weights.Tensor]string // those names
}

// ErrNotCheckpoint reports a weight file that holds no trained parameters of a method.
var ErrNotCheckpoint = errors.New("not a checkpoint")

// Open reads a checkpoint of one of the methods: its description, by content, and goes through its values
// once: what is no finite number, or differs from what the file's checksums say, is
// an error. A file of earlier versions has no sum of its own. The values are read
// again by Read.
func Open(path string, methods card.List) (*Checkpoint, error) {
	file, err := weights.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening checkpoint: %w", err)
	}
	c := &Checkpoint{Path: path, file: file, tensors: map[string]*weights.Tensor{}, names: map[*weights.Tensor]string{}}
	if err := c.describe(methods); err != nil {
		file.Close()
		return nil, fmt.Errorf("checkpoint %s: %w", path, err)
	}
	return c, nil
}

func (c *Checkpoint) describe(methods card.List) (err error) {
	text, own := c.file.Metadata[metadataKey]
	_, state := c.file.Metadata[stateKey]
	switch {
	case own:
		for _, t := range c.file.Tensors {
			c.hold(t.Name, t)
		}
		c.Metadata, err = decode(text, methods)
	case state:
		err = ErrState
	default:
		err = c.describeReleased(methods)
	}
	if err != nil {
		return err
	}
	if err := c.verify(text); err != nil {
		return err
	}
	c.Fingerprint, err = hashFile(c.Path)
	return err
}

func (c *Checkpoint) hold(name string, t *weights.Tensor) {
	c.tensors[name], c.names[t] = t, name
}

// describeReleased recognises a file of a method's authors.
func (c *Checkpoint) describeReleased(methods card.List) error {
	content := card.File{Shapes: map[string][]int64{}, Scalars: c.file.Scalars}
	byName := map[string]*weights.Tensor{}
	for _, t := range c.file.Tensors {
		content.Shapes[t.Name], byName[t.Name] = t.Shape, t
	}
	for _, method := range methods {
		if method.Released == nil {
			continue
		}
		released, err := method.Released(content)
		switch {
		case err != nil:
			return fmt.Errorf("%w of %s: %w", ErrNotCheckpoint, method.Title, err)
		case released == nil:
			continue
		}
		if err := config.Validate("model", released.Model); err != nil {
			return fmt.Errorf("its tensors' shapes: %w", err)
		}
		for own, name := range released.Names {
			c.hold(own, byName[name])
		}
		c.Metadata = Metadata{
			Method: method.Name, Preset: released.Preset, Model: released.Model, Loss: released.Loss, Auxiliary: Unknown, Epoch: released.Epoch,
		}
		return nil
	}
	return fmt.Errorf("%w: it holds neither acdclip's metadata nor the tensor names of a method's authors", ErrNotCheckpoint)
}

// verify reads every parameter's values, and compares the sum where the file has one.
func (c *Checkpoint) verify(text string) error {
	sum := newSum(text)
	for _, t := range c.file.Tensors {
		if c.names[t] == "" {
			continue // no parameter: Match will name it
		}
		sum.begin(t.Name, t.Shape)
		if err := t.EachFinite(sum.add); err != nil {
			return err
		}
	}
	if want, summed := c.file.Metadata[sumKey]; summed && want != sum.hex() {
		return fmt.Errorf("its content is not what its SHA-256 says: %w", ErrDamaged)
	}
	return nil
}

// Close closes the file.
func (c *Checkpoint) Close() error { return c.file.Close() }

// Spec is a parameter that a model wants to read.
type Spec struct {
	Name  string  // "visual.0.conv_down.3", "text.1.A"
	Shape []int64 // row-major
}

// Match checks that the checkpoint holds exactly the parameters wanted, each in
// its shape, and names what is missing, too much or of another shape.
func (c *Checkpoint) Match(wanted []Spec) error {
	var problems []string
	known := map[string]bool{}
	for _, want := range wanted {
		known[want.Name] = true
		switch t, found := c.tensors[want.Name]; {
		case !found:
			problems = append(problems, fmt.Sprintf("tensor %s is missing", want.Name))
		case !slices.Equal(t.Shape, want.Shape):
			problems = append(problems, fmt.Sprintf("tensor %s has shape %v where the model has %v", t.Name, t.Shape, want.Shape))
		}
	}
	for _, t := range c.file.Tensors {
		if !known[c.names[t]] {
			problems = append(problems, fmt.Sprintf("tensor %s belongs to no part of the model", t.Name))
		}
	}
	if len(problems) == 0 {
		return nil
	}
	const shown = 5
	text := strings.Join(problems[:min(shown, len(problems))], "; ")
	if more := len(problems) - shown; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return fmt.Errorf("checkpoint %s does not fit this model: %s", c.Path, text)
}

// Read writes a parameter's values, row-major.
func (c *Checkpoint) Read(name string, values []float32) error {
	t, found := c.tensors[name]
	if !found {
		return fmt.Errorf("checkpoint %s has no tensor %s", c.Path, name)
	}
	if err := t.ReadFinite(values); err != nil {
		return fmt.Errorf("checkpoint %s: %w", c.Path, err)
	}
	return nil
}

// Write writes a checkpoint as one safetensors file that appears whole or not at all.
// The same metadata and tensors give the same bytes.
func Write(path string, metadata Metadata, tensors []weights.Value) error {
	err := atomicfile.Write(path, func(w io.Writer) error { return Encode(w, metadata, tensors) })
	if err != nil {
		return fmt.Errorf("writing checkpoint: %w", err)
	}
	return nil
}

// Encode writes the content of a checkpoint's file; see Write.
func Encode(w io.Writer, metadata Metadata, tensors []weights.Value) error {
	metadata.Format = FormatVersion
	text, err := json.Marshal(metadata)
	if err != nil {
		return fmt.Errorf("describing the checkpoint: %w", err)
	}
	return weights.WriteSafetensors(w, map[string]string{metadataKey: string(text), sumKey: sumOf(string(text), tensors)}, tensors)
}
