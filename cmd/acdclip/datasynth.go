package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"acdclip/internal/ui"
	"acdclip/pkg/data/synth"
	"acdclip/pkg/events"
	"acdclip/pkg/plural"
)

// synthOptions are what `acdclip data synth` was asked for.
type synthOptions struct {
	app     *app
	display ui.Options
	folder  string
	set     setName
	synth   synth.Options
	pairs   int
	given   func(flag string) bool
}

// setName is one of synth.Sets.
type setName string

func newSynthCommand(a *app) *cobra.Command {
	o := &synthOptions{app: a, set: synth.All}
	command := &cobra.Command{
		Use:   "synth DIR",
		Short: "Draw a small dataset of surfaces or objects, with defects and exact masks",
		Long: `Draw a small procedural dataset to try the program with. It is not a benchmark.

It uses MVTec's folder layout and the classes of a set. The sets share no class:
` + describeSets() + `
The built-in CLIP has seen the classes and the kinds of defect of the set seen, its
adapters those of more too, and both none of the others; the kinds of defect in the
set novel are in no other. The pictures of seen, more, tuning and novel vary like
photographs: some are dark, blurred, noisy or compressed.

--pairs draws pictures to learn from in place of a dataset: each without and with a
defect, and its mask, as NumPy arrays (pairs-000.npy, masks-000.npy) with a list of
their classes (pairs-000.json).

With --layout it uses the folders, file formats and class names that a benchmark
publishes. The layouts are
  ` + strings.Join(synth.Layouts(), ", ") + `
where all puts each into a folder of its own below DIR, and writes ` + synth.ConfigFile + `
for eval's --config. rsdd and the colon sets have anomalous test pictures only,
and ignore --normal and --train-normal; colon_cvc300 has at most 60. visa, brain
and retina also get a few training and validation pictures, which are not to be
counted. rsdd's pictures are 6 and 23 times as high as wide, and at least ` + fmt.Sprint(synth.MinSize) + `
pixels wide.`,
		Example: `  acdclip data synth textures --set textures --normal 8 --anomalous 8
  acdclip data synth twelve --layout all --size 64
  acdclip data synth pairs --pairs 100000`,
		Args: oneArg("folder"),
		RunE: func(command *cobra.Command, arguments []string) error {
			o.folder, o.given = arguments[0], command.Flags().Changed
			return runSynth(command.Context(), o)
		},
	}
	flags := command.Flags()
	var sets []setName
	for _, name := range synth.Sets() {
		sets = append(sets, setName(name))
	}
	ui.Choice(flags, &o.set, "set", sets, "classes to draw")
	flags.StringVar(&o.synth.Layout, "layout", "", "`BENCHMARK` write the folders of this benchmark, or of all")
	flags.StringSliceVar(&o.synth.Classes, "classes", nil, "`A,B` only these classes of the set or benchmark")
	flags.IntVar(&o.synth.Normal, "normal", 12, "`N` normal test pictures per class; with --layout the default is 2")
	flags.IntVar(&o.synth.Anomalous, "anomalous", 12, "`N` anomalous test pictures per class, each with a mask; with --layout the default is 3")
	flags.IntVar(&o.synth.TrainNormal, "train-normal", 0, "`N` normal pictures per class in train folders, for methods that train on them")
	flags.IntVar(&o.synth.Size, "size", 256, fmt.Sprintf("`PIXELS` longer side of the pictures, %d to %d", synth.MinSize, synth.MaxSize))
	flags.IntVar(&o.pairs, "pairs", 0, "`N` draw N pairs of pictures to learn from, as NumPy arrays, instead of a dataset")
	flags.Uint64Var(&o.synth.Seed, "seed", 0, "`N` random seed")
	o.display.Register(flags)
	return command
}

func describeSets() string {
	var b strings.Builder
	for _, set := range []string{synth.Textures, synth.Objects} {
		classes, _ := synth.Classes(set) // a set of its own table
		fmt.Fprintf(&b, "  %-13s %s\n", set, strings.Join(classes, ", "))
	}
	for _, set := range []string{synth.SeenTextures, synth.SeenObjects, synth.More, synth.Tuning, synth.Novel} {
		classes, _ := synth.Classes(set)
		fmt.Fprintf(&b, "  %-13s %d classes: %s, ...\n", set, len(classes), strings.Join(classes[:4], ", "))
	}
	fmt.Fprintf(&b, "  %-13s %s\n", synth.All, "textures and objects")
	fmt.Fprintf(&b, "  %-13s %s\n", synth.Seen, "seen-textures and seen-objects")
	return strings.TrimSuffix(b.String(), "\n")
}

