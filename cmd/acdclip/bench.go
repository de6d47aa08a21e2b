package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"acdclip/internal/ui"
	"acdclip/pkg/clip"
	"acdclip/pkg/config"
	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/data/synth"
	"acdclip/pkg/detect"
	"acdclip/pkg/events"
	"acdclip/pkg/parity"
	"acdclip/pkg/plural"
	"acdclip/pkg/processor"
	"acdclip/pkg/report"
	"acdclip/pkg/timing"
	"acdclip/pkg/timing/measure"
	"acdclip/pkg/training"
)

// benchOptions are what `acdclip bench` was asked for.
type benchOptions struct {
	detectorOptions
	inputs  []string
	formats []string // number formats, in the order of clip.Formats
	rounds  int
	train   bool
	parity  bool
	format  benchFormat
}

// benchFormat is how results are printed.
type benchFormat string

const (
	benchTable benchFormat = "table"
	benchJSON  benchFormat = "json"
)

// allFormats is the --precision that means every number format.
const allFormats = "all"

func newBenchCommand(a *app) *cobra.Command {
	o := &benchOptions{detectorOptions: newDetectorOptions(a), format: benchTable}
	command := &cobra.Command{
		Use:   "bench [PATH...]",
		Short: "Measure the speed on this machine, and what faster number formats change",
		Long: fmt.Sprintf(`Measure how long each stage takes on this machine, with the model that the flags name:
  decode and resize     a picture's file to the model's input, on one core
  metrics of a map      adding it with a mask to the pixel metrics, and its share of their
                        summary
  load the model        CLIP and the checkpoint
  prompts of a class    the text features
  image tower           CLIP's image tower alone, once per picture
  rest of the method*   the whole forward pass minus the image tower: a difference of two
                        measurements. A method that runs the tower on crops of a picture
                        has those here too
  read map and score    from the device to the program
  predict, file to map  the whole way of "acdclip predict" for a batch, without drawing
  training step         with --train: loss, gradients and update for one picture, in fp32
                        and bf16; needs much memory

The pictures are the first --batch of PATH..., or a drawn one of the model's size;
fewer are repeated. With --precision fp32,bf16,int8 (or all) each round measures every
format in turn. In each, the model is opened anew and closed again, so that one is in
memory at a time and the peak memory of each is its own; a first batch warms it up. The
first round is a warm-up and is not counted. Shown are the median of the rounds, the
least, the spread (longest minus least), and the ratio of the median to that of fp32.
A busy machine shows in the spread.

With --parity, bench measures no time. It scores all pictures of PATH... in fp32 and in
the other formats (default: all), and compares maps and image scores, their order, and
with labels the AUROC. A dataset folder (see "acdclip help datasets") has labels and
perhaps masks; AUROC is over all its pictures together. The models of all formats are in
memory together. The exit status is 1 if a format misses a bound: a mean difference of
maps of at most %v, and an image AUROC within %v points.`, parity.MostMapMean, parity.MostPoints),
		Example: `  acdclip bench --precision all
  acdclip bench --clip openai:ViT-L/14@336 --checkpoint last.safetensors --precision fp32,int8 --rounds 3 photos
  acdclip bench --train --format json > speed.json
  acdclip bench --parity --precision int8 --class bolt bolts/test`,
		RunE: func(command *cobra.Command, arguments []string) error {
			o.inputs = arguments
			return runBench(command.Context(), o)
		},
	}
	flags := command.Flags()
	o.registerModel(flags)
	flags.IntVar(&o.batch, "batch", 1, "`N` pictures per forward pass")
	flags.IntVar(&o.rounds, "rounds", 5, "`N` rounds that count")
	flags.BoolVar(&o.train, "train", false, "also measure a training step")
	flags.BoolVar(&o.parity, "parity", false, "compare scores and maps with those of fp32 instead of measuring time")
	ui.Choice(flags, &o.format, "format", []benchFormat{benchTable, benchJSON}, "output format")
	o.registerFormats(flags)
	return command
}

