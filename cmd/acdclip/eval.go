package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"acdclip/cgo/torch"
	"acdclip/pkg/atomicfile"
	"acdclip/pkg/config"
	"acdclip/pkg/engine"
	"acdclip/pkg/metrics"
	"acdclip/pkg/report"
)

// evalOptions are what `acdclip eval` was asked for.
type evalOptions struct {
	app            *app
	config         configFlags
	selection      selection
	targets        []string
	checkpoint     string
	out            string
	overwrite      bool
	batch          int
	metricsMemory  int64 // MiB
	format         report.Format
	allowLeak      bool
	allowOtherCLIP bool
}

func newEvalCommand(a *app, run func(context.Context, *evalOptions) error) *cobra.Command {
	o := &evalOptions{app: a, format: report.FormatTable}
	command := &cobra.Command{
		Use:   "eval --clip PATH --checkpoint FILE --target NAME[=PATH]...",
		Short: "Score labelled target datasets and print one table of metrics",
		Long: `Score labelled target datasets with a checkpoint, print one table, and write
results.json, results.csv and scores.csv (a row a picture) into a folder.

A target is scored with --checkpoint, or with the checkpoints that the
configuration has for it (data.pairing and checkpoints, see
configs/pairing.yaml). Zero-shot means that a dataset is never scored with a
checkpoint trained on it, nor on files that are identical to some of it: such a
target is refused.

Metrics are percent in tables and fractions in files. Pixel metrics are taken at
model.image_size; all pixels of a class are pooled, and the mean is over classes.
AUPRO goes to a false-positive rate of 0.3. All are exact, over every distinct score.`,
		Example: `  acdclip eval --clip ViT-L-14-336px.pt --checkpoint runs/visa-n3-paper/last.safetensors --target mvtec=/data/mvtec
  acdclip eval --clip ViT-L-14-336px.pt --config my-pairing.yaml --format markdown`,
		Args: noArgs,
		RunE: func(command *cobra.Command, _ []string) error { return run(command.Context(), o) },
	}
	flags := command.Flags()
	flags.StringArrayVar(&o.targets, "target", nil, "a dataset to score: `NAME[=PATH]`, or a path; repeatable (default all of data.roots but the auxiliary ones)")
	flags.StringVar(&o.checkpoint, "checkpoint", "", "the trained adapters, `FILE` (default those that the configuration pairs with the target)")
	flags.StringVar(&o.out, "out", "acdclip-eval", "the folder for results, `DIR`")
	flags.BoolVar(&o.overwrite, "overwrite", false, "replace results that are there")
	flags.IntVar(&o.batch, "batch", 4, "`N` pictures at once")
	metricsMemoryVar(flags, &o.metricsMemory)
	choiceVar(flags, &o.format, "format", report.Formats(), "how the table is printed")
	flags.BoolVar(&o.allowLeak, "allow-leak", false, "score a dataset even with a checkpoint trained on it or on files of it; the table marks it")
	flags.BoolVar(&o.allowOtherCLIP, "allow-other-clip", false, "take a checkpoint that was trained on another CLIP")
	o.selection.register(flags)
	o.config.registerConfig(flags)
	return command
}

// metricsMemoryVar registers the flag that bounds what pixel metrics keep in memory.
func metricsMemoryVar(flags *pflag.FlagSet, mebibytes *int64) {
	flags.Int64Var(mebibytes, "metrics-memory", metrics.DefaultMemory>>20, "`MIB` of memory for the scores of pixels; more go into an unnamed temporary file")
}

