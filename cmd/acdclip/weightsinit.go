package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/events"
)

// initOptions are what `acdclip weights init` was asked for.
type initOptions struct {
	app    *app
	folder string
	seed   uint64
}

func newInitCommand(a *app) *cobra.Command {
	o := &initOptions{app: a}
	command := &cobra.Command{
		Use:   "init DIR",
		Short: "Make a tiny CLIP with random weights to try the commands with",
		Long: `Write a tiny CLIP with random weights as a Hugging Face folder. It has learned
nothing: use it to try the commands without a download, and in tests. A checkpoint
trained on it is of no use with any other CLIP.`,
		Example: "  acdclip weights init clip",
		Args:    oneArg("folder"),
		RunE: func(command *cobra.Command, arguments []string) error {
			o.folder = arguments[0]
			return runInit(command.Context(), o)
		},
	}
	command.Flags().Uint64Var(&o.seed, "seed", 0, "`N` random seed")
	return command
}

func runInit(_ context.Context, o *initOptions) error {
	arch := pretrained.TinyArch()
	if err := pretrained.WriteRandom(o.folder, arch, o.seed); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return usageError{err}
		}
		return err
	}
	o.app.emit(events.Notice{Text: fmt.Sprintf("%s holds a CLIP with random weights: ViT-L/14's patch size, %d blocks per tower, widths %d and %d",
		o.folder, arch.VisionLayers, arch.VisionWidth, arch.TextWidth)})
	o.app.emit(events.Notice{Text: "it has learned nothing, so it finds no anomalies; use it to try the commands (--set model.image_size=98 makes them fast)"})
	return nil
}
