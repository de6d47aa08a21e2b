package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"acdclip/internal/rundir"
	"acdclip/internal/ui"
	"acdclip/pkg/config"
	"acdclip/pkg/data"
	"acdclip/pkg/heatmap"
	"acdclip/pkg/intake"
	"acdclip/pkg/present"
	"acdclip/pkg/report"
)

// predictOptions are what `acdclip predict` was asked for.
type predictOptions struct {
	detectorOptions
	pictureOptions
	thresholdOptions
	postOptions
	inputs    []string // files, folders and patterns
	filesFrom string   // a file with more of them, "-" for stdin; "" for none
	null      bool     // its paths end with NUL
	watch     string   // a folder whose new pictures are scored until the program is stopped; "" for none
	out       string
	overwrite bool
	resume    bool
	format    report.PredictionFormat
	rawScores bool
}

// standardOut is the --out that means stdout, standardIn the --files-from that means stdin.
const (
	standardOut = "-"
	standardIn  = "-"
)

// newPredictOptions returns what no flag changes.
func newPredictOptions(detector detectorOptions) *predictOptions {
	return &predictOptions{detectorOptions: detector, pictureOptions: pictureOptions{heatmapFormat: heatmap.PNG, colorMap: heatmap.Flame}, format: report.PredictionCSV}
}

func newPredictCommand(a *app) *cobra.Command {
	o := newPredictOptions(newDetectorOptions(a))
	var thresholds thresholdFlags
	command := &cobra.Command{
		Use:   "predict [--clip CLIP] [--checkpoint FILE] PATH...",
		Short: "Score pictures and folders of pictures",
		Long: `Score pictures and folders of pictures (with their subfolders), and write into the
output folder:
  predictions.csv    one row per picture, in the order given
  run.json           what made the rows: model, settings, machine, counts
  index.html         with --html: a page with all pictures, scores and maps, to look at and
                     to pass on (with the folders page and thumbnails); needs no network
  heatmaps/...       with --heatmaps: each picture with its anomaly map laid over it and
                     its score, and colorbar.png, the color scale
  figures/...        with --figures: picture and anomaly map side by side, with a caption
  masks/...          with --masks: white where the map reaches the pixels' threshold
  maps/...           with --save-maps: the anomaly maps at the model's size (of a picture
                     cut into tiles, the blended map), as NumPy arrays, or 32-bit TIFF or
                     16-bit PNG pictures
  thumbnails/...     with --thumbnails: the pictures, small

Without --clip and --checkpoint, the small built-in model is used. Methods that train
nothing need no checkpoint: --method winclip, see "acdclip help methods".

A score lies between 0 and 1; higher means more anomalous. Nothing is called anomalous
without thresholds, from --threshold and --pixel-threshold or from a calibration ("acdclip
calibrate --help"). With a threshold for pixels, the rows have the number of regions that
reach it, their share of the picture and the box of the strongest (x y width height);
JSON lines list up to 1000 regions; heat maps outline them, and their color scale has the
threshold at three fifths.

Pictures are turned by their EXIF orientation, as cameras and phones set it; rows, heat
maps, masks, maps and boxes are those of the turned picture. For a camera of 12 bits that
saves 16-bit pictures, give --set data.depth=12, else they are almost black. TIFF
pictures of 32-bit floats must have values from 0 (black) to 1 (white).

Output pictures keep the file names and the subfolders of a given folder (with photos,
photos/a/x.png becomes heatmaps/a/x.png.png). A picture in a folder that cannot be read
gets a row with the error, and the others are still scored; an argument that does not
exist is an error. Folders with output of acdclip are skipped.

--resume goes on in an output folder: pictures that have a row are not scored again,
unless their size or time of change differs, and new ones are added. So a nightly run
scores what is new, and a run that was stopped or killed goes on. The settings must be
those of before. --watch scores the pictures of a folder as they appear, until Ctrl-C.

--post URL posts each row to a webhook beside the scoring, in the order of the rows: a JSON
object with an id and the row as JSON lines have it. A row waits on disk, in the output
folder, until an answer has a status from 200 to 299. Failures are tried again, with the
same id in the header Idempotency-Key. A row that the receiver refuses (such as with 400 or
422) is put aside. What is not delivered within --post-timeout after the last picture makes
the exit status 3; the same command with --resume posts it.

` + tileHelp,
		Example: `  acdclip predict photos --html
  acdclip predict --clip ViT-L-14-336px.pt --checkpoint last.safetensors --class bolt --heatmaps photos
  acdclip predict --clip ViT-B-16-plus-240.pt --method winclip photos
  acdclip predict --tile 512 --heatmaps --max-side 2000 large-photos
  acdclip predict --resume --out nightly photos
  acdclip predict --watch camera --resume --out line-1 --post https://example.com/hook --post-token-file token
  find photos -newer last-time -name '*.jpg' -print0 | acdclip predict --null --files-from - --out new
  acdclip predict --clip ViT-L-14-336px.pt --checkpoint last.safetensors --out - photos | sort -t, -k3 -gr | head`,
		Args: func(_ *cobra.Command, arguments []string) error { return o.checkArguments(arguments) },
		RunE: func(command *cobra.Command, arguments []string) error {
			o.inputs = arguments
			o.takeFlags(thresholds)
			return runPredict(command.Context(), o)
		},
	}
	flags := command.Flags()
	flags.StringVar(&o.filesFrom, "files-from", "", "`FILE` list of pictures and folders, one a line; - reads it from stdin")
	flags.BoolVar(&o.null, "null", false, "the paths of --files-from end with NUL, as find -print0 writes them")
	flags.StringVar(&o.watch, "watch", "", "`DIR` score the pictures of a folder as they appear, until Ctrl-C")
	o.register(flags)
	o.registerThresholds(flags, &thresholds)
	flags.StringVar(&o.out, "out", "acdclip-out", "`DIR` output folder; - writes rows to stdout and no files")
	flags.BoolVar(&o.overwrite, "overwrite", false, "replace existing predictions")
	flags.BoolVar(&o.resume, "resume", false, "go on in the output folder: score only pictures without a row")
	ui.Choice(flags, &o.format, "format", []report.PredictionFormat{report.PredictionCSV, report.PredictionJSONL, report.PredictionXLSX}, "format of the rows; xlsx writes an Excel workbook beside the CSV file")
	o.registerPictures(flags)
	o.registerPost(flags)
	flags.BoolVar(&o.rawScores, "raw-scores", false, "add the columns score_raw and map_max_raw: the method's own values, not scaled to 0 to 1")
	return command
}

