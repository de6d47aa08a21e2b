package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"al.essio.dev/pkg/shellescape"
	"github.com/spf13/cobra"

	"acdclip/internal/rundir"
	"acdclip/pkg/config"
	"acdclip/pkg/data"
	"acdclip/pkg/detect"
	"acdclip/pkg/events"
	"acdclip/pkg/plural"
	"acdclip/pkg/present"
	"acdclip/pkg/trained"
	"acdclip/pkg/training"
)

// trainOptions are what `acdclip train` was asked for.
type trainOptions struct {
	app       *app
	config    configFlags
	auxiliary string
	out       string
	overwrite bool
	resume    bool
	dryRun    bool
	began     config.Config // with --resume: what the run began with

	activationSet bool // the user chose model.activation
}

func newTrainCommand(a *app) *cobra.Command {
	o := &trainOptions{app: a}
	command := &cobra.Command{
		Use:   "train --clip PATH --auxiliary NAME[=PATH]",
		Short: "Train a method on an auxiliary dataset",
		Long: `Train a method's parameters on an auxiliary dataset and write a run folder:
  config.yaml            the complete configuration; repeat the run with --config on it
  log.jsonl              one line per step and per epoch
  epoch-001.safetensors  the parameters after each epoch
  last.safetensors       a copy of the last epoch's
  best.safetensors       with train.validate: a copy of the best epoch's
  state.safetensors      what --resume continues from; saved every train.save_minutes,
                         after each epoch, and when the training is stopped

The dataset is one of the twelve benchmarks as published, or one of your own
(` + "`acdclip help datasets`" + ` shows the folders). Training reads its test
pictures, normal and anomalous, with their masks, and never folders named train.

--resume continues the run in the run folder; no other flag is needed. The result
has the same bytes as that of a run that was never stopped. Settings that change
the numbers must not change. These may: data.workers, data.cache,
train.save_minutes and train.recompute; data.skip_bad and train.skip_nonfinite to
get past the error that stopped the run; a larger train.epochs to train longer. If
there is no run yet, --resume starts one; if the run is finished, it says so. So
the same command can be repeated until it succeeds.`,
		Example: `  acdclip train --clip ViT-L-14-336px.pt --auxiliary visa=/data/visa
  acdclip train --method adaclip --clip ViT-L-14-336px.pt --auxiliary visa=/data/visa
  acdclip train --config configs/paper.yaml --auxiliary visa --set train.epochs=5
  acdclip train --resume --out runs/visa-n3-paper`,
		Args: noArgs,
		RunE: func(command *cobra.Command, _ []string) error { return runTrain(command.Context(), o) },
	}
	flags := command.Flags()
	flags.StringVar(&o.auxiliary, "auxiliary", "", "`NAME[=PATH]` dataset to train on, by name or path")
	flags.StringVar(&o.out, "out", "", "`DIR` run folder (default runs/DATASET-MODEL-PRESET, as in runs/visa-n3-paper or runs/visa-adaclip-j4m5-released)")
	flags.BoolVar(&o.overwrite, "overwrite", false, "replace an existing run")
	flags.BoolVar(&o.resume, "resume", false, "continue the run in the run folder, or start it")
	flags.BoolVar(&o.dryRun, "dry-run", false, "write nothing; print the configuration and estimate time and memory from a few steps")
	o.config.registerConfig(flags)
	o.config.bindSelection()
	o.config.bindText("init-from", "train.init_from", "`FILE` start from the parameters of this checkpoint instead of initial values")
	o.config.bindSeed("`N` random seed of initial values, shuffling and augmentation (default 0)")
	return command
}

