package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"al.essio.dev/pkg/shellescape"
	"github.com/spf13/cobra"

	"acdclip/internal/rundir"
	"acdclip/pkg/calibration"
	"acdclip/pkg/conditions"
	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/detect"
	"acdclip/pkg/domain"
	"acdclip/pkg/events"
	"acdclip/pkg/plural"
	"acdclip/pkg/scoring"
)

// calibrateOptions are what `acdclip calibrate` was asked for.
type calibrateOptions struct {
	detectorOptions
	good, bad   []string
	target      string // a dataset in their place; "" for none
	selection   selection
	falseAlarms float64
	recall      float64
	f1          bool
	file        outputFile
	readings    readings
}

// calibrationFile is the default file where the checkpoint is no file.
const calibrationFile = "calibration.json"

func newCalibrateCommand(a *app) *cobra.Command {
	o := &calibrateOptions{detectorOptions: newDetectorOptions(a)}
	command := &cobra.Command{
		Use:   "calibrate [--clip CLIP] [--checkpoint FILE] GOOD... [--bad BAD] | --target NAME[=PATH]",
		Short: "Find thresholds from pictures that are known to be good",
		Long: `Find thresholds for predict from pictures that are known to be good, and write them
into a small JSON file. GOOD are pictures and folders of pictures like those to be
scored later, that the model should not call anomalous.

A folder with a subfolder good, ok or normal has labels: pictures in its other
subfolders (bad, nok, scratch, ...) are bad ones; masks and train are left out.
--target takes the normal and anomalous test pictures of a dataset, as eval does, with
its domain and the name of its class; of several classes, --classes chooses one.

Without other flags, the thresholds are those that 1% of good pictures reach
(--false-alarms). Nothing is assumed about how scores are distributed, so a rate of
1% takes at least 99 good pictures; the interval that holds the true rate with 95%
probability is printed, and narrows with more pictures. With bad pictures (--bad), the
thresholds can be those of a wanted recall (--recall), or of the largest F1 (--f1). With
--f1 and a dataset with masks, the map's threshold is that of the largest F1 of pixels,
but with --tile of the maps' maxima, as without masks.

There are two thresholds: of the score, from which a picture is anomalous, and of the
map, from which a pixel is. A picture reaches the latter where any of its pixels does.

The file is written beside the checkpoint (last.calibration.json for last.safetensors),
where predict finds it; for the built-in model and for methods without a checkpoint it
is calibration.json in the current folder, for predict --calibration. predict refuses
it where method, checkpoint, CLIP, class, domain, image size or tiles differ, or how pictures
are read: like predict, calibrate turns them by their EXIF orientation, which --set
data.exif_orientation=false leaves out; --set data.depth=12 is for a camera of 12 bits.`,
		Example: `  acdclip calibrate --class bolt photos/good
  acdclip calibrate --checkpoint last.safetensors --false-alarms 0.05 --class bolt photos/good
  acdclip calibrate --class bolt photos/good --bad photos/bad --recall 0.95
  acdclip calibrate --class bolt photos --f1                  (photos has the folders good and bad)
  acdclip calibrate --target mvtec=/data/mvtec --classes metal_nut --f1
  acdclip predict --class bolt --calibration calibration.json new-photos`,
		Args: func(_ *cobra.Command, arguments []string) error { return o.checkArguments(arguments) },
		RunE: func(command *cobra.Command, arguments []string) error {
			o.good = arguments
			return runCalibrate(command.Context(), o)
		},
	}
	flags := command.Flags()
	flags.StringArrayVar(&o.bad, "bad", nil, "`PATH` a bad picture or a folder of bad pictures; can be repeated")
	flags.StringVar(&o.target, "target", "", "`NAME[=PATH]` dataset whose test pictures are the good and bad ones")
	o.selection.register(flags)
	flags.Float64Var(&o.falseAlarms, "false-alarms", 0.01, "`RATE` the thresholds are those that this share of good pictures reach")
	flags.Float64Var(&o.recall, "recall", 0, "`RATE` the thresholds are those that this share of bad pictures reach")
	flags.BoolVar(&o.f1, "f1", false, "the thresholds are those with the largest F1 on good and bad pictures")
	o.file.register(flags, "`FILE` the file to write (default: beside the checkpoint, or "+calibrationFile+")")
	o.register(flags)
	return command
}

