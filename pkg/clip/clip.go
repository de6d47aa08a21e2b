// Package clip implements the frozen CLIP of Radford et al. as two towers. Callers apply
// the blocks one by one, so that a method can work between them.
package clip

import (
	"context"
	"errors"
	"fmt"

	"acdclip/cgo/torch"
	"acdclip/pkg/clip/activation"
	"acdclip/pkg/clip/pretrained"
)

// ErrOptions reports options that are not valid for the given CLIP.
var ErrOptions = errors.New("the options are not valid for this CLIP")

// Model is a CLIP in memory. Its tensors belong to the Scope that it was loaded into.
type Model struct {
	Arch       pretrained.Arch
	Activation activation.Activation // GELU or QuickGELU
	Precision  string                // the name of the matrices' Format
	Vision     *Vision
	Text       *Text
}

// Options configure the loading of a CLIP.
type Options struct {
	ImageSize  int                   // side of the pictures in pixels, a multiple of the patch; 0: the size CLIP was trained with
	Activation activation.Activation // activation.Auto: the checkpoint's own; if unknown, GELU for open_clip's files and QuickGELU for others
	Positions  string                // a name in PositionResizes; "": the first
	Precision  string                // a name in Formats, for the blocks' matrices and biases; the rest is float32; auto or "": the first
	Inference  bool                  // no gradients are needed: the matrices are packed for the fastest products
	Recompute  bool                  // activation recomputation: for the backward pass, blocks keep only their inputs; much less memory for a second forward pass
}

// Load reads a checkpoint into s, one tensor at a time. It must be called inside Do.
func Load(ctx context.Context, s *torch.Scope, checkpoint *pretrained.Checkpoint, options Options) (*Model, error) {
	return load(ctx, s, checkpoint, options, formats)
}

func load(ctx context.Context, s *torch.Scope, checkpoint *pretrained.Checkpoint, options Options, formats []Format) (*Model, error) {
	arch := checkpoint.Arch
	if options.ImageSize == 0 {
		options.ImageSize = arch.ImageSize
	}
	if options.ImageSize < arch.Patch || options.ImageSize%arch.Patch != 0 {
		return nil, fmt.Errorf("%w: model.image_size %d is not a multiple of its patch size of %d pixels; the nearest is %d",
			ErrOptions, options.ImageSize, arch.Patch, max(1, (options.ImageSize+arch.Patch/2)/arch.Patch)*arch.Patch)
	}
	format, err := formatOf(options.Precision, formats)
	if err != nil {
		return nil, err
	}
	if err := format.permits(Use{Gradients: !options.Inference}); err != nil {
		return nil, err
	}
	positions, err := positionsOf(options.Positions)
	if err != nil {
		return nil, err
	}
	model := &Model{Arch: arch, Activation: chosen(options.Activation, checkpoint), Precision: format.Name}
	buffer := s.NewBuffer()
	defer buffer.Close()
	read := newReader(ctx, s, buffer, checkpoint, format, options.Inference)
	kind := torch.FrozenBlock{QuickGELU: model.Activation == activation.QuickGELU, Epsilon: epsilon, Recompute: options.Recompute}
	err = s.NoGrad(func() error {
		model.Vision = newVision(s, read, arch, kind, options.ImageSize, positions)
		if format.visionOnly {
			read.format = formats[0]
		}
		read.pack, read.compact = false, options.Inference
		model.Text = newText(read, arch, kind)
		return read.err
	})
	if err != nil {
		return nil, err
	}
	return model, nil
}

func chosen(option activation.Activation, checkpoint *pretrained.Checkpoint) activation.Activation {
	if option != activation.Auto {
		return option
	}
	return checkpoint.OwnActivation()
}

// ActivationNote returns a message about an activation that the user must know: the
// checkpoint does not record its own (unsaid is true), or records another. "" for none.
func ActivationNote(option activation.Activation, checkpoint *pretrained.Checkpoint) (note string, unsaid bool) {
	said, taken := checkpoint.Arch.Activation, chosen(option, checkpoint)
	switch {
	case option == activation.Auto && said == "":
		return fmt.Sprintf("%s does not say which activation it was trained with; assuming %s; set it with --set model.activation=%s or %s",
			checkpoint.Path, taken, activation.GELU, activation.QuickGELU), true
	case said != "" && said != string(taken):
		return fmt.Sprintf("model.activation is %s, but %s was trained with %s; use --set model.activation=%s to follow the file",
			taken, checkpoint.Path, said, activation.Auto), false
	}
	return "", false
}
