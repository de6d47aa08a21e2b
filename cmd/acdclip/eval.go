package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"

	"al.essio.dev/pkg/shellescape"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"acdclip/internal/rundir"
	"acdclip/internal/ui"
	"acdclip/pkg/detect"
	"acdclip/pkg/evaluation"
	"acdclip/pkg/evaluation/finished"
	"acdclip/pkg/events"
	"acdclip/pkg/heatmap"
	"acdclip/pkg/metrics"
	"acdclip/pkg/page"
	"acdclip/pkg/plural"
	"acdclip/pkg/present"
	"acdclip/pkg/report"
)

// evalOptions are what `acdclip eval` was asked for.
type evalOptions struct {
	app         *app
	given       *pflag.FlagSet
	config      configFlags
	selection   selection
	targets     []string
	checkpoints []string
	out         string
	overwrite   bool
	resume      bool
	shard       string
	share       finished.Share // what shard says
	merge       string
	beside      []string // results of other methods
	evalFiles
	gates          bool
	rawScores      bool
	batch          int
	metricsMemory  int64 // MiB
	format         report.Format
	perClass       bool
	allowLeak      bool
	allowOtherCLIP bool
}

func newEvalCommand(a *app) *cobra.Command {
	o := &evalOptions{app: a, format: report.FormatTable, evalFiles: evalFiles{colorMap: heatmap.Flame}}
	command := &cobra.Command{
		Use:   "eval [--clip CLIP] [--checkpoint FILE] --target NAME[=PATH]...",
		Short: "Score labelled target datasets and print a table of metrics",
		Long: `Score labelled target datasets, print a table of metrics, and write results.json,
results.csv and scores.csv (one row per picture) into a folder.

Each target is scored with --checkpoint, or with the checkpoints that the
configuration pairs with it (data.pairing and checkpoints, see
configs/pairing.yaml). Methods that train nothing need none: --method winclip.
Without --clip and any checkpoint, the small built-in model is used. The evaluation
is zero-shot: eval stops if a checkpoint was trained on the target, or on any file
that is identical to one of the target's; --allow-leak goes on.
Checkpoints that differ only in the seed share a row, with mean and standard
deviation. For a benchmark, the paper's figures are shown too.

Tables show percent, files hold fractions. Pixel metrics are computed at
model.image_size over all pixels of a class together; means are over classes.
AUPRO is integrated up to a false-positive rate of 0.3. All metrics are exact.

--beside shows another method in the table and in results.json: FILE is what "acdclip
metrics MAPS MASKS --format json" wrote for its maps of the same pictures. It changes no
score; with --resume it stands beside results that are finished.

To compare methods, list a configuration file for each under models (see
configs/table1.yaml): the output is then in the form of the paper's Table 1.

--html adds a page that shows each picture with its map and mask, the scores of normal
and anomalous pictures, ROC and precision-recall curves and the table; it opens from
disk without a network.

--resume continues a stopped evaluation after its last finished class, with the
same results. To split an evaluation over processes or machines with the same CPU
type, run it with --shard 1/N to --shard N/N, copy the folders shard-I-of-N into
one folder DIR, and join them with --merge DIR. The results are the same, bit for
bit, as those of a single run. Do not use --precision fastest for it: each machine
would choose its own number format, and such shares cannot be joined.`,
		Example: `  acdclip eval --clip ViT-L-14-336px.pt --checkpoint runs/visa-n3-paper/last.safetensors --target mvtec=/data/mvtec
  acdclip eval --clip ViT-B-16-plus-240.pt --method winclip --target mvtec=/data/mvtec
  acdclip eval --clip ViT-L-14-336px.pt --config my-pairing.yaml --format markdown
  acdclip eval --clip ViT-L-14-336px.pt --config my-pairing.yaml --shard 1/4 --out big
  acdclip eval --merge big`,
		Args: func(command *cobra.Command, arguments []string) error {
			if command.Flags().Changed("save-maps") && len(arguments) == 1 && (arguments[0] == string(mapNPY) || arguments[0] == string(mapPNG)) {
				return usagef("unexpected argument %q: did you mean --save-maps=%s?", arguments[0], arguments[0])
			}
			return noArgs(command, arguments)
		},
		RunE: func(command *cobra.Command, _ []string) error {
			o.given = command.Flags()
			return runEval(command.Context(), o)
		},
	}
	flags := command.Flags()
	flags.StringArrayVar(&o.targets, "target", nil, "`NAME[=PATH]` dataset to score, by name or path; repeatable (default: all of data.roots, except for checkpoints that were trained on them)")
	flags.StringArrayVar(&o.checkpoints, "checkpoint", nil, "`FILE` checkpoint: trained parameters from acdclip train, a file of the method's authors, or a name of acdclip weights list; repeatable (default: those that the configuration pairs with the target)")
	flags.StringVar(&o.out, "out", defaultEvalFolder, "`DIR` results folder")
	flags.BoolVar(&o.overwrite, "overwrite", false, "replace existing results")
	flags.BoolVar(&o.resume, "resume", false, "continue the evaluation in the results folder, or start it")
	flags.StringVar(&o.shard, "shard", "", "`I/N` score one share of the pictures; join the shares with --merge")
	flags.StringVar(&o.merge, "merge", "", "`DIR` join the shares in this folder without scoring anything; results go there or to --out")
	flags.StringArrayVar(&o.beside, "beside", nil, "`[TARGET:][NAME=]FILE` show another method beside: FILE is from metrics --format json; repeatable")
	o.evalFiles.register(flags)
	flags.BoolVar(&o.gates, "gates", false, "also write the mean weights of the fusion gateway per class, as gates.csv and charts in gates/")
	flags.BoolVar(&o.rawScores, "raw-scores", false, "add the columns score_raw and map_max_raw to scores.csv: the method's own values, not scaled to 0 to 1; with --save-maps, save its own maps")
	flags.IntVar(&o.batch, "batch", 4, "`N` pictures per forward pass")
	metricsMemoryVar(flags, &o.metricsMemory)
	ui.Choice(flags, &o.format, "format", report.Formats(), "output format")
	flags.BoolVar(&o.perClass, "per-class", false, "show a row per class where the comparison of several methods shows means only")
	flags.BoolVar(&o.allowLeak, "allow-leak", false, "score a dataset even if the checkpoint was trained on it or on some of its files; the table marks it")
	flags.BoolVar(&o.allowOtherCLIP, "allow-other-clip", false, "accept a checkpoint that was trained on another CLIP")
	o.selection.register(flags)
	o.config.registerConfig(flags)
	return command
}

