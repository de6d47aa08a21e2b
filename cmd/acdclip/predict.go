package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"acdclip/internal/rundir"
	"acdclip/internal/ui"
	"acdclip/pkg/config"
	"acdclip/pkg/config/section"
	"acdclip/pkg/data"
	"acdclip/pkg/detect"
	"acdclip/pkg/domain"
	"acdclip/pkg/events"
	"acdclip/pkg/heatmap"
	"acdclip/pkg/report"
	"acdclip/pkg/trained"
)

// predictOptions are what `acdclip predict` was asked for.
type predictOptions struct {
	app            *app
	config         configFlags
	inputs         []string // files, folders and patterns
	filesFrom      string   // a file with more of them, "-" for stdin; "" for none
	null           bool     // its paths end with NUL
	watch          string   // a folder whose new pictures are scored until the program is stopped; "" for none
	checkpoint     string
	class          string
	classFrom      classSource
	domain         domain.Domain
	threshold      *float32 // nil where none was given
	pixelThreshold *float32
	batch          int
	out            string
	overwrite      bool
	resume         bool
	format         report.PredictionFormat
	heatmaps       bool
	masks          bool
	rawScores      bool
	allowOtherCLIP bool
}

// classSource says where the classes of pictures come from, instead of --class.
type classSource string

const classFromFolder classSource = "folder"

// standardOut is the --out that means stdout, standardIn the --files-from that means stdin.
const (
	standardOut = "-"
	standardIn  = "-"
)

func newPredictCommand(a *app) *cobra.Command {
	o := &predictOptions{app: a, domain: domain.Industrial, format: report.PredictionCSV}
	var threshold, pixelThreshold ui.Score
	command := &cobra.Command{
		Use:   "predict [--clip CLIP] [--checkpoint FILE] PATH...",
		Short: "Score pictures and folders of pictures",
		Long: `Score pictures and folders of pictures (with their subfolders), and write into the
output folder:
  predictions.csv    one row per picture, in the order given
  run.json           what made the rows: model, settings, machine, counts
  heatmaps/...       with --heatmaps: each picture with its anomaly map laid over it,
                     and colorbar.png, the color scale
  masks/...          with --masks: white where the map reaches --pixel-threshold

Without --clip and --checkpoint, the small built-in model is used. Methods that train
nothing need no checkpoint: --method winclip, see "acdclip help methods".

A score lies between 0 and 1; higher means more anomalous. The column "anomalous"
is filled in only with --threshold. Heat maps and masks keep the file names and the
subfolders of a given folder (with photos, photos/a/x.png becomes
heatmaps/a/x.png.png). A picture in a folder that cannot be read gets a row with the
error, and the others are still scored; an argument that does not exist is an error.
Folders with output of acdclip are skipped.

--resume goes on in an output folder: pictures that have a row are not scored again,
unless their size or time of change differs, and new ones are added. So a nightly run
scores what is new, and a run that was stopped or killed goes on. The settings must be
those of before. --watch scores the pictures of a folder as they appear, until Ctrl-C.`,
		Example: `  acdclip predict photos --heatmaps
  acdclip predict --clip ViT-L-14-336px.pt --checkpoint last.safetensors --class bolt --heatmaps photos
  acdclip predict --clip ViT-B-16-plus-240.pt --method winclip photos
  acdclip predict --resume --out nightly photos
  find photos -newer last-time -name '*.jpg' -print0 | acdclip predict --null --files-from - --out new
  acdclip predict --clip ViT-L-14-336px.pt --checkpoint last.safetensors --out - photos | sort -t, -k3 -gr | head`,
		Args: func(_ *cobra.Command, arguments []string) error { return o.checkArguments(arguments) },
		RunE: func(command *cobra.Command, arguments []string) error {
			o.inputs = arguments
			o.threshold, o.pixelThreshold = threshold.Value, pixelThreshold.Value
			return runPredict(command.Context(), o)
		},
	}
	flags := command.Flags()
	flags.StringVar(&o.filesFrom, "files-from", "", "`FILE` list of pictures and folders, one a line; - reads it from stdin")
	flags.BoolVar(&o.null, "null", false, "the paths of --files-from end with NUL, as find -print0 writes them")
	flags.StringVar(&o.watch, "watch", "", "`DIR` score the pictures of a folder as they appear, until Ctrl-C")
	flags.StringVar(&o.checkpoint, "checkpoint", "", "`FILE` checkpoint: trained parameters from acdclip train, a file of the method's authors, or a name of acdclip weights list; not for methods that learn nothing")
	flags.StringVar(&o.class, "class", "object", "`NAME` what the pictures show, for the text prompts; _ stands for a space, unless the method keeps it")
	ui.Choice(flags, &o.classFrom, "class-from", []classSource{classFromFolder}, "use the name of each picture's folder as its class")
	ui.Choice(flags, &o.domain, "domain", []domain.Domain{domain.Industrial, domain.Medical}, "domain of the pictures; chooses score weights and smoothing")
	flags.Var(&threshold, "threshold", "`F` mark pictures with at least this score as anomalous, from 0 to 1")
	flags.Var(&pixelThreshold, "pixel-threshold", "`F` with --masks: pixels with at least this map value are white")
	flags.IntVar(&o.batch, "batch", 4, "`N` pictures per forward pass")
	flags.StringVar(&o.out, "out", "acdclip-out", "`DIR` output folder; - writes rows to stdout and no files")
	flags.BoolVar(&o.overwrite, "overwrite", false, "replace existing predictions")
	flags.BoolVar(&o.resume, "resume", false, "go on in the output folder: score only pictures without a row")
	ui.Choice(flags, &o.format, "format", []report.PredictionFormat{report.PredictionCSV, report.PredictionJSONL}, "format of the rows")
	flags.BoolVar(&o.heatmaps, "heatmaps", false, "write heat maps")
	flags.BoolVar(&o.masks, "masks", false, "write masks; needs --pixel-threshold")
	flags.BoolVar(&o.rawScores, "raw-scores", false, "add the columns score_raw and map_max_raw: the method's own values, not scaled to 0 to 1")
	flags.BoolVar(&o.allowOtherCLIP, "allow-other-clip", false, "accept a checkpoint that was trained on another CLIP")
	o.config.registerConfig(flags)
	return command
}