func runTrain(ctx context.Context, o *trainOptions) error {
	c, state, err := o.settle()
	if err != nil {
		return err
	}
	run := &rundir.Training{Dir: rundir.TrainingDir(o.out), Emit: o.app.emit, Overwrite: o.overwrite || o.resume, State: state, Methods: o.app.methods.Cards()}
	if state != nil && state.Metadata.Epoch == c.Train.Epochs {
		o.app.emit(events.Notice{Text: fmt.Sprintf("the run in %s is finished: %s; set a larger train.epochs to train longer", o.out, plural.Of(c.Train.Epochs, "epoch", "epochs"))})
		if err := o.checkFinished(ctx, c, state); err != nil {
			return err
		}
		if err := run.Restore(); err != nil {
			return err
		}
		o.tellUse(c, run)
		return nil
	}
	if err := keepsInputs(o.out, o.overwrite, []string{c.Clip, c.Train.InitFrom, c.Data.Roots[c.Train.Auxiliary].Path}); err != nil {
		return err
	}
	if err := detect.Check(c); err != nil { // rather now than after the dataset is read
		return err
	}
	if c.Precision, err = detect.SettlePrecision(ctx, detect.Training, c, c.Model, o.app.emit); err != nil {
		return err
	}
	if c.Train.InitFrom != "" && state == nil {
		if err := o.app.checkCheckpoint(c.Train.InitFrom, c); err != nil {
			return err
		}
	}
	set, err := o.app.discover(ctx, c, c.Train.Auxiliary, selection{c.Train.Classes, c.Train.Limit})
	if err != nil {
		return err
	}
	options := training.Options{Methods: o.app.methods, Config: c, Set: set, Folder: run, Version: version, Load: loadOptions(c), Save: o.app.save, Emit: o.app.emit, ActivationSet: o.activationSet}
	if state != nil {
		options.Resume = &state.State
	}
	if err := options.Check(); err != nil { // rather now than after all pictures are read
		return err
	}
	if o.dryRun {
		return o.estimate(ctx, options)
	}
	if err := run.Dir.Probe(); err != nil { // rather now than after CLIP is loaded
		return err
	}
	if run.Config, err = c.YAML(); err != nil {
		return err
	}
	if err := o.app.tell(&o.config, c); err != nil {
		return err
	}
	o.describe(set, state)
	if options.Files, options.Contents, err = o.app.contentsToTrainOn(ctx, set); err != nil {
		return o.app.ended(err, o.saved(run, err))
	}
	o.app.saves.Store(true)
	err = training.Train(ctx, options)
	if err = errors.Join(err, run.Close()); err != nil {
		return o.app.ended(err, o.saved(run, err))
	}
	o.tellUse(c, run)
	return nil
}

// checkFinished refuses another CLIP or dataset than those of a finished run, where
// the command line or a configuration names them anew.
func (o *trainOptions) checkFinished(ctx context.Context, c config.Config, state *rundir.TrainingState) error {
	if o.began.Clip != c.Clip {
		if err := training.CheckRunCLIP(c, &state.State); err != nil {
			return err
		}
	}
	name := c.Train.Auxiliary
	if o.began.Data.Roots[name] == c.Data.Roots[name] && o.began.Data.Names == c.Data.Names {
		return nil
	}
	set, err := o.app.discover(ctx, c, name, selection{c.Train.Classes, c.Train.Limit})
	if err != nil {
		return err
	}
	options := training.Options{Config: c, Set: set, Emit: func(events.Event) {}}
	if _, options.Contents, err = o.app.contentsToTrainOn(ctx, set); err != nil {
		return err
	}
	return options.CheckRun(&state.State)
}

// tellUse says what a finished run can be used for.
func (o *trainOptions) tellUse(c config.Config, run *rundir.Training) {
	path, which := run.Path(rundir.LastFile), ""
	if len(c.Train.Validate) > 0 {
		if best := run.Path(rundir.BestFile); present.Any(best) {
			path, which = best, ", the best epoch on the held-out pictures"
		} else {
			which = ", the last epoch's: image and pixel AUROC of the held-out pictures were never both defined, so there is no best epoch"
		}
	}
	o.app.emit(events.Notice{Text: fmt.Sprintf("the checkpoint is %s%s; to use it:", path, which)})
	o.app.emit(events.Notice{Text: fmt.Sprintf("  %s predict --clip %s --checkpoint %s --class NAME --heatmaps PATH...", o.app.program, clipArgument(c), shellescape.Quote(absolutePath(path)))})
}

// clipArgument is the argument of --clip for a shell, with the setting that finds a name.
func clipArgument(c config.Config) string {
	text := shellescape.Quote(c.Clip)
	if config.IsNamedSource(c.Clip) && c.Weights.Cache != "" {
		text += " --set " + shellescape.Quote("weights.cache="+c.Weights.Cache)
	}
	return text
}

