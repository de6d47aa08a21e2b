package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"acdclip/pkg/data/list"
	"acdclip/pkg/events"
	"acdclip/pkg/plural"
)

// indexOptions are what `acdclip data index` was asked for.
type indexOptions struct {
	app     *app
	config  configFlags
	dataset string
	out     outputFile
}

func newIndexCommand(a *app) *cobra.Command {
	o := &indexOptions{app: a}
	command := &cobra.Command{
		Use:   "index NAME[=PATH]",
		Short: "Write a list of a dataset's test pictures as JSON lines",
		Long: `Write a dataset's test pictures as JSON lines, the format of ACD-CLIP's lists:
  {"image_path": "...", "label": 1, "class_name": "...", "mask_path": "..."}
Paths are relative to the dataset's folder; a normal picture has no mask_path. If a
dataset's folder holds a list NAME.jsonl, it is read instead of the folders.`,
		Example: "  acdclip data index VisA=/data/visa --out VisA.jsonl",
		Args:    oneArg("dataset"),
		RunE: func(command *cobra.Command, arguments []string) error {
			o.dataset = arguments[0]
			return runIndex(command.Context(), o)
		},
	}
	flags := command.Flags()
	o.out.register(flags, "`FILE` the list (default standard output)")
	o.config.registerSources(flags)
	return command
}

func runIndex(ctx context.Context, o *indexOptions) error {
	loaded, names, err := o.app.datasets(&o.config, []string{o.dataset})
	if err != nil {
		return err
	}
	if err := o.out.check(); err != nil {
		return err
	}
	set, err := o.app.discover(ctx, loaded.Config, names[0], selection{})
	if err != nil {
		return err
	}
	rows := make([]list.Row, len(set.Items))
	for i, item := range set.Items {
		rows[i] = list.Row{Image: set.Relative(item.Path), Class: item.Class, Anomalous: item.Anomalous}
		if item.Mask != "" {
			rows[i].Mask = set.Relative(item.Mask)
		}
	}
	if o.out.path == "" {
		return list.WriteJSONLines(o.app.out, rows)
	}
	if err := o.out.write(func(w io.Writer) error { return list.WriteJSONLines(w, rows) }); err != nil {
		return err
	}
	o.app.emit(events.Notice{Text: fmt.Sprintf("%s lists %s of %s", o.out.path, plural.Of(len(rows), "picture", "pictures"), set.Name)})
	return nil
}