func runPredict(ctx context.Context, o *predictOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	o.app.useMethodOf(&o.config, o.checkpoint)
	loaded, err := o.app.load(&o.config, nil, true)
	if err != nil {
		return err
	}
	if loaded, o.checkpoint, err = o.app.useBuiltin(&o.config, nil, loaded, o.checkpoint); err != nil {
		return err
	}
	// Rather now than after all folders are looked through.
	if err := o.requireCheckpoint(loaded); err != nil {
		return err
	}
	if err := detect.Check(loaded.Config); err != nil {
		return err
	}
	if o.checkpoint != "" {
		if _, err := trained.Read(o.checkpoint, o.app.methods.Cards(), loaded); err != nil {
			return err
		}
	}
	folder := rundir.OutputDir(o.out)
	if err := o.checkFolder(folder, loaded); err != nil {
		return err
	}
	var found []data.Found
	unsupported := 0
	if o.watch == "" {
		if found, unsupported, err = o.scan(ctx); err != nil {
			return err
		}
	}
	detector, err := detect.Open(ctx, detect.Options{
		Methods: o.app.methods, Config: loaded, Checkpoint: o.checkpoint, AllowOtherCLIP: o.allowOtherCLIP, Emit: o.app.emit,
	})
	if err != nil {
		return err
	}
	defer detector.Close()
	if m := detector.Model; m.Path == "" {
		o.app.emit(events.Notice{Text: fmt.Sprintf("method %s (%s), preset %s: nothing is trained", m.Metadata.Method, m.Options.Variant().Label, m.Metadata.Preset)})
	}
	if err := o.app.tell(&o.config, detector.Model.Configuration()); err != nil {
		return err
	}
	o.tellClass(detector.Model.Options)
	run, err := o.describe(detector, loaded.Config)
	if err != nil {
		return err
	}
	low, high := section.MapScale(detector.Model.Options)
	load := loadOptions(loaded.Config)
	output, err := openPredictions(o, folder, load.Decode, heatmap.Scale{Low: low, High: high}, run)
	if err != nil {
		return err
	}
	p := &predicting{options: o, detector: detector, load: load, output: output, emit: o.app.emit}
	if o.watch == "" {
		err = p.score(ctx, marked(found))
	} else {
		err = p.watch(ctx)
	}
	if err = errors.Join(err, output.close(err == nil)); err != nil {
		return o.app.ended(err, output.saved(max(p.total, len(found))))
	}
	o.app.emit(events.Notice{Text: output.summary()})
	return failures(output.failed+unsupported, output.before+output.rows+unsupported)
}

