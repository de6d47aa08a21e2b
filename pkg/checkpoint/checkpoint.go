// Package checkpoint reads and writes the trained parameters of a method. It writes
// safetensors files of its own and also reads the files that methods' authors published.
package checkpoint

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"acdclip/pkg/builtin"
	"acdclip/pkg/config"
	"acdclip/pkg/config/section"
	"acdclip/pkg/contents"
	"acdclip/pkg/model/card"
	"acdclip/pkg/weights"
)

// FormatVersion is the version of the files that Write writes.
const FormatVersion = 2

// Unknown is the auxiliary dataset of files that name none, such as the files published by methods' authors.
const Unknown = "unknown"

// metadataKey is the entry of a safetensors file's metadata that holds Metadata.
const metadataKey = "acdclip"

// Metadata holds exactly the facts that affect a checkpoint's numbers.
type Metadata struct {
	Format    int             `json:"format"`
	Method    string          `json:"method"`
	Preset    string          `json:"preset"`
	Model     section.Model   `json:"model"` // the method's options
	Loss      section.Section `json:"loss"`
	Recipe    Recipe          `json:"recipe"`
	Prompts   []string        `json:"prompts"`           // prompt names of the classes trained on, sorted
	Auxiliary string          `json:"auxiliary"`         // name of the dataset trained on, or Unknown
	Earlier   []string        `json:"earlier,omitempty"` // datasets that the checkpoint Recipe.InitFrom was trained on, or Unknown
	ListHash  string          `json:"list_hash"`         // hash of the rows trained on; "" if unknown
	Files     contents.Set    `json:"files"`             // contents of all pictures of the auxiliary dataset, also those not selected, and Files of the checkpoint Recipe.InitFrom; empty if unknown
	CLIP      string          `json:"clip"`              // fingerprint of the CLIP it was trained with; "" if unknown
	Seed      *uint64         `json:"seed"`              // nil if unknown
	Epoch     int             `json:"epoch"`             // epochs trained
	Threads   int             `json:"threads"`
	Device    string          `json:"device"` // "cpu" or "cuda"
	Versions  Versions        `json:"versions"`
}

// Recipe is the part of the training configuration that affects numbers.
type Recipe struct {
	Classes []string  `json:"classes"` // none: all
	Limit   int       `json:"limit"`   // 0: none
	Epochs  int       `json:"epochs"`
	Batch   int       `json:"batch"`
	LR      config.LR `json:"lr"`
	LRDecay float64   `json:"lr_decay"`
	Augment bool      `json:"augment"`

	MaskThreshold int `json:"mask_threshold"` // smallest grey value of a mask that counts as anomalous

	// The following fields are omitted from the file when empty.
	Beta1       *float64 `json:"beta1,omitempty"`        // Adam's; nil: config.AdamBeta1
	WeightDecay float64  `json:"weight_decay,omitempty"` // 0: Adam, else AdamW
	InOrder     bool     `json:"in_order,omitempty"`     // pictures were not shuffled

	Mosaic        float64              `json:"mosaic,omitempty"`         // chance of a mosaic in place of a picture
	MaskResize    config.MaskResize    `json:"mask_resize,omitempty"`    // "": nearest
	FeatureFormat config.FeatureFormat `json:"feature_format,omitempty"` // of vision features kept between epochs; "": fp32

	Accumulate int      `json:"accumulate,omitempty"` // batches per optimiser step; 0: one
	Precision  string   `json:"precision,omitempty"`  // of the frozen towers' matrices; "": fp32
	EXIF       bool     `json:"exif_orientation,omitempty"`
	Depth      int      `json:"depth,omitempty"`      // data.depth; 0: auto
	MaxPixels  int64    `json:"max_pixels,omitempty"` // data.max_pixels; 0: picture.DefaultMaxPixels
	Validate   []string `json:"validate,omitempty"`   // validation split: classes, or a percentage of the pictures; none: no split
	InitFrom   string   `json:"init_from,omitempty"`  // fingerprint of the checkpoint that training started from; "": random initial values
}

// Versions are the versions of the software and hardware that computed the numbers.
type Versions struct {
	Acdclip  string `json:"acdclip"`
	Libtorch string `json:"libtorch"`
	Hardware string `json:"hardware,omitempty"` // instruction set of the CPU, or the GPU's name; "" if unknown
}

// Checkpoint is an open file of trained parameters. The caller closes it.
type Checkpoint struct {
	Path        string
	Metadata    Metadata
	Fingerprint string // "sha256:..." of the whole file

	// Companions are, for each dataset that a file of a method's authors may have been
	// trained on, the datasets that it was trained on too; nil for other files.
	Companions map[string][]string

	file    *weights.File
	tensors map[string]*weights.Tensor // by the method's parameter names
	names   map[*weights.Tensor]string // the same names, by tensor
	unused  map[*weights.Tensor]bool   // known tensors that the method does not use
}

// ErrNotCheckpoint reports a weights file that does not hold a method's trained parameters.
var ErrNotCheckpoint = errors.New("not a checkpoint")

// ErrRecognised is the ErrNotCheckpoint of a file that a method knows and cannot use.
var ErrRecognised = fmt.Errorf("%w", ErrNotCheckpoint)

// Open opens a checkpoint of one of the methods, recognised by its content. It reads the
// metadata and checks all values once: a value that is not finite, or a mismatch with the
// file's checksum, is an error. Files of earlier versions have no checksum. Read reads the
// values again.
func Open(path string, methods card.List) (*Checkpoint, error) {
	file, err := openWeights(path)
	if err != nil {
		return nil, fmt.Errorf("opening checkpoint: %w", err)
	}
	c := &Checkpoint{Path: path, file: file, tensors: map[string]*weights.Tensor{}, names: map[*weights.Tensor]string{}, unused: map[*weights.Tensor]bool{}}
	if err := c.describe(methods); err != nil {
		file.Close()
		return nil, fmt.Errorf("checkpoint %s: %w", path, err)
	}
	return c, nil
}