// registerFormats lets --precision name several formats. The first one is the
// configuration's, until each is measured.
func (o *benchOptions) registerFormats(flags *pflag.FlagSet) {
	flag := flags.Lookup("precision")
	flag.Usage = "`FORMAT,...` number formats of CLIP's matrices to measure: fp32, bf16, int8 or all (default: the configuration's, and with --parity all)"
	o.config.bound["precision"] = binding{"precision", func() any { return o.formats[0] }}
}

// check finds wrong flags, and reads --precision.
func (o *benchOptions) check() error {
	if flag := o.config.flags.Lookup("precision"); flag.Changed {
		var err error
		if o.formats, err = parseFormats(flag.Value.String()); err != nil {
			return err
		}
	}
	switch {
	case o.parity && len(o.inputs) == 0:
		return usagef("--parity needs pictures: give files, folders or a dataset")
	case o.parity && o.train:
		return usagef("--parity measures no time; leave out --train")
	case o.parity && o.config.flags.Changed("rounds"):
		return usagef("--parity measures no time; leave out --rounds")
	}
	return errors.Join(positive("--rounds", o.rounds), o.checkFlags())
}

// parseFormats reads a list of number formats, and returns it in the order of clip.Formats.
func parseFormats(text string) ([]string, error) {
	var known []string
	for _, format := range clip.Formats() {
		known = append(known, format.Name)
	}
	if text == allFormats {
		return known, nil
	}
	wanted := strings.Split(text, ",")
	for _, name := range wanted {
		if !slices.Contains(known, name) {
			return nil, usagef("--precision %q: must be %s or several of %s with commas between", text, allFormats, plural.And(known))
		}
	}
	return slices.DeleteFunc(known, func(name string) bool { return !slices.Contains(wanted, name) }), nil
}

func runBench(ctx context.Context, o *benchOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	loaded, err := o.loadModel()
	if err != nil {
		return err
	}
	if o.parity {
		return o.runParity(ctx, loaded)
	}
	return o.measure(ctx, loaded)
}

// opener opens the model in number formats, and tells each thing once.
func (o *benchOptions) opener(loaded config.Loaded) func(ctx context.Context, format string) (*detect.Detector, error) {
	told := map[events.Event]bool{}
	return func(ctx context.Context, format string) (*detect.Detector, error) {
		in := loaded
		in.Config.Precision = config.Precision(format)
		return detect.Open(ctx, detect.Options{
			Methods: o.app.methods, Config: in, Checkpoint: o.checkpoint, AllowOtherCLIP: o.allowOtherCLIP,
			Emit: func(event events.Event) {
				if !told[event] {
					told[event] = true
					o.app.emit(event)
				}
			},
		})
	}
}

// measure measures the stages and prints them.
func (o *benchOptions) measure(ctx context.Context, loaded config.Loaded) error {
	if o.train && !loaded.Card.Learns {
		return usagef("the method %s has nothing to train; leave out --train", loaded.Config.Method)
	}
	open := o.opener(loaded)
	if o.formats == nil {
		o.formats = []string{string(loaded.Config.Precision)}
	}
	first, err := open(ctx, o.formats[0]) // says what the model is, before anything is measured
	if err != nil {
		return err
	}
	result, err := o.describe(first)
	if err == nil {
		err = o.app.tell(&o.config, first.Model.Configuration())
	}
	size, used := first.Size(), first.Model.Configuration()
	o.tellClass(first.Model.Options)
	if len(o.formats) == 1 {
		o.formats[0] = first.Precision() // auto and fastest are no formats
	}
	prompt := promptFor(first, o.class)
	first.Close()
	if err != nil {
		return err
	}
	items, about, remove, err := o.benchItems(ctx, size)
	if err != nil {
		return err
	}
	defer remove()
	options := measure.Options{
		Formats: o.formats, Rounds: o.rounds, Items: items, Prompt: prompt, Domain: o.domain, Load: loadOptions(loaded.Config),
		Open: open, Memory: processMemory{"/proc"}, Emit: o.app.emit,
	}
	if o.train {
		options.OpenTraining = o.trainer(used, prompt)
	}
	measured, err := measure.Run(ctx, options)
	if err != nil {
		return o.app.ended(detect.Explain(err, "--batch"), "")
	}
	result.Pictures, result.Batch, result.Rounds = about, measured.Batch, measured.Rounds
	result.Common, result.Formats, result.Peaks = measured.Common, measured.Formats, measured.Peaks
	if o.format == benchJSON {
		return result.WriteJSON(o.app.out)
	}
	return result.WriteTable(o.app.out)
}

