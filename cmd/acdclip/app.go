package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"al.essio.dev/pkg/shellescape"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"acdclip/internal/ui"
	"acdclip/pkg/events"
	"acdclip/pkg/model/methods"
	"acdclip/pkg/published"
	"acdclip/pkg/spelling"
)

// app is what all verbs share: where results and messages go.
type app struct {
	out         *ui.Output // results
	err         io.Writer  // everything else, which screen writes
	screen      *ui.Display
	environment []string // what the configuration sees of it
	program     string   // what a shell calls it
	arguments   []string // the command line, without the program
	helpMethod  string   // the method whose settings the help lists
	methods     methods.Table
	published   published.Table // that can be downloaded
	told        map[string]bool // notices of noticeOnce

	save  chan struct{} // asks a training to save its state
	saves atomic.Bool   // a training listens

	reloads atomic.Bool // a hang-up has another meaning than to end
}

func newApp(out, err io.Writer, terminal bool) *app {
	return &app{
		out: ui.NewOutput(out), err: err, screen: ui.New(err, terminal), environment: os.Environ(), program: "acdclip", methods: methods.All(), published: published.All(), told: map[string]bool{},
		save: make(chan struct{}, 1),
	}
}

// emit shows an event. Any goroutine may call it.
func (a *app) emit(event events.Event) { a.screen.Show(event) }

// warn shows an error that is not the one with which the command ends; nil shows nothing.
func (a *app) warn(err error) {
	if err == nil {
		return
	}
	for _, line := range ui.ErrorLines(err) {
		a.emit(events.Warning{Text: line})
	}
}

// noticeOnce shows a notice, unless it was shown before. Only one goroutine at a time may call
// it: that of the command, or the one that reloads while that serves.
func (a *app) noticeOnce(text string) {
	if !a.told[text] {
		a.told[text] = true
		a.emit(events.Notice{Text: text})
	}
}

// run runs one command line and returns the exit status.
func (a *app) run(ctx context.Context, arguments []string) int {
	a.arguments = arguments
	root := newRoot(a)
	root.SetArgs(arguments)
	root.SetOut(a.out.Quiet())
	root.SetErr(a.err)
	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		err = a.out.Err() // help, for one, is printed without a look at errors
	}
	if err != nil && !a.out.Unread() { // who closed the pipe knows
		for _, line := range explain(command, err) {
			a.emit(events.Failure{Text: line})
		}
	}
	return statusOf(err)
}

// newRoot builds the command line. Errors come back from Execute and are shown by run alone.
func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "acdclip",
		Short: "Zero-shot anomaly detection in pictures with ACD-CLIP and other methods",
		Long: `acdclip finds anomalies in pictures of things that it was never trained on, and
shows where they are. It trains small parts beside a frozen CLIP on one labelled
dataset (the auxiliary dataset) and then scores pictures of any other kind. Besides
ACD-CLIP, it has four other methods; two of them need no training.

Try it without any download, with the small built-in model:
  acdclip predict --heatmaps photos                     scores a folder of pictures
  acdclip data synth textures --set textures            a small labelled dataset
  acdclip eval --target textures                        scores it, and compares
  acdclip data synth others --set seen-textures --normal 2 --anomalous 6 --size 112
  acdclip train --clip builtin:tiny --auxiliary others --set train.epochs=2 --out run
  acdclip eval --checkpoint run/last.safetensors --target textures --out compare

Large CLIPs are downloaded by name: acdclip weights list.`,
		Version: version,
		Args:    subcommandArgs,
		RunE:    showHelp,

		SilenceErrors:         true,
		SilenceUsage:          true,
		DisableFlagsInUseLine: true,
	}
	root.SetFlagErrorFunc(a.wrongFlag)
	root.SetHelpTemplate(root.HelpTemplate() + exitStatusHelp(root))
	root.AddCommand(
		newTrainCommand(a),
		newEvalCommand(a),
		newPredictCommand(a),
		newCalibrateCommand(a),
		newServeCommand(a),
		newMetricsCommand(a),
		newBenchCommand(a),
		newPlotCommand(a),
		newWeightsCommand(a),
		newDataCommand(a),
		newDoctorCommand(a),
		newSettingsTopic(a),
		newMethodsTopic(a),
		newDatasetsTopic(),
	)
	addCompletion(root)
	root.SetHelpCommand(newHelpCommand(a, root))
	showPlaceholders(root)
	return root
}