func runCalibrate(ctx context.Context, o *calibrateOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	loaded, err := o.loadModel()
	if err != nil {
		return err
	}
	if o.file.path == "" {
		if o.file.path = calibrationBeside(o.checkpoint); o.file.path == "" {
			o.file.path = calibrationFile
		}
	}
	if err := o.file.check(); err != nil {
		return err
	}
	pictures, err := o.pictures(ctx, loaded.Config)
	if err != nil {
		return err
	}
	detector, err := o.open(ctx, loaded)
	if err != nil {
		return err
	}
	defer detector.Close()
	if err := o.nameClass(ctx, detector, pictures.set); err != nil {
		return err
	}
	basis, err := o.conditions(detector, loaded.Config)
	if err != nil {
		return err
	}
	load := o.loadOptions(loaded.Config)
	o.readings = newReadings(load.Decode)
	var masked *truePixels
	if set := pictures.set; o.f1 && set != nil && set.HasMasks() && o.tiles.Size == 0 { // masks are read at the size of whole pictures
		load.Masks, load.MaskThreshold = true, set.MaskThreshold
		if masked, err = collectPixels(set); err != nil {
			return err
		}
		defer masked.close()
	}
	good, err := o.score(ctx, detector, load, pictures.good, masked)
	if err != nil {
		return err
	}
	bad, err := o.score(ctx, detector, load, pictures.bad, masked)
	if err != nil {
		return err
	}
	o.readings.tell(o.app.emit)
	return o.write(good, bad, masked, basis)
}

// checkArguments wants good pictures, or a dataset.
func (o *calibrateOptions) checkArguments(arguments []string) error {
	switch {
	case o.target == "" && len(arguments) == 0:
		return usagef("no good picture or folder of good pictures was given")
	case o.target == "" && (len(o.selection.classes) > 0 || o.selection.limit != 0):
		return usagef("--classes and --limit choose pictures of a dataset; they need --target")
	case o.target != "" && (len(arguments) > 0 || o.bad != nil):
		return usagef("--target gives good and bad pictures; leave out other pictures and --bad")
	case o.target != "" && o.classFrom != "":
		return usagef("--class-from folder would take the folders of good and bad pictures of --target for classes; --classes chooses a class")
	}
	return nil
}

// needsBad reports whether the thresholds are chosen by bad pictures too.
func (o *calibrateOptions) needsBad() bool { return o.f1 || o.config.flags.Changed("recall") }

// check finds contradictions between flags.
func (o *calibrateOptions) check() error {
	rules := 0
	for _, flag := range []string{"false-alarms", "recall", "f1"} {
		if o.config.flags.Changed(flag) {
			rules++
		}
	}
	switch {
	case rules > 1:
		return usagef("--false-alarms, --recall and --f1 contradict each other: each chooses the thresholds")
	case o.config.flags.Changed("recall") && !(o.recall > 0 && o.recall < 1):
		return usagef("--recall is %v, but must be above 0 and below 1", o.recall)
	case !(o.falseAlarms > 0 && o.falseAlarms < 1):
		return usagef("--false-alarms is %v, but must be above 0 and below 1", o.falseAlarms)
	}
	if o.target != "" {
		dataset, err := parseDataset("--target", o.target)
		if err != nil {
			return err
		}
		o.datasets = []datasetArgument{dataset}
	}
	return errors.Join(o.selection.check(), o.checkFlags())
}

// sample holds the values of pictures of one kind.
type sample struct{ scores, maxima []float32 }

// score scores pictures, and collects their pixels in masked. A picture that cannot be scored
// is an error: the rates would be of others.
func (o *calibrateOptions) score(ctx context.Context, detector *detect.Detector, load pixels.LoadOptions, part labelledPart, masked *truePixels) (s sample, err error) {
	if len(part.found) == 0 {
		return s, nil
	}
	p := detect.PredictOptions{Inputs: part.found, Items: part.items, PromptOf: o.promptOf(detector.Model.Options), Domain: o.domain, Batch: o.batch, Load: load}
	var failed []string
	err = detect.Predict(ctx, detector, p, o.app.emit, func(input data.Found, scored scoring.Scored) error {
		o.readings.add(scored.Picture)
		if scored.Err != nil {
			o.app.emit(events.Warning{Text: input.Path + ": " + withoutPath(scored.Err, input.Path)})
			failed = append(failed, input.Path)
			return nil
		}
		s.scores, s.maxima = append(s.scores, scored.Score), append(s.maxima, scored.MapMax)
		return masked.add(scored)
	})
	if err != nil {
		return s, err
	}
	if failed != nil {
		return s, fmt.Errorf("%s cannot be scored (%s); nothing was written: remove them, or give other pictures", plural.Of(len(failed), "picture", "pictures"), plural.Few(failed))
	}
	return s, nil
}