// trainer prepares trainings of a configuration with one picture. Formats that are for
// scoring alone have none.
func (o *benchOptions) trainer(c config.Config, prompt string) func(context.Context, string, pixels.Picture) (*training.StepTimer, error) {
	return func(ctx context.Context, format string, picture pixels.Picture) (*training.StepTimer, error) {
		if clip.CheckFormat(format, clip.Use{Gradients: true}) != nil {
			return nil, nil
		}
		in := c
		in.Precision = config.Precision(format)
		return training.OpenStepTimer(ctx, training.StepOptions{
			Methods: o.app.methods, Config: in, Pictures: []pixels.Picture{picture}, Prompt: prompt, Domain: o.domain,
		})
	}
}

// describe says what is measured on what.
func (o *benchOptions) describe(d *detect.Detector) (timing.Report, error) {
	machine, err := d.Machine()
	if err != nil {
		return timing.Report{}, err
	}
	return timing.Report{
		Version: version, Libtorch: machine.Libtorch, Device: machine.Device, CPU: processor.Read("/proc").Name, Instructions: machine.Hardware, Threads: machine.Threads,
		Method: d.Model.Metadata.Method, CLIP: report.EscapeName(machine.CLIP.Path), Checkpoint: report.EscapeName(o.checkpoint), ImageSize: d.Size(),
	}, nil
}

// benchItems returns the pictures of a batch, and says in words which they are: the first of
// the inputs, or without any a drawn one of the model's size. remove deletes what was drawn.
func (o *benchOptions) benchItems(ctx context.Context, size int) (items []data.Item, about string, remove func(), err error) {
	remove = func() {}
	var paths []string
	if len(o.inputs) == 0 {
		var folder string
		if folder, err = os.MkdirTemp("", "acdclip-bench-"); err != nil {
			return nil, "", remove, err
		}
		remove = func() { _ = os.RemoveAll(folder) } // a temporary folder
		about = "a drawn picture"
		paths, err = drawnPicture(ctx, filepath.Join(folder, "drawn"), size)
	} else {
		var found []data.Found
		found, _, err = o.app.scanPictures(ctx, o.inputs, "")
		for _, picture := range found[:min(len(found), o.batch)] {
			paths = append(paths, picture.Path)
		}
		about = plural.Of(len(paths), "picture", "pictures")
	}
	if err != nil {
		remove()
		return nil, "", nil, err
	}
	for i := range o.batch {
		items = append(items, data.Item{Path: paths[i%len(paths)]})
	}
	return items, about, remove, nil
}

// drawnPicture draws a picture with a defect of about a size into a new folder, and returns
// its path.
func drawnPicture(ctx context.Context, folder string, size int) ([]string, error) {
	classes, err := synth.Classes(synth.Textures)
	if err != nil {
		return nil, err
	}
	_, err = synth.Write(ctx, folder, synth.Options{
		Set: synth.Textures, Classes: classes[:1], Normal: -1, Anomalous: 1, Size: min(max(size, synth.MinSize), synth.MaxSize),
	})
	if err != nil {
		return nil, fmt.Errorf("drawing a picture: %w", err)
	}
	return filepath.Glob(filepath.Join(folder, classes[0], "test", "*", "*"))
}
