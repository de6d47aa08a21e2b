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
	"acdclip/pkg/plural"
	"acdclip/pkg/report"
	"acdclip/pkg/trained"
)

// predictOptions are what `acdclip predict` was asked for.
type predictOptions struct {
	app            *app
	config         configFlags
	inputs         []string
	checkpoint     string
	class          string
	classFrom      classSource
	domain         domain.Domain
	threshold      *float32 // nil where none was given
	pixelThreshold *float32
	batch          int
	out            string
	overwrite      bool
	format         report.PredictionFormat
	heatmaps       bool
	masks          bool
	rawScores      bool
	allowOtherCLIP bool
}

// classSource says where the classes of pictures come from, instead of --class.
type classSource string

const classFromFolder classSource = "folder"

// standardOut is the --out that means stdout.
const standardOut = "-"

func newPredictCommand(a *app) *cobra.Command {
	o := &predictOptions{app: a, domain: domain.Industrial, format: report.PredictionCSV}
	var threshold, pixelThreshold ui.Score
	command := &cobra.Command{
		Use:   "predict [--clip CLIP] [--checkpoint FILE] PATH...",
		Short: "Score pictures and folders of pictures",
		Long: `Score pictures and folders of pictures (with their subfolders), and write into the
output folder:
  predictions.csv    one row per picture, in the order given
  heatmaps/...       with --heatmaps: each picture with its anomaly map laid over it,
                     and colorbar.png, the color scale
  masks/...          with --masks: white where the map reaches --pixel-threshold

Without --clip and --checkpoint, the small built-in model is used. Methods that train
nothing need no checkpoint: --method winclip, see "acdclip help methods".

A score lies between 0 and 1; higher means more anomalous. The column "anomalous"
is filled in only with --threshold. Heat maps and masks keep the file names and the
subfolders of a given folder (with photos, photos/a/x.png becomes
heatmaps/a/x.png.png). A picture in a folder that cannot be read gets a row with the
error, and the others are still scored; an argument that does not exist is an error.`,
		Example: `  acdclip predict photos --heatmaps
  acdclip predict --clip ViT-L-14-336px.pt --checkpoint last.safetensors --class bolt --heatmaps photos
  acdclip predict --clip ViT-B-16-plus-240.pt --method winclip photos
  acdclip predict --clip ViT-L-14-336px.pt --checkpoint last.safetensors --out - photos | sort -t, -k2 -gr | head`,
		Args: someArgs("picture or folder"),
		RunE: func(command *cobra.Command, arguments []string) error {
			o.inputs = arguments
			o.threshold, o.pixelThreshold = threshold.Value, pixelThreshold.Value
			return runPredict(command.Context(), o)
		},
	}
	flags := command.Flags()
	flags.StringVar(&o.checkpoint, "checkpoint", "", "`FILE` checkpoint: trained parameters from acdclip train, a file of the method's authors, or a name of acdclip weights list; not for methods that learn nothing")
	flags.StringVar(&o.class, "class", "object", "`NAME` what the pictures show, for the text prompts; _ stands for a space, unless the method keeps it")
	ui.Choice(flags, &o.classFrom, "class-from", []classSource{classFromFolder}, "use the name of each picture's folder as its class")
	ui.Choice(flags, &o.domain, "domain", []domain.Domain{domain.Industrial, domain.Medical}, "domain of the pictures; chooses score weights and smoothing")
	flags.Var(&threshold, "threshold", "`F` mark pictures with at least this score as anomalous, from 0 to 1")
	flags.Var(&pixelThreshold, "pixel-threshold", "`F` with --masks: pixels with at least this map value are white")
	flags.IntVar(&o.batch, "batch", 4, "`N` pictures per forward pass")
	flags.StringVar(&o.out, "out", "acdclip-out", "`DIR` output folder; - writes rows to stdout and no files")
	flags.BoolVar(&o.overwrite, "overwrite", false, "replace existing predictions")
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
	folder := rundir.Dir{Path: o.out, Kind: "output folder"}
	if o.out != standardOut {
		if err := keepsInputs(o.out, o.overwrite, append([]string{o.checkpoint, loaded.Config.Clip}, o.inputs...)); err != nil {
			return err
		}
		if err := folder.Probe(); err != nil {
			return err
		}
	}
	inputs, err := o.scan(ctx, folder)
	if err != nil {
		return err
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
	load := loadOptions(loaded.Config)
	low, high := section.MapScale(detector.Model.Options)
	output, err := openPredictions(o, folder, load.Decode, heatmap.Scale{Low: low, High: high})
	if err != nil {
		return err
	}
	err = detect.Predict(ctx, detector, detect.PredictOptions{
		Inputs: inputs, PromptOf: func(input data.Found) string { return section.PromptName(detector.Model.Options, o.classOf(input)) }, Domain: o.domain, Batch: o.batch, Load: load,
	}, o.app.emit, output.add)
	if err = errors.Join(err, output.close()); err != nil {
		return o.app.ended(err, output.saved(len(inputs)))
	}
	o.app.emit(events.Notice{Text: output.summary()})
	return failures(output.failed, output.rows)
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

// scan lists the pictures, and checks that no output can fall on them.
func (o *predictOptions) scan(ctx context.Context, folder rundir.Dir) ([]data.Found, error) {
	var others, unread, formats []string
	options := data.ScanOptions{Other: func(path string) {
		if format := data.UnreadFormat(path); format != "" {
			unread, formats = append(unread, filepath.Base(path)), append(formats, format)
			return
		}
		others = append(others, filepath.Base(path))
	}}
	if o.out != standardOut {
		options.Skip = o.out
	}
	inputs, err := data.Scan(ctx, o.inputs, options)
	if err != nil {
		return nil, err
	}
	if len(unread) > 0 {
		o.app.emit(events.Warning{Text: fmt.Sprintf("%s (%s)", data.UnreadText(formats), plural.Few(unread))})
	}
	if len(others) > 0 {
		o.app.emit(events.Notice{Text: fmt.Sprintf("skipped %s without a picture extension: %s",
			plural.Of(len(others), "file", "files"), plural.Few(others))})
	}
	if o.out == standardOut {
		return inputs, nil
	}
	return inputs, folder.Check(o.overwrite)
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