func runEval(ctx context.Context, o *evalOptions) error {
	if err := errors.Join(o.selection.check(), positive("--batch", o.batch), positive("--metrics-memory", int(o.metricsMemory))); err != nil {
		return err
	}
	plan, err := o.plan(ctx)
	if err != nil {
		return err
	}
	folder := outputFolder{path: o.out, kind: "results folder", files: fileNames(`results\.json`, `results\.csv`, `scores\.csv`)}
	if err := folder.check(o.overwrite); err != nil {
		return err
	}
	used := plan.loaded.Config
	used.Model = plan.checkpoints[0].model
	if err := o.app.tell(&o.config, used); err != nil {
		return err
	}
	e := evaluation{options: o, plan: plan, folder: folder, done: make([]*scored, len(plan.jobs))}
	e.provenance = report.Provenance{
		Version: version, Precision: string(config.PrecisionFP32), Seed: used.Seed,
		ImageSize: used.Model.ImageSize, Config: used,
	}
	for _, c := range plan.checkpoints {
		if err := e.score(ctx, c); err != nil {
			return o.app.ended(err, e.saveFinished())
		}
	}
	if err := e.save(); err != nil {
		return err
	}
	result := e.result()
	if err := result.Write(o.app.out, o.format); err != nil {
		return err
	}
	o.app.emit(report.Notice{Text: fmt.Sprintf("results.json, results.csv and scores.csv are in %s", o.out)})
	return failures(e.failed, e.total)
}

// evaluation gathers what was scored.
type evaluation struct {
	options       *evalOptions
	plan          *evalPlan
	folder        outputFolder
	provenance    report.Provenance
	done          []*scored // by job; nil where it is not done
	failed, total int       // pictures
}

// scored is one target scored with one checkpoint.
type scored struct {
	result report.Result
	scores []report.Score
}

// score scores all targets of one checkpoint.
func (e *evaluation) score(ctx context.Context, c *evalCheckpoint) error {
	o := e.options
	detector, err := engine.OpenDetector(ctx, engine.Setup{
		Config: e.plan.loaded, Checkpoint: c.path, AllowOtherCLIP: o.allowOtherCLIP, Emit: o.app.emit,
	})
	if err != nil {
		return err
	}
	defer detector.Close()
	if err := os.MkdirAll(o.out, 0o755); err != nil { // rather now than after hours
		return fmt.Errorf("creating the results folder: %w", err)
	}
	if e.provenance.Libtorch, err = torch.Version(); err != nil {
		return err
	}
	e.provenance.Device, e.provenance.Threads, e.provenance.CLIP = detector.Device().String(), detector.Threads(), detector.CLIP
	for i, job := range e.plan.jobs {
		if job.checkpoint != c {
			continue
		}
		options := engine.EvaluateOptions{
			Batch: o.batch, Load: loadOptions(e.plan.loaded.Config), Pixels: metrics.Options{Memory: o.metricsMemory << 20},
		}
		result, scores, err := detector.Evaluate(ctx, job.set, options, o.app.emit)
		if err != nil {
			return err
		}
		result.Leak = job.leak
		e.done[i] = &scored{result, scores}
		e.total += len(scores)
		e.failed += result.Mean().Failed
	}
	return nil
}

// result is what is done so far, in the order of the targets.
func (e *evaluation) result() *report.Evaluation {
	result := &report.Evaluation{Provenance: e.provenance}
	for _, done := range e.done {
		if done != nil {
			result.Results = append(result.Results, done.result)
		}
	}
	return result
}

// save writes the three files.
func (e *evaluation) save() error {
	if err := e.folder.create(); err != nil {
		return err
	}
	result := e.result()
	var scores []report.Score
	for _, done := range e.done {
		if done != nil {
			scores = append(scores, done.scores...)
		}
	}
	for name, write := range map[string]func(io.Writer) error{
		"results.json": result.WriteJSON,
		"results.csv":  result.WriteCSV,
		"scores.csv":   func(w io.Writer) error { return report.WriteScoresCSV(w, scores) },
	} {
		if err := atomicfile.Write(filepath.Join(e.folder.path, name), write); err != nil {
			return err
		}
	}
	return nil
}

// saveFinished saves the targets that were finished before an error, and says so.
func (e *evaluation) saveFinished() string {
	var finished []string
	for _, result := range e.result().Results {
		finished = append(finished, result.Target)
	}
	if len(finished) == 0 {
		return ""
	}
	if err := e.save(); err != nil {
		return "the finished targets could not be written: " + err.Error()
	}
	return fmt.Sprintf("%s holds the results of %s; name the others with --target", e.folder.path, strings.Join(finished, ", "))
}
