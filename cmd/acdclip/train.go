package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"acdclip/pkg/config"
	"acdclip/pkg/data"
	"acdclip/pkg/engine"
	"acdclip/pkg/report"
)

// trainOptions are what `acdclip train` was asked for.
type trainOptions struct {
	app       *app
	config    configFlags
	auxiliary string
	out       string
	overwrite bool
}

func newTrainCommand(a *app, run func(context.Context, *trainOptions) error) *cobra.Command {
	o := &trainOptions{app: a}
	command := &cobra.Command{
		Use:   "train --clip PATH --auxiliary NAME[=PATH]",
		Short: "Train the adapters on an auxiliary dataset",
		Long: `Train the adapters on an auxiliary dataset, and write a run folder:
  config.yaml            the complete configuration; --config on it repeats the run
  log.jsonl              a line a step and an epoch
  epoch-001.safetensors  the adapters after each epoch
  last.safetensors       the same as the last one

The dataset is one of the twelve benchmarks as its site gives it, or one of your
own (` + "`acdclip help datasets`" + ` says in which folders). All of its test pictures,
normal and anomalous, are learned from; folders named train are not read.`,
		Example: `  acdclip train --clip ViT-L-14-336px.pt --auxiliary visa=/data/visa
  acdclip train --config configs/paper.yaml --auxiliary visa --set train.epochs=5`,
		Args: noArgs,
		RunE: func(command *cobra.Command, _ []string) error { return run(command.Context(), o) },
	}
	flags := command.Flags()
	flags.StringVar(&o.auxiliary, "auxiliary", "", "the dataset to train on: `NAME[=PATH]`, or a path")
	flags.StringVar(&o.out, "out", "", "the run folder, `DIR` (default runs/NAME-nGROUPS-PRESET)")
	flags.BoolVar(&o.overwrite, "overwrite", false, "replace a run that is there")
	o.config.registerConfig(flags)
	o.config.bindSelection()
	o.config.bindText("preset", "preset", "the `NAME` of the settings to start from: paper or released (default paper)")
	o.config.bindSeed("`N` from which initial values and shuffling are drawn (default 0)")
	return command
}

func runTrain(ctx context.Context, o *trainOptions) error {
	c, err := o.configuration()
	if err != nil {
		return err
	}
	set, err := o.app.discover(ctx, c, c.Train.Auxiliary, selection{c.Train.Classes, c.Train.Limit})
	if err != nil {
		return err
	}
	if o.out == "" {
		o.out = filepath.Join("runs", fmt.Sprintf("%s-n%d-%s", c.Train.Auxiliary, c.Model.Groups, c.Preset))
	}
	run := runFolder{outputFolder: outputFolder{
		path: o.out, kind: "run folder", files: fileNames(`config\.yaml`, `log\.jsonl`, `epoch-\d+\.safetensors`, `last\.safetensors`, `curves\.png`),
	}}
	if err := run.check(o.overwrite); err != nil {
		return err
	}
	if err := run.probe(); err != nil { // rather now than after CLIP is loaded
		return err
	}
	if run.config, err = c.YAML(); err != nil {
		return err
	}
	if err := o.app.tell(&o.config, c); err != nil {
		return err
	}
	o.describe(set)
	files, err := o.app.contentsOf(ctx, set)
	if err != nil {
		return err
	}
	err = engine.Train(ctx, engine.TrainOptions{
		Config: c, Set: set, Files: files, Folder: o.out, Version: version, Load: loadOptions(c), Emit: o.app.emit, Logged: run.log,
	})
	if err = errors.Join(err, run.close()); err != nil {
		return o.app.ended(err, run.saved())
	}
	o.app.emit(report.Notice{Text: fmt.Sprintf("the checkpoint is %s; to use it:", run.last())})
	o.app.emit(report.Notice{Text: fmt.Sprintf("  acdclip predict --clip %s --checkpoint %s --heatmaps PATH...", shellQuoted(c.Clip), shellQuoted(absolutePath(run.last())))})
	return nil
}

// configuration reads the configuration, whose auxiliary dataset is the flag's where that is given.
func (o *trainOptions) configuration() (config.Config, error) {
	var datasets []datasetArgument
	if o.auxiliary != "" {
		dataset, err := parseDataset("--auxiliary", o.auxiliary)
		if err != nil {
			return config.Config{}, err
		}
		datasets = []datasetArgument{dataset}
		o.config.values = map[string]any{"train.auxiliary": dataset.name}
	}
	loaded, err := o.app.load(&o.config, datasets, false)
	if err != nil {
		return config.Config{}, err
	}
	c := loaded.Config
	switch _, known := c.Data.Roots[c.Train.Auxiliary]; {
	case c.Train.Auxiliary == "":
		return c, usagef("no dataset to train on: give --auxiliary NAME=PATH")
	case !known:
		return c, unknownDataset(c.Train.Auxiliary, c)
	case c.Clip == "":
		return c, engine.ErrNoCLIP
	}
	return c, nil
}

func (o *trainOptions) describe(set *data.Dataset) {
	normal, anomalous := set.Total()
	o.app.emit(report.Notice{Text: fmt.Sprintf("%s: %s, %d normal and %d anomalous pictures; the run goes to %s",
		set.Name, counted(len(set.Classes), "class", "classes"), normal, anomalous, o.out)})
}

// runFolder writes the files of a run that engine.Train leaves to its caller. It
// touches the disk at the first logged event, so that a run which could not
// begin leaves nothing behind.
type runFolder struct {
	outputFolder
	config []byte
	file   *os.File
	events *report.EventWriter
}

func (r *runFolder) last() string { return filepath.Join(r.path, "last.safetensors") }

// log appends an event to log.jsonl.
func (r *runFolder) log(event report.Event) error {
	if r.file == nil {
		if err := r.open(); err != nil {
			return err
		}
	}
	return r.events.Write(event)
}

func (r *runFolder) open() error {
	if err := r.create(); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(r.path, "config.yaml"), r.config, 0o644); err != nil {
		return err
	}
	file, err := os.Create(filepath.Join(r.path, "log.jsonl"))
	if err != nil {
		return err
	}
	r.file, r.events = file, report.NewEventWriter(file, nil)
	return nil
}

func (r *runFolder) close() error {
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}

// saved says what a run that did not end leaves, and how to go on.
func (r *runFolder) saved() string {
	switch _, err := os.Stat(r.last()); {
	case r.file == nil:
		return ""
	case err != nil:
		return fmt.Sprintf("%s holds no checkpoint yet; --overwrite starts again", r.path)
	}
	return fmt.Sprintf("%s holds the finished epochs and can be used; --overwrite starts again", r.last())
}
