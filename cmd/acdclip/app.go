package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"acdclip/pkg/report"
	"acdclip/pkg/spelling"
)

// app is what all verbs share: where results and messages go.
type app struct {
	out         io.Writer // results
	err         io.Writer // everything else
	terminal    bool      // err is a terminal
	environment []string  // what the configuration sees of it
	program     string    // what a shell calls it
	arguments   []string  // the command line, without the program

	lock sync.Mutex
	show func(report.Event) // how events look, as the verb's flags want it
}

func newApp(out, err io.Writer, terminal bool) *app {
	return &app{
		out: out, err: err, terminal: terminal, environment: os.Environ(), program: "acdclip",
		show: newDisplay(err, terminal, displayFlags{log: logText}),
	}
}

// emit shows an event. Any goroutine may call it.
func (a *app) emit(event report.Event) {
	a.lock.Lock()
	defer a.lock.Unlock()
	a.show(event)
}

// display chooses how events look from now on.
func (a *app) display(flags displayFlags) {
	a.lock.Lock()
	defer a.lock.Unlock()
	a.show = newDisplay(a.err, a.terminal, flags)
}

// run runs one command line and returns the exit status.
func (a *app) run(ctx context.Context, arguments []string) int {
	a.arguments = arguments
	root := newRoot(a)
	root.SetArgs(arguments)
	root.SetOut(a.out)
	root.SetErr(a.err)
	command, err := root.ExecuteContextC(ctx)
	if err != nil {
		for _, line := range explain(command, err) {
			a.emit(report.Failure{Text: line})
		}
	}
	return statusOf(err)
}

// newRoot builds the command line. Errors come back from Execute and are shown by run alone.
func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "acdclip",
		Short: "Zero-shot anomaly detection in pictures with ACD-CLIP",
		Long: `acdclip finds anomalies in pictures, and where they are, without having seen a
single picture of the same kind. It trains small adapters on a frozen CLIP with
one labelled dataset (the auxiliary one) and then scores pictures of any other.

To try it without any download:
  acdclip weights init clip                             a tiny random CLIP
  acdclip data synth textures --set textures            a small labelled dataset
  acdclip data synth objects --set objects              another one
  acdclip train --clip clip --auxiliary textures --out run \
      --set model.image_size=98 --set train.epochs=2
  acdclip eval --clip clip --checkpoint run/last.safetensors --target objects
  acdclip predict --clip clip --checkpoint run/last.safetensors --heatmaps objects/hex_bolt/test`,
		Version: version,
		Args:    subcommandArgs,
		RunE:    showHelp,

		SilenceErrors:         true,
		SilenceUsage:          true,
		DisableFlagsInUseLine: true,
	}
	root.SetFlagErrorFunc(wrongFlag)
	root.SetHelpTemplate(root.HelpTemplate() + exitStatusHelp(root))
	root.AddCommand(
		newTrainCommand(a, runTrain),
		newEvalCommand(a, runEval),
		newPredictCommand(a, runPredict),
		newMetricsCommand(a, runMetrics),
		newPlotCommand(a, runPlot),
		newWeightsCommand(a),
		newDataCommand(a),
		newDoctorCommand(a, runDoctor),
		newSettingsTopic(),
		newDatasetsTopic(),
	)
	addCompletion(root)
	return root
}

// addCompletion adds cobra's command, with wrong use told as everywhere else.
func addCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, command := range root.Commands() {
		if command.Name() != "completion" {
			continue
		}
		command.Args, command.RunE, command.DisableFlagsInUseLine = subcommandArgs, showHelp, true
		for _, shell := range command.Commands() {
			shell.Args = noArgs
		}
	}
}

// showHelp is what a command does that only holds others.
func showHelp(command *cobra.Command, _ []string) error { return command.Help() }

// subcommandArgs refuses an argument that names no command, and names what is near.
func subcommandArgs(command *cobra.Command, arguments []string) error {
	if len(arguments) == 0 {
		return nil
	}
	hint := ""
	command.SuggestionsMinimumDistance = 2 // letters
	if near := command.SuggestionsFor(arguments[0]); len(near) > 0 {
		hint = " (did you mean " + near[0] + "?)"
	}
	return usagef("unknown command %q%s", arguments[0], hint)
}

// wrongFlag names the flag that is near to one that there is not.
func wrongFlag(command *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return usageError{err}
	}
	var names []string
	command.Flags().VisitAll(func(flag *pflag.Flag) {
		if !flag.Hidden {
			names = append(names, flag.Name)
		}
	})
	if near := spelling.Nearest(unknown.GetSpecifiedName(), names); near != "" && len(unknown.GetSpecifiedName()) > 1 {
		return usageError{fmt.Errorf("%w (did you mean --%s?)", err, near)}
	}
	return usageError{err}
}

// noArgs refuses arguments.
func noArgs(_ *cobra.Command, arguments []string) error {
	if len(arguments) > 0 {
		return usagef("unexpected argument %q", arguments[0])
	}
	return nil
}

// someArgs wants one argument or more, each of a kind.
func someArgs(kind string) cobra.PositionalArgs {
	return func(_ *cobra.Command, arguments []string) error {
		if len(arguments) == 0 {
			return usagef("no %s was given", kind)
		}
		return nil
	}
}

// oneArg wants exactly one argument.
func oneArg(kind string) cobra.PositionalArgs {
	return func(_ *cobra.Command, arguments []string) error {
		switch {
		case len(arguments) == 0 || arguments[0] == "":
			return usagef("no %s was given", kind)
		case len(arguments) > 1:
			return usagef("one %s is wanted, and these were given: %q", kind, arguments)
		}
		return nil
	}
}