func runSynth(ctx context.Context, o *synthOptions) error {
	o.app.screen.Use(o.display)
	options, err := o.resolve()
	if err != nil {
		return err
	}
	if o.given("pairs") {
		return o.drawPairs(ctx, options)
	}
	drawing := ui.NewCounter(o.app.emit, "draw "+o.folder, "pictures")
	options.Progress = drawing.Progress
	summary, err := synth.Write(ctx, o.folder, options)
	switch {
	case errors.Is(err, synth.ErrNothing):
		return usagef("--normal, --anomalous and --train-normal are all 0: there is nothing to draw")
	case err != nil:
		return err // nothing is left behind
	}
	drawing.Done()
	o.app.emit(events.Notice{Text: describeDrawn(o.folder, summary)})
	return nil
}

// drawPairs draws pairs of pictures; the defaults are synth.PairOptions'.
func (o *synthOptions) drawPairs(ctx context.Context, options synth.Options) error {
	for _, flag := range []string{"layout", "classes", "normal", "anomalous", "train-normal"} {
		if o.given(flag) {
			return usagef("--pairs and --%s cannot be combined", flag)
		}
	}
	if o.pairs < 1 || o.pairs > synth.MaxPairs {
		return usagef("--pairs %d: must be from 1 to %d", o.pairs, synth.MaxPairs)
	}
	if o.given("size") && options.Size > synth.MaxPairSize {
		return usagef("--size %d: must be from %d to %d with --pairs", options.Size, synth.MinSize, synth.MaxPairSize)
	}
	drawing := ui.NewCounter(o.app.emit, "draw "+o.folder, "pairs")
	pairs := synth.PairOptions{Seed: options.Seed, Count: o.pairs, Progress: drawing.Progress}
	if o.given("set") {
		pairs.Set = options.Set
	}
	if o.given("size") {
		pairs.Size = options.Size
	}
	if err := synth.WritePairs(ctx, o.folder, pairs); err != nil {
		return err
	}
	drawing.Done()
	return nil
}

func describeDrawn(folder string, summary synth.Summary) string {
	of := summary.Classes
	if len(summary.Layouts) > 1 {
		of = summary.Layouts
	}
	names := strings.Join(of, ", ")
	if len(of) > 20 {
		names = plural.Of(len(of), "class", "classes")
	}
	text := fmt.Sprintf("%s holds %d normal and %d anomalous test pictures of %s", folder, summary.Normal, summary.Anomalous, names)
	if summary.TrainNormal > 0 {
		text += fmt.Sprintf(", and %d normal training pictures", summary.TrainNormal)
	}
	if summary.Validation > 0 {
		text += fmt.Sprintf(", and %d validation pictures", summary.Validation)
	}
	return text
}

// resolve checks the flags. What was not given is synth's default, and a count
// of 0 on the command line means none.
func (o *synthOptions) resolve() (synth.Options, error) {
	options := o.synth
	if options.Size < synth.MinSize || options.Size > synth.MaxSize {
		return options, usagef("--size %d: must be from %d to %d", options.Size, synth.MinSize, synth.MaxSize)
	}
	for _, count := range []struct {
		flag  string
		value *int
	}{{"normal", &options.Normal}, {"anomalous", &options.Anomalous}, {"train-normal", &options.TrainNormal}} {
		switch {
		case !o.given(count.flag):
			*count.value = 0
		case *count.value < 0 || *count.value > synth.MaxCount:
			return options, usagef("--%s %d: must be from 0 to %d", count.flag, *count.value, synth.MaxCount)
		case *count.value == 0:
			*count.value = -1
		}
	}
	switch {
	case !o.given("layout"):
		options.Set = string(o.set)
	case o.given("set"):
		return options, usagef("--layout and --set cannot be combined: a layout has its own classes")
	case options.Layout == "":
		return options, usagef("--layout is empty; the layouts are %s", strings.Join(synth.Layouts(), ", "))
	}
	return options, nil
}