// openWeights opens the weights at a path, or built-in ones.
func openWeights(path string) (*weights.File, error) {
	if !builtin.Is(path) {
		return weights.Open(path)
	}
	content, err := builtin.Checkpoint(path)
	if err != nil {
		return nil, err
	}
	return weights.OpenBytes(path, content)
}

// MethodOf returns the name of the method that a file of trained parameters belongs to. It
// reads no values.
func MethodOf(path string, methods card.List) (string, error) {
	file, err := openWeights(path)
	if err != nil {
		return "", fmt.Errorf("opening checkpoint: %w", err)
	}
	defer file.Close()
	c := &Checkpoint{Path: path, file: file, tensors: map[string]*weights.Tensor{}, names: map[*weights.Tensor]string{}, unused: map[*weights.Tensor]bool{}}
	if _, err := c.recognise(methods); err != nil {
		return "", fmt.Errorf("checkpoint %s: %w", path, err)
	}
	return c.Metadata.Method, nil
}

// recognise reads the metadata. It returns their text if acdclip wrote the file.
func (c *Checkpoint) recognise(methods card.List) (text string, err error) {
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
	return text, err
}

func (c *Checkpoint) describe(methods card.List) error {
	text, err := c.recognise(methods)
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

// Datasets lists what the file was trained on: the auxiliary dataset, Unknown if nothing
// tells, its companions, and what the checkpoints that its training started from had seen.
func (c *Checkpoint) Datasets() []string {
	return slices.Concat([]string{c.Metadata.Auxiliary}, c.Companions[c.Metadata.Auxiliary], c.Metadata.Earlier)
}

// Unused is the number of parameters in the file that the method does not use.
func (c *Checkpoint) Unused() int64 {
	count := int64(0)
	for t := range c.unused {
		count += t.NumElements()
	}
	return count
}

// describeReleased recognises a file published by a method's authors.
func (c *Checkpoint) describeReleased(methods card.List) error {
	content := card.File{Name: filepath.Base(c.Path), Shapes: map[string][]int64{}, Scalars: c.file.Scalars}
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
			return fmt.Errorf("%w of %s: %w", ErrRecognised, method.Title, err)
		case released == nil:
			continue
		}
		if err := config.Validate("model", released.Model); err != nil {
			return fmt.Errorf("its tensors' shapes: %w", err)
		}
		for own, name := range released.Names {
			c.hold(own, byName[name])
		}
		for _, name := range released.Unused {
			c.unused[byName[name]] = true
		}
		c.Metadata = Metadata{
			Method: method.Name, Preset: released.Preset, Model: released.Model, Loss: released.Loss, Auxiliary: cmp.Or(released.Auxiliary, Unknown), Epoch: released.Epoch,
		}
		c.Companions = released.Companions
		return nil
	}
	return fmt.Errorf("%w: it has neither acdclip's metadata nor tensor names of a file published by a method's authors", ErrNotCheckpoint)
}

// verify reads every parameter's values and compares the checksum if the file has one.
func (c *Checkpoint) verify(text string) error {
	sum := newSum(text)
	for _, t := range c.file.Tensors {
		if c.names[t] == "" {
			continue // not a parameter: Match reports it
		}
		sum.begin(t.Name, t.Shape)
		if err := t.EachFinite(sum.add); err != nil {
			return err
		}
	}
	if want, summed := c.file.Metadata[sumKey]; summed && want != sum.hex() {
		return fmt.Errorf("its content does not match its SHA-256: %w", ErrDamaged)
	}
	return nil
}

// Close closes the file. A nil Checkpoint, that of a method that needs none, has no file.
func (c *Checkpoint) Close() error {
	if c == nil {
		return nil
	}
	return c.file.Close()
}

// Spec is the name and shape of a parameter that a model expects.
type Spec struct {
	Name  string  // "visual.0.conv_down.3", "text.1.A"
	Shape []int64 // row-major
}

// Match checks that the checkpoint holds exactly the wanted parameters in their shapes.
// The error names missing and unexpected tensors and mismatched shapes.
func (c *Checkpoint) Match(wanted []Spec) error {
	var problems []string
	known := map[string]bool{}
	for _, want := range wanted {
		known[want.Name] = true
		switch t, found := c.tensors[want.Name]; {
		case !found:
			problems = append(problems, fmt.Sprintf("tensor %s is missing", want.Name))
		case !slices.Equal(t.Shape, want.Shape):
			problems = append(problems, fmt.Sprintf("tensor %s has shape %v, expected %v", t.Name, t.Shape, want.Shape))
		}
	}
	for _, t := range c.file.Tensors {
		if !known[c.names[t]] && !c.unused[t] {
			problems = append(problems, fmt.Sprintf("tensor %s is not a parameter of the model", t.Name))
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
	return fmt.Errorf("checkpoint %s does not match the model: %s", c.Path, text)
}

// Has reports whether the checkpoint holds a tensor of that name.
func (c *Checkpoint) Has(name string) bool { return c.tensors[name] != nil }

// Read copies a parameter's values into values, row-major.
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

// Encode writes a checkpoint as one safetensors file. The same metadata and tensors give
// the same bytes.
func Encode(w io.Writer, metadata Metadata, tensors []weights.Value) error {
	metadata.Format = FormatVersion
	text, err := json.Marshal(metadata)
	if err != nil {
		return fmt.Errorf("describing the checkpoint: %w", err)
	}
	return weights.WriteSafetensors(w, map[string]string{metadataKey: string(text), sumKey: sumOf(string(text), tensors)}, tensors)
}