// metricsMemoryVar registers the flag that bounds what pixel metrics keep in memory.
func metricsMemoryVar(flags *pflag.FlagSet, mebibytes *int64) {
	flags.Int64Var(mebibytes, "metrics-memory", metrics.DefaultMemory>>20, "`MIB` memory for pixel scores in MiB; the rest goes into a temporary file")
}

// checkMetricsMemory refuses what is no number of bytes.
func checkMetricsMemory(mebibytes int64) error {
	const most = math.MaxInt64 >> 20
	if mebibytes < 1 || mebibytes > most {
		return usagef("--metrics-memory %d: must be from 1 to %d", mebibytes, int64(most))
	}
	return nil
}

const defaultEvalFolder = "acdclip-eval"

// check looks at the flags alone.
func (o *evalOptions) check() error {
	err := errors.Join(o.selection.check(), positive("--batch", o.batch), checkMetricsMemory(o.metricsMemory), o.checkBeside())
	if o.given.Changed("shard") {
		share, wrong := finished.ParseShare(o.shard)
		if wrong != nil {
			return errors.Join(err, usagef("--shard: %w", wrong))
		}
		o.share = share
	}
	if o.given.Changed("merge") {
		err = errors.Join(err, o.checkMerge())
	}
	if o.html && !o.share.IsWhole() {
		err = errors.Join(err, usagef("--html with --shard: a share has no page; leave out one of them"))
	}
	if o.given.Changed("colormap") && !o.html && !o.figures {
		err = errors.Join(err, usagef("--colormap needs --html or --figures"))
	}
	if o.rawScores && o.maps == mapPNG {
		err = errors.Join(err, usagef("--raw-scores with --save-maps=png: a method's own maps need not lie between 0 and 1; use --save-maps=npy"))
	}
	if o.resume && o.overwrite {
		err = errors.Join(err, usagef("--resume and --overwrite contradict each other: one keeps what is there, the other replaces it"))
	}
	return err
}

func runEval(ctx context.Context, o *evalOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	if o.given.Changed("merge") {
		return o.runMerge(ctx)
	}
	folder := rundir.NewEvaluation(o.out, o.share, o.overwrite, o.resume)
	if err := folder.Check(); err != nil { // rather now than after the datasets are read
		return err
	}
	plan, err := o.plan(ctx)
	if err != nil {
		return err
	}
	if err := keepsInputs(o.out, o.overwrite, plan.inputs()); err != nil {
		return err
	}
	if err := o.settlePrecision(ctx, plan); err != nil {
		return err
	}
	others, err := o.others(plan)
	if err != nil {
		return err
	}
	if err := o.addContents(ctx, plan); err != nil {
		return o.app.ended(err, "")
	}
	files, err := o.pictureFiles(plan, folder)
	if err != nil {
		return err
	}
	options := evaluation.Options{
		Jobs: plan.jobs, Version: version,
		Detectors: &detect.Pool{Methods: o.app.methods, AllowOtherCLIP: o.allowOtherCLIP, Emit: o.app.emit},
		Batch:     o.batch, Load: loadOptions(plan.loaded.Config), Pixels: metrics.Options{Memory: o.metricsMemory << 20},
		Share: o.share, Raw: o.rawScores, FilesAre: o.evalFiles.condition(), Emit: o.app.emit,
	}
	if files != nil {
		options.Files = files.write
	}
	if o.gates {
		options.Extras = []string{report.Gates}
	}
	if folder.IsFinished() {
		return o.showFinished(folder, options, others)
	}
	if err := o.app.tell(&o.config, plan.jobs[0].Checkpoint.Configuration()); err != nil {
		return err
	}
	defer folder.Close()
	result, scores, err := o.score(ctx, folder, options)
	if err != nil {
		return o.app.ended(err, o.saved(folder))
	}
	if !o.share.IsWhole() {
		o.app.emit(events.Notice{Text: fmt.Sprintf("share %s is finished: %s; when all shares are in %s, join them: %s eval --merge %s",
			o.share, folder.Finished(), o.out, o.app.program, shellescape.Quote(o.out))})
		return failuresOf(scores)
	}
	result.Beside = others
	if files != nil && o.html {
		if err := files.writePage(plan.jobs, result, scores); err != nil {
			return o.app.ended(err, o.saved(folder))
		}
	}
	return o.write(folder, result, scores)
}