// configuration reads the configuration, whose auxiliary dataset is the flag's
// where that is given. What a run to resume began with comes before all else.
// It settles where the run folder is, too.
func (o *trainOptions) configuration() (loaded config.Loaded, err error) {
	var datasets []datasetArgument
	if o.auxiliary != "" {
		dataset, err := parseDataset("--auxiliary", o.auxiliary)
		if err != nil {
			return loaded, err
		}
		datasets = []datasetArgument{dataset}
		o.config.values = map[string]any{"train.auxiliary": dataset.name}
	}
	if o.resume && o.out != "" {
		o.config.files = append(runConfig(o.out), o.config.files...)
		if err := o.checkMethod(); err != nil {
			return loaded, err
		}
	}
	if loaded, err = o.app.load(&o.config, datasets, false); err != nil {
		return loaded, err
	}
	c := loaded.Config
	if !loaded.Card.Learns {
		return loaded, usagef("the method %s has nothing to train; use it with eval and predict directly", c.Method)
	}
	if c.Train.Auxiliary == "" {
		if o.resume {
			return loaded, o.nothingToResume()
		}
		return loaded, usagef("no dataset to train on; give --auxiliary NAME=PATH")
	}
	if o.out == "" {
		o.out = filepath.Join("runs", runName(c))
		if before := runConfig(o.out); o.resume && before != nil {
			o.config.files = append(before, o.config.files...)
			if loaded, err = o.app.load(&o.config, datasets, false); err != nil {
				return loaded, err
			}
			c = loaded.Config
		}
	}
	switch _, known := c.Data.Roots[c.Train.Auxiliary]; {
	case !known:
		return loaded, unknownDataset(c.Train.Auxiliary, c)
	case c.Clip == "":
		return loaded, trained.ErrNoCLIP
	}
	return o.app.useBuiltinSize(&o.config, datasets, loaded, false, false)
}

// checkMethod refuses another method than that of the run to resume.
func (o *trainOptions) checkMethod() error {
	if !o.config.flags.Changed("method") {
		return nil
	}
	asked := o.config.flags.Lookup("method").Value.String()
	for _, path := range runConfig(o.out) {
		begun, err := o.app.methods.Catalog().Load(config.Sources{Files: []string{path}})
		if err == nil && begun.Config.Method != asked { // a file that cannot be read is told of later
			return usagef("--method is %s, but the run to resume has %s; leave it out or start a new run", asked, begun.Config.Method)
		}
	}
	return nil
}

// runName names a run by its dataset, its model and its preset: "visa-n3-paper".
func runName(c config.Config) string {
	parts := []string{c.Train.Auxiliary}
	if method := c.Model.Variant().Slug; method != "" {
		parts = append(parts, method)
	}
	return strings.Join(append(parts, c.Preset), "-")
}

// saved says how to resume a run that ended by err; "" where it cannot be.
func (o *trainOptions) saved(run *rundir.Training, err error) string {
	if errors.Is(err, training.ErrDiverged) {
		return "" // it would end in the same way
	}
	if !run.Begun() && !(run.State != nil && errors.Is(err, context.Canceled)) {
		return "" // it did not begin, or what was given is wrong
	}
	if !run.HasState() {
		return ""
	}
	command := fmt.Sprintf("%s train --resume --out %s", o.app.program, shellescape.Quote(absolutePath(run.Dir.Path)))
	if errors.Is(err, training.ErrNotFinite) { // else the same step would stop it again
		command += " --set train.skip_nonfinite=true"
	}
	return "to resume: " + command
}

// nothingToResume is the error where neither a run nor what one needs to begin is given.
func (o *trainOptions) nothingToResume() error {
	if o.out == "" {
		return usagef("no run to resume: give --out DIR, the run folder")
	}
	return usagef("no run to resume: %s holds none; to start one, give --auxiliary NAME=PATH", o.out)
}

func (o *trainOptions) describe(set *data.Dataset, state *rundir.TrainingState) {
	normal, anomalous := set.Total()
	o.app.emit(events.Notice{Text: fmt.Sprintf("%s: %s, %d normal and %d anomalous pictures; run folder: %s",
		set.Name, plural.Of(len(set.Classes), "class", "classes"), normal, anomalous, o.out)})
	switch {
	case state != nil:
		o.app.emit(events.Notice{Text: fmt.Sprintf("resuming in epoch %d after step %d", state.Place.Epoch, state.Place.Step)})
	case o.resume:
		o.app.emit(events.Notice{Text: "there is no run to resume yet: starting one"})
	}
}