// showPlaceholders lets the help show the placeholders of all flags.
func showPlaceholders(command *cobra.Command) {
	ui.Placeholders(command.Flags())
	for _, below := range command.Commands() {
		showPlaceholders(below)
	}
}

// newHelpCommand is cobra's help, with an unknown topic told as wrong use.
func newHelpCommand(a *app, root *cobra.Command) *cobra.Command {
	help := &cobra.Command{
		Use:   "help [COMMAND or TOPIC]",
		Short: "Help about a command or a topic",
		RunE: func(_ *cobra.Command, arguments []string) error {
			command, rest, err := root.Find(arguments)
			if err != nil || len(rest) > 0 {
				if command == nil {
					command = root
				}
				return usagef("no help topic %q%s", strings.Join(arguments, " "), nearest(command, append(rest, "")[0]))
			}
			if a.helpMethod != "" {
				if _, err := a.methods.Find(a.helpMethod); err != nil {
					return usageError{err}
				}
			}
			command.InitDefaultHelpFlag()
			command.InitDefaultVersionFlag()
			return command.Help()
		},
	}
	help.Flags().StringVar(&a.helpMethod, "method", "", "`NAME` the method whose settings the topic settings lists")
	return help
}

// nearest suggests a command or topic below one whose name is like name.
func nearest(command *cobra.Command, name string) string {
	var names []string
	for _, below := range command.Commands() {
		if !below.Hidden {
			names = append(names, below.Name())
		}
	}
	near := spelling.Nearest(name, names)
	if begun := slices.IndexFunc(names, func(full string) bool { return strings.HasPrefix(full, name) }); near == "" && begun >= 0 && name != "" {
		near = names[begun]
	}
	if near != "" {
		return " (did you mean " + near + "?)"
	}
	return ""
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
	return usagef("unknown command %q%s", arguments[0], nearest(command, arguments[0]))
}

// wrongFlag names the flag that is near to one that there is not, or the setting of
// its name.
func (a *app) wrongFlag(command *cobra.Command, err error) error {
	if command.HasSubCommands() { // the command before the flags is the mistake
		if err := a.unknownCommand(command); err != nil {
			return err
		}
	}
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return usageError{plainNumberError(err)}
	}
	if key := a.settingOf(unknown.GetSpecifiedName()); key != "" && command.Flags().Lookup("set") != nil && (command.Name() == "train" || !strings.HasPrefix(key, "train.")) {
		return usageError{fmt.Errorf("%w; it is a setting: write --set %s=%s", err, key, cmp.Or(a.valueOf(unknown.GetSpecifiedName()), "VALUE"))}
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

// unknownCommand is the error of the first word of the command line below a command where
// no command is called so; nil where there is no word.
func (a *app) unknownCommand(command *cobra.Command) error {
	depth := strings.Count(command.CommandPath(), " ")
	for _, argument := range a.arguments {
		if strings.HasPrefix(argument, "-") {
			return nil
		}
		if depth--; depth < 0 {
			return subcommandArgs(command, []string{argument})
		}
	}
	return nil
}

// plainNumberError says what a flag's value must be in place of the number parser's words.
func plainNumberError(err error) error {
	number, ok := errors.AsType[*strconv.NumError](err)
	if !ok {
		return err
	}
	what := "must be a whole number"
	switch {
	case errors.Is(number.Err, strconv.ErrRange):
		what = "is out of range"
	case number.Func == "ParseFloat":
		what = "must be a number"
	}
	return errors.New(strings.Replace(err.Error(), number.Error(), what, 1))
}

// settingOf is the one configuration key whose last part is a flag's name, with _
// for -; "" for none or several.
func (a *app) settingOf(flag string) string {
	found := ""
	keys, _ := a.methods.Catalog().Keys("") // the default method is known
	for _, key := range keys {
		last := key.Name[strings.LastIndex(key.Name, ".")+1:]
		if last != strings.ReplaceAll(flag, "-", "_") {
			continue
		}
		if found != "" {
			return ""
		}
		found = key.Name
	}
	return found
}

// valueOf is what the command line gives for a flag, "" where it does not say.
func (a *app) valueOf(flag string) string {
	for i, argument := range a.arguments {
		name, value, both := strings.Cut(argument, "=")
		switch {
		case name != "--"+flag:
		case both:
			return shellescape.Quote(value)
		case i+1 < len(a.arguments) && !strings.HasPrefix(a.arguments[i+1], "-"):
			return shellescape.Quote(a.arguments[i+1])
		}
	}
	return ""
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
			return usagef("expected one %s, got %q", kind, arguments)
		}
		return nil
	}
}