// checkArguments wants something to score.
func (o *predictOptions) checkArguments(arguments []string) error {
	switch {
	case o.watch != "" && (len(arguments) > 0 || o.filesFrom != ""):
		return usagef("--watch scores what appears in its folder; leave out other pictures and folders")
	case len(arguments) == 0 && o.filesFrom == "" && o.watch == "":
		return usagef("no picture or folder was given")
	}
	return nil
}

// checkFolder refuses an output folder that cannot be used, before anything is read.
func (o *predictOptions) checkFolder(folder rundir.Dir, loaded config.Loaded) error {
	if o.out == standardOut {
		return nil
	}
	if err := keepsInputs(o.out, o.overwrite, append([]string{o.checkpoint, loaded.Config.Clip, o.watch}, o.inputs...)); err != nil {
		return err
	}
	if err := folder.Probe(); err != nil {
		return err
	}
	if o.resume && folder.Resumable {
		return nil
	}
	return folder.Check(o.overwrite)
}

// requireCheckpoint wants a checkpoint where the method needs one.
func (o *predictOptions) requireCheckpoint(loaded config.Loaded) error {
	if o.checkpoint == "" && !loaded.Card.Needs(loaded.Config.Model) {
		return nil
	}
	return requireFile("--checkpoint", o.checkpoint, "give a file of trained parameters, from `acdclip train` or the method's authors"+o.app.published.Hint(loaded.Config.Method)+
		"; "+noCheckpointNeeded(loaded.Config.Method))
}

// check finds contradictions between flags.
func (o *predictOptions) check() error {
	switch {
	case o.masks && o.pixelThreshold == nil:
		return usagef("--masks needs --pixel-threshold, the map value from which a pixel is white")
	case o.pixelThreshold != nil && !o.masks:
		return usagef("--pixel-threshold needs --masks")
	case o.resume && o.overwrite:
		return usagef("--resume and --overwrite contradict each other: one keeps what is there, the other replaces it")
	case o.out == standardOut && o.resume:
		return usagef("--resume needs an output folder; --out - writes only rows to stdout")
	case o.null && o.filesFrom == "":
		return usagef("--null needs --files-from")
	case o.out == standardOut && (o.heatmaps || o.masks):
		return usagef("--heatmaps and --masks need an output folder; --out - writes only rows to stdout")
	case o.classFrom != "" && o.config.flags.Changed("class"):
		return usagef("--class and --class-from contradict each other")
	case o.out == "":
		return usagef("--out is empty")
	case strings.TrimSpace(o.class) == "":
		return usagef("--class is empty")
	}
	return positive("--batch", o.batch)
}

// tellClass says which class the prompts name where the user has not, unless the method's
// prompts name none.
func (o *predictOptions) tellClass(model section.Model) {
	if o.config.flags.Changed("class") || o.classFrom != "" || section.PromptName(model, section.Class{Name: "a", Prompt: "a"}) == section.PromptName(model, section.Class{Name: "b", Prompt: "b"}) {
		return
	}
	o.app.emit(events.Notice{Text: fmt.Sprintf("the prompts call what the pictures show %q; --class NAME says it better, --class-from folder takes the folders' names", o.class)})
}

// classOf names what a picture shows.
func (o *predictOptions) classOf(input data.Found) section.Class {
	if o.classFrom != classFromFolder {
		return section.Class{Name: o.class, Prompt: strings.ReplaceAll(o.class, "_", " ")}
	}
	path, err := filepath.Abs(input.Path)
	if err != nil {
		path = input.Path
	}
	folder := filepath.Base(filepath.Dir(path))
	return section.Class{Name: folder, Prompt: data.SpokenName(folder)}
}
