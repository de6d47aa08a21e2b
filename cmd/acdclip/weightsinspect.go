package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"acdclip/internal/ui"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/config"
	"acdclip/pkg/events"
	"acdclip/pkg/model/card"
	"acdclip/pkg/published"
	"acdclip/pkg/report"
	"acdclip/pkg/trained"
	"acdclip/pkg/weights"
)

// inspectOptions are what `acdclip weights inspect` was asked for.
type inspectOptions struct {
	app    *app
	paths  []string
	format inspectFormat
}

// inspectFormat is how a description is printed.
type inspectFormat string

const (
	inspectTable inspectFormat = "table"
	inspectJSON  inspectFormat = "json"
)

func newInspectCommand(a *app) *cobra.Command {
	o := &inspectOptions{app: a, format: inspectTable}
	command := &cobra.Command{
		Use:   "inspect PATH...",
		Short: "Describe weight files: format, architecture, sizes, fingerprint",
		Long: `Describe weight files. CLIPs are recognised in OpenAI's files and in Hugging Face
and open_clip folders; checkpoints in the files of acdclip train and in those that
methods' authors published. Files are recognised by their content, and no code in
them is run. Every value is read: the fingerprint covers all of them,
and values that are not finite or do not match a checksum are reported.`,
		Example: "  acdclip weights inspect ViT-L-14-336px.pt runs/visa-n3-paper/last.safetensors",
		Args:    someArgs("file or folder"),
		RunE: func(command *cobra.Command, arguments []string) error {
			o.paths = arguments
			return runInspect(command.Context(), o)
		},
	}
	ui.Choice(command.Flags(), &o.format, "format", []inspectFormat{inspectTable, inspectJSON}, "output format")
	return command
}

func runInspect(ctx context.Context, o *inspectOptions) error {
	list := []*description{} // an empty list in JSON, not null
	for _, path := range o.paths {
		if err := ctx.Err(); err != nil {
			return err
		}
		d, err := o.describe(path)
		if err != nil {
			o.app.emit(events.Warning{Text: strings.Join(ui.ErrorLines(err), "; ")})
			continue
		}
		list = append(list, d)
	}
	if err := writeDescriptions(o.app.out, list, o.format); err != nil {
		return err
	}
	return failures(len(o.paths)-len(list), len(o.paths))
}

func writeDescriptions(w io.Writer, list []*description, format inspectFormat) error {
	if format == inspectJSON {
		return report.WriteIndented(w, list)
	}
	for i, d := range list {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if _, err := io.WriteString(w, d.text()); err != nil {
			return err
		}
	}
	return nil
}

// The kinds of weight files.
const (
	kindCLIP       = "CLIP"
	kindCheckpoint = "checkpoint"
	kindOther      = "other weights"
)

// description is what a weight file is.
type description struct {
	Path        string               `json:"path"`
	Kind        string               `json:"kind"`
	Format      string               `json:"format"`
	Fingerprint string               `json:"fingerprint,omitempty"`
	Tensors     int                  `json:"tensors"`
	Parameters  int64                `json:"parameters"`
	Unused      int64                `json:"unused_parameters,omitempty"` // that a checkpoint's method does not use
	CLIP        *clipShape           `json:"clip,omitempty"`
	Checkpoint  *checkpoint.Metadata `json:"checkpoint,omitempty"`
	Companions  []string             `json:"companions,omitempty"` // datasets that a checkpoint was trained on beside the auxiliary
	Reason      string               `json:"reason,omitempty"`     // why it is neither
	Note        string               `json:"note,omitempty"`       // what is assumed of a CLIP
}

// clipShape is pretrained.Arch with names for JSON.
type clipShape struct {
	ImageSize     int    `json:"image_size"`
	Patch         int    `json:"patch"`
	VisionWidth   int    `json:"vision_width"`
	VisionLayers  int    `json:"vision_layers"`
	VisionHeads   int    `json:"vision_heads"`
	VisionMLP     int    `json:"vision_mlp,omitempty"` // 0: four times the width
	EmbedDim      int    `json:"embed_dim"`
	ContextLength int    `json:"context_length"`
	VocabSize     int    `json:"vocab_size"`
	HashedTokens  int    `json:"hashed_tokens,omitempty"` // of a cut vocabulary
	TextWidth     int    `json:"text_width"`
	TextLayers    int    `json:"text_layers"`
	TextHeads     int    `json:"text_heads"`
	TextMLP       int    `json:"text_mlp,omitempty"` // 0: four times the width
	Activation    string `json:"activation"`         // "" where the file does not say
}

// describe describes weights that are given by a path or a name.
func (o *inspectOptions) describe(source string) (*description, error) {
	kind := published.CLIP
	if e, err := o.app.published.Find(source); err == nil {
		kind = e.Kind
	}
	path, err := trained.PathOf(source, kind, config.Config{})
	if err != nil {
		return nil, err
	}
	return describeWeights(path, o.app.methods.Cards())
}

// describeWeights looks at the file or folder as a CLIP, then as a checkpoint, then as any tensors.
func describeWeights(path string, methods card.List) (*description, error) {
	clip, err := pretrained.Open(path)
	if err == nil {
		defer clip.Close()
		return describeCLIP(path, clip)
	}
	info, statErr := os.Stat(path)
	if !errors.Is(err, pretrained.ErrNotCLIP) || statErr != nil || info.IsDir() || strings.HasSuffix(path, weights.IndexEnding) {
		return nil, err
	}
	file, openErr := weights.Open(path)
	if openErr != nil {
		return nil, openErr
	}
	defer file.Close()
	d := &description{Path: path, Kind: kindOther, Format: string(file.Format), Tensors: len(file.Tensors), Reason: err.Error()}
	for _, t := range file.Tensors {
		d.Parameters += t.NumElements()
	}
	trained, err := checkpoint.Open(path, methods)
	switch {
	case errors.Is(err, checkpoint.ErrRecognised): // its reason says more
		d.Reason = strings.TrimPrefix(err.Error(), "checkpoint "+path+": ")
		return d, nil
	case errors.Is(err, checkpoint.ErrNotCheckpoint):
		return d, nil
	case err != nil:
		return nil, err
	}
	defer trained.Close()
	d.Kind, d.Reason, d.Fingerprint, d.Checkpoint = kindCheckpoint, "", trained.Fingerprint, &trained.Metadata
	d.Unused, d.Companions = trained.Unused(), trained.Companions[trained.Metadata.Auxiliary]
	return d, nil
}

func describeCLIP(path string, clip *pretrained.Checkpoint) (*description, error) {
	d := &description{Path: path, Kind: kindCLIP, Format: clip.Format, Tensors: len(clip.Tensors), CLIP: new(clipShape(clip.Arch)), Note: clip.Note}
	if container := string(clip.Container); !strings.Contains(clip.Format, container) {
		d.Format += ", " + container
	}
	for _, t := range clip.Tensors {
		d.Parameters += t.NumElements()
	}
	var err error
	d.Fingerprint, err = clip.Fingerprint()
	return d, err
}
