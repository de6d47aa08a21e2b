// Package clip is the frozen CLIP of Radford et al. as two towers, each open
// block by block so that a method can work between its blocks.
package clip

import (
	"context"
	"errors"
	"fmt"

	"acdclip/cgo/torch"
	"acdclip/pkg/clip/activation"
	"acdclip/pkg/clip/pretrained"
)

// ErrOptions reports options that do not fit the CLIP that they are for.
var ErrOptions = errors.New("the options do not fit this CLIP")

// Model is a CLIP in memory. Its tensors belong to the Scope that it was loaded into.
type Model struct {
	Arch       pretrained.Arch
	Activation activation.Activation // GELU or QuickGELU
	Precision  string                // the name of the matrices' Format
	Vision     *Vision
	Text       *Text
}

// Options are what may be chosen when a CLIP is loaded.
type Options struct {
	ImageSize  int                   // side of the pictures in pixels, a multiple of the patch; 0: the one CLIP was trained with
	Activation activation.Activation // ActivationAuto: what the checkpoint says; where it does not, GELU of open_clip's files and QuickGELU of others
	Positions  string                // a name of PositionResizes; "": the first
	Precision  string                // a name of Formats, of the blocks' matrices with their biases; all else is float32; auto or "": the first
	Recompute  bool                  // for a gradient, blocks keep their inputs alone: far less memory for a second forward pass
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
		return nil, fmt.Errorf("%w: model.image_size %d is not a multiple of its patch of %d pixels; the nearest is %d",
			ErrOptions, options.ImageSize, arch.Patch, max(1, (options.ImageSize+arch.Patch/2)/arch.Patch)*arch.Patch)
	}
	format, err := formatOf(options.Precision, formats)
	if err != nil {
		return nil, err
	}
	positions, err := positionsOf(options.Positions)
	if err != nil {
		return nil, err
	}
	model := &Model{Arch: arch, Activation: chosen(options.Activation, checkpoint), Precision: format.Name}
	read := newReader(ctx, s, checkpoint, format)
	kind := torch.FrozenBlock{QuickGELU: model.Activation == activation.QuickGELU, Epsilon: epsilon, Recompute: options.Recompute}
	err = s.NoGrad(func() error {
		model.Vision = newVision(s, read, arch, kind, options.ImageSize, positions)
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

// ActivationNote is what must be said of an activation that was asked for: that the
// checkpoint does not say its own (then unsaid is true), or says another. "" for nothing.
func ActivationNote(option activation.Activation, checkpoint *pretrained.Checkpoint) (note string, unsaid bool) {
	said, taken := checkpoint.Arch.Activation, chosen(option, checkpoint)
	switch {
	case option == activation.Auto && said == "":
		return fmt.Sprintf("%s does not say which activation it was trained with: %s is taken; --set model.activation=%s or %s says it",
			checkpoint.Path, taken, activation.GELU, activation.QuickGELU), true
	case said != "" && said != string(taken):
		return fmt.Sprintf("model.activation is %s, and %s was trained with %s; --set model.activation=%s follows the file",
			taken, checkpoint.Path, said, activation.Auto), false
	}
	return "", false
}