func runPredict(ctx context.Context, o *predictOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	to, err := o.receiver(o.app, o.config.flags)
	if err != nil {
		return err
	}
	loaded, err := o.loadModel()
	if err != nil {
		return err
	}
	if err := o.checkFolder(rundir.OutputDir(o.out), loaded); err != nil {
		return err
	}
	var found []data.Found
	unsupported := 0
	if o.watch == "" {
		if found, unsupported, err = o.scan(ctx); err != nil {
			return err
		}
		if err := o.keepsFound(found); err != nil {
			return err
		}
	} else if err := checkWatched(o.watch); err != nil {
		return err
	}
	detector, err := o.open(ctx, loaded)
	if err != nil {
		return err
	}
	defer detector.Close()
	p, err := o.begin(detector, loaded.Config, to)
	if err != nil {
		return err
	}
	if o.watch == "" {
		_, err = p.score(ctx, intake.Marked(found))
	} else {
		err = p.watch(ctx)
	}
	if err := p.end(ctx, err, len(found)); err != nil {
		return err
	}
	unsupported += p.unsupported
	c := p.output.count(false)
	if err := failures(c.failed+unsupported, c.earlier+c.rows+unsupported); err != nil {
		o.app.warn(p.output.unposted)
		return err
	}
	return p.output.unposted
}

// keepsFound refuses to overwrite a folder with pictures to score, however they were given.
func (o *predictOptions) keepsFound(found []data.Found) error {
	if !o.overwrite || o.out == standardOut {
		return nil
	}
	paths := make([]string, len(found))
	for i, picture := range found {
		paths[i] = picture.Path
	}
	return keepsInputs(o.out, true, paths)
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

// check finds contradictions between flags.
func (o *predictOptions) check() error {
	switch {
	case o.masks && o.pixelThreshold == nil && o.calibration == "" && !present.Any(calibrationBeside(o.checkpoint)):
		return errNoPixelThreshold
	case o.resume && o.overwrite:
		return usagef("--resume and --overwrite contradict each other: one keeps what is there, the other replaces it")
	case o.out == standardOut && o.resume:
		return usagef("--resume needs an output folder; --out - writes only rows to stdout")
	case o.out == standardOut && o.format == report.PredictionXLSX:
		return usagef("--format xlsx needs an output folder; --out - writes only rows to stdout")
	case o.null && o.filesFrom == "":
		return usagef("--null needs --files-from")
	case o.out == standardOut && o.any():
		return usagef("--html, --heatmaps, --figures, --masks, --thumbnails and --save-maps need an output folder; --out - writes only rows to stdout")
	case o.out == "":
		return usagef("--out is empty")
	}
	return errors.Join(o.checkPictures(o.config.flags), o.checkPost(o.config.flags, o.out), o.checkFlags())
}