// write finds the thresholds, writes the file, and says what to expect.
func (o *calibrateOptions) write(good, bad sample, masked *truePixels, basis conditions.Record) error {
	find, rule := o.rule()
	score, err := find(good.scores, bad.scores)
	if err != nil {
		return o.refuse(err)
	}
	var pixel calibration.Threshold
	if masked != nil {
		rule += ", of pixels by their masks"
		pixel, err = masked.threshold(good.maxima, bad.maxima, o.app.emit)
	} else {
		pixel, err = find(good.maxima, bad.maxima)
	}
	if err != nil {
		return fmt.Errorf("the maps' threshold: %w", err)
	}
	c := &calibration.Calibration{
		Version: version, Created: time.Now().UTC().Truncate(time.Second), Rule: rule, Good: len(good.scores), Bad: len(bad.scores), Score: score, Pixel: pixel, Conditions: basis,
	}
	if err := o.own(); err != nil {
		return err
	}
	if err := o.file.write(c.WriteJSON); err != nil {
		return err
	}
	for _, t := range []struct {
		name string
		calibration.Threshold
	}{{"score", score}, {"pixels", pixel}} {
		text := fmt.Sprintf("%s at least %v: %s of further good pictures will reach it", t.name, t.Value, between(t.FalseAlarms))
		if t.Recall != nil {
			text += fmt.Sprintf(", and %s of bad ones", between(*t.Recall))
		}
		if o.f1 { // an interval would hold for a threshold that was not chosen on these pictures
			text = fmt.Sprintf("%s at least %v: %.3g%% of these good pictures reach it, and %.3g%% of the bad ones; of others, expect somewhat worse rates", t.name, t.Value, 100*t.FalseAlarms.Seen, 100*t.Recall.Seen)
		}
		o.app.emit(events.Notice{Text: text})
	}
	predict := "predict"
	if o.classKnown { // else the user has chosen them
		predict += " --class " + shellescape.Quote(o.class)
		if o.domain != domain.Industrial {
			predict += " --domain " + string(o.domain)
		}
	}
	how := predict + " --calibration " + o.file.path + " uses it"
	if o.file.path == calibrationBeside(o.checkpoint) {
		how = predict + " uses it with " + o.checkpoint
	}
	o.app.emit(events.Notice{Text: fmt.Sprintf("%s has both thresholds, from %d good and %d bad pictures; %s", o.file.path, c.Good, c.Bad, how)})
	return nil
}

// own lists the file as the run folder's own where it is beside a checkpoint of a run, so that
// train --overwrite may replace it.
func (o *calibrateOptions) own() error {
	folder, name := filepath.Split(o.file.path)
	run := rundir.TrainingDir(filepath.Clean(folder))
	if o.file.path != calibrationBeside(o.checkpoint) || !run.Lists(filepath.Base(o.checkpoint)) || run.Lists(name) {
		return nil
	}
	return run.Own(name)
}

// refuse says what else can be done with too few pictures.
func (o *calibrateOptions) refuse(err error) error {
	var few *calibration.TooFewError
	if errors.As(err, &few) && !o.config.flags.Changed("false-alarms") && few.Kind == "good" {
		return fmt.Errorf("%w; give more, or a higher rate with --false-alarms", err)
	}
	return err
}

// between writes a rate's interval in per cent.
func between(r calibration.Rate) string {
	return fmt.Sprintf("%.3g%% to %.3g%%", 100*r.Low, 100*r.High)
}

// rule returns how thresholds are found from values of good and bad pictures, and its name.
func (o *calibrateOptions) rule() (find func(good, bad []float32) (calibration.Threshold, error), name string) {
	switch {
	case o.f1:
		return calibration.ForF1, "the largest F1"
	case o.recall > 0:
		return func(good, bad []float32) (calibration.Threshold, error) {
			return calibration.ForRecall(good, bad, o.recall)
		}, fmt.Sprintf("%.4g%% recall", 100*o.recall)
	}
	return func(good, bad []float32) (calibration.Threshold, error) {
		t, err := calibration.ForFalseAlarms(good, o.falseAlarms)
		if err == nil && len(bad) > 0 {
			t.Recall = new(calibration.Seen(bad, t.Value))
		}
		return t, err
	}, fmt.Sprintf("%.4g%% false alarms", 100*o.falseAlarms)
}
