package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"acdclip/pkg/data/synth"
	"acdclip/pkg/report"
)

// synthOptions are what `acdclip data synth` was asked for.
type synthOptions struct {
	app     *app
	display displayFlags
	folder  string
	set     setName
	synth   synth.Options
}

// setName is one of synth.Sets.
type setName string

func newSynthCommand(a *app, run func(context.Context, *synthOptions) error) *cobra.Command {
	o := &synthOptions{app: a, set: synth.All}
	command := &cobra.Command{
		Use:   "synth DIR",
		Short: "Draw a small dataset of surfaces or objects, with defects and exact masks",
		Long: `Draw a small procedural dataset in MVTec's folders, to try the program out. It is
no benchmark. The sets have no class in common:
` + describeSets(),
		Example: "  acdclip data synth textures --set textures --normal 8 --anomalous 8",
		Args:    oneArg("folder"),
		RunE: func(command *cobra.Command, arguments []string) error {
			o.folder, o.synth.Set = arguments[0], string(o.set)
			return run(command.Context(), o)
		},
	}
	flags := command.Flags()
	var sets []setName
	for _, name := range synth.Sets() {
		sets = append(sets, setName(name))
	}
	choiceVar(flags, &o.set, "set", sets, "what is drawn")
	flags.StringSliceVar(&o.synth.Classes, "classes", nil, "only these classes of the set, as in `a,b`")
	flags.IntVar(&o.synth.Normal, "normal", 12, "`N` normal test pictures a class")
	flags.IntVar(&o.synth.Anomalous, "anomalous", 12, "`N` anomalous test pictures a class, each with a mask")
	flags.IntVar(&o.synth.TrainNormal, "train-normal", 0, "`N` normal pictures a class in train folders, which other methods learn from")
	flags.IntVar(&o.synth.Size, "size", 256, fmt.Sprintf("side of the pictures in `PIXELS`, %d to %d", synth.MinSize, synth.MaxSize))
	flags.Uint64Var(&o.synth.Seed, "seed", 0, "`N` from which everything is drawn")
	o.display.register(flags)
	return command
}

func describeSets() string {
	var b strings.Builder
	for _, set := range []string{synth.Textures, synth.Objects} {
		classes, _ := synth.Classes(set) // a set of its own table
		fmt.Fprintf(&b, "  %-9s %s\n", set, strings.Join(classes, ", "))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func runSynth(ctx context.Context, o *synthOptions) error {
	o.app.display(o.display)
	options, err := o.resolve()
	if err != nil {
		return err
	}
	stage, start := "draw "+o.folder, time.Now()
	options.Progress = func(done, total int) {
		if done == 1 {
			o.app.emit(report.StageStarted{Stage: stage, Unit: "pictures", Total: total})
		}
		o.app.emit(report.Progress{Stage: stage, Done: done, Total: total})
	}
	summary, err := synth.Write(ctx, o.folder, options)
	if err != nil {
		return err // nothing is left behind
	}
	o.app.emit(report.StageDone{Stage: stage, Seconds: time.Since(start).Seconds()})
	text := fmt.Sprintf("%s holds %d normal and %d anomalous test pictures of %s", o.folder, summary.Normal, summary.Anomalous, strings.Join(summary.Classes, ", "))
	if summary.TrainNormal > 0 {
		text += fmt.Sprintf(", and %d normal training pictures", summary.TrainNormal)
	}
	o.app.emit(report.Notice{Text: text})
	return nil
}

// resolve checks the numbers; a count of 0 on the command line means none.
func (o *synthOptions) resolve() (synth.Options, error) {
	options := o.synth
	if options.Size < synth.MinSize || options.Size > synth.MaxSize {
		return options, usagef("--size %d: it must be %d to %d", options.Size, synth.MinSize, synth.MaxSize)
	}
	for _, count := range []struct {
		flag  string
		value *int
	}{{"--normal", &options.Normal}, {"--anomalous", &options.Anomalous}, {"--train-normal", &options.TrainNormal}} {
		if *count.value < 0 || *count.value > synth.MaxCount {
			return options, usagef("%s %d: it must be 0 to %d", count.flag, *count.value, synth.MaxCount)
		}
		if *count.value == 0 {
			*count.value = -1 // 0 is synth's default
		}
	}
	if options.Normal+options.Anomalous+options.TrainNormal == -3 {
		return options, usagef("--normal, --anomalous and --train-normal are all 0: there is nothing to draw")
	}
	return options, nil
}