// score runs the evaluation, whose finished classes the folder keeps.
func (o *evalOptions) score(ctx context.Context, folder *rundir.Evaluation, options evaluation.Options) (*report.Evaluation, []report.Score, error) {
	run, err := evaluation.Begin(ctx, options)
	if err != nil {
		return nil, nil, err
	}
	defer run.Close()
	kept, err := folder.Open(run.Plan())
	if err != nil {
		return nil, nil, err
	}
	result, scores, err := run.Run(ctx, kept)
	if err == nil {
		err = folder.Complete() // of what was written before
	}
	return result, scores, err
}

// saved says what an evaluation that did not end leaves, and how to resume it.
func (o *evalOptions) saved(folder *rundir.Evaluation) string {
	classes, err := folder.Kept()
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%s kept in %s; to resume: %s", plural.Of(classes, "finished class is", "finished classes are"), folder.Finished(), o.app.resuming())
}

// showFinished prints the results that are there, if they are those that are asked for, with
// other methods beside them: those that are given, or else those that stood there before.
func (o *evalOptions) showFinished(folder *rundir.Evaluation, asked evaluation.Options, others []report.OtherMethod) error {
	if others != nil {
		if err := folder.Hold(); err != nil {
			return err
		}
		defer folder.Close()
	}
	found, err := report.ReadEvaluation(folder.Path(rundir.ResultsFile))
	if err != nil {
		return fmt.Errorf("%w; give another folder with --out", err)
	}
	if err := evaluation.CheckFinished(found, asked); err != nil {
		return fmt.Errorf("the results in %s: %w; give another folder with --out, or replace them with --overwrite", folder.Dir.Path, err)
	}
	if err := folder.Dir.Complete(); err != nil {
		return usagef("files of the evaluation in %s are missing: %w; give another folder with --out, or start again with --overwrite", folder.Dir.Path, err)
	}
	if others != nil {
		if err := stand(others, found, folder); err != nil {
			return err
		}
	}
	o.app.emit(events.Notice{Text: fmt.Sprintf("the evaluation in %s is finished; --overwrite repeats it", folder.Dir.Path)})
	if err := found.Write(o.app.out, o.format, o.perClass); err != nil {
		return err
	}
	failed, total := found.Failed()
	return failuresIn(failed, total, folder.Path(rundir.ScoresFile)+" names them")
}

// write saves the results and prints the table.
func (o *evalOptions) write(folder *rundir.Evaluation, result *report.Evaluation, scores []report.Score) error {
	err := writeGates(folder, result, scores)
	if err == nil {
		err = folder.Save(result, scores)
	}
	if err != nil {
		return o.app.ended(err, o.saved(folder))
	}
	if err := result.Write(o.app.out, o.format, o.perClass); err != nil {
		return err
	}
	if o.gates && result.GateMeans(scores) == nil {
		o.app.emit(events.Warning{Text: "--gates: none of the checkpoints has a fusion gateway (model.fusion.kind: dfg)"})
	}
	text := "results.json, results.csv and scores.csv are in " + folder.Dir.Path
	if o.html {
		text = "results.json, results.csv, scores.csv and the page " + page.Index + " are in " + folder.Dir.Path
	}
	if o.figures {
		text += ", figures below " + filepath.Join(folder.Dir.Path, rundir.FigureTree)
	}
	if o.maps != "" {
		text += ", maps below " + filepath.Join(folder.Dir.Path, rundir.MapTree, "TARGET")
		if masks := filepath.Join(folder.Dir.Path, rundir.TrueMaskTree); present.Any(masks) {
			text += " and masks below " + filepath.Join(masks, "TARGET") + ", for `acdclip metrics`"
		}
	}
	o.app.emit(events.Notice{Text: text})
	return failuresOf(scores)
}

// failuresOf is the error of the pictures that failed.
func failuresOf(scores []report.Score) error {
	failed := 0
	for _, score := range scores {
		if score.Error != "" {
			failed++
		}
	}
	return failures(failed, len(scores))
}
