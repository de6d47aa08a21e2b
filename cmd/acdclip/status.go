package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"al.essio.dev/pkg/shellescape"
	"github.com/spf13/cobra"

	"acdclip/cgo/torch"
	"acdclip/internal/rundir"
	"acdclip/internal/ui"
	"acdclip/pkg/builtin"
	"acdclip/pkg/calibration"
	"acdclip/pkg/clip"
	"acdclip/pkg/config"
	"acdclip/pkg/data"
	"acdclip/pkg/data/synth"
	"acdclip/pkg/detect"
	"acdclip/pkg/evaluation/finished"
	"acdclip/pkg/events"
	"acdclip/pkg/pairing"
	"acdclip/pkg/published"
	"acdclip/pkg/trained"
	"acdclip/pkg/training"
)

// The exit statuses.
const (
	statusDone        = 0
	statusFailed      = 1
	statusUsage       = 2
	statusPartial     = 3
	statusInterrupted = 130
)

// exitStatusHelp is the end of the root's help.
func exitStatusHelp(root *cobra.Command) string {
	return `{{if eq .CommandPath "` + root.Name() + `"}}
Exit status:
  0    done
  1    failed, or all inputs failed
  2    wrong arguments or configuration
  3    done, but some inputs failed, or rows were not posted
  130  interrupted; finished work is saved
{{end}}`
}

// usageError is wrong use of the command line.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usagef(format string, values ...any) error { return usageError{fmt.Errorf(format, values...)} }

// partialError says that the work is done, but some inputs failed.
type partialError struct {
	failed, total int
	where         string // what tells which and why
}

func (e partialError) Error() string {
	return fmt.Sprintf("%d of %d inputs failed; %s", e.failed, e.total, e.where)
}

// failures is the error of failed inputs among total, which warnings have named: nil for none.
func failures(failed, total int) error {
	return failuresIn(failed, total, "see the warnings above")
}

// failuresIn is failures where something else names the inputs.
func failuresIn(failed, total int, where string) error {
	switch {
	case failed == 0:
		return nil
	case failed < total:
		return partialError{failed, total, where}
	case total == 1:
		return fmt.Errorf("the only input failed; %s", where)
	}
	return fmt.Errorf("all %d inputs failed; %s", total, where)
}

// ended is the error of work that did not come to its end, with what was saved
// and how to go on; saved is "" where nothing was.
func (a *app) ended(err error, saved string) error {
	if errors.Is(err, context.Canceled) {
		return interruption{saved, err}
	}
	if saved != "" {
		a.emit(events.Notice{Text: saved})
	}
	return err
}

// interruption is an error whose cause is a signal.
type interruption struct {
	saved string
	err   error
}

func (i interruption) Error() string { return "interrupted; " + cmp.Or(i.saved, "nothing was written") }
func (i interruption) Unwrap() error { return i.err }

// misuse lists package errors that mean wrong flags or configuration (exit status 2).
func misuse() []error {
	return []error{
		trained.ErrNoCLIP, pairing.ErrNoCheckpoint, pairing.ErrTwice, pairing.ErrLeak, pairing.ErrCommonKey, pairing.ErrSizes, detect.ErrOtherCLIP, training.ErrOtherRun, clip.ErrOptions, torch.ErrNoDevice, data.ErrUnknownClass, data.ErrHoldOut, synth.ErrUnknown, synth.ErrNotEmpty, finished.ErrDiffers, finished.ErrNoShares, rundir.ErrOccupied, rundir.ErrNoFolder, errOtherConditions, calibration.ErrOtherConditions, calibration.ErrMalformed,
		builtin.ErrUnknown, published.ErrUnknown, published.ErrNotFetched, published.ErrMirror,
	}
}

func statusOf(err error) int {
	var usage usageError
	var configuration *config.Error
	var partial partialError
	var left unposted
	switch {
	case err == nil:
		return statusDone
	case errors.Is(err, context.Canceled):
		return statusInterrupted
	case errors.As(err, &partial), errors.As(err, &left):
		return statusPartial
	case errors.As(err, &usage), errors.As(err, &configuration):
		return statusUsage
	}
	for _, known := range misuse() {
		if errors.Is(err, known) {
			return statusUsage
		}
	}
	return statusFailed
}

// explain gives the lines that are shown for an error of a command.
func explain(command *cobra.Command, err error) []string {
	var known interruption
	if errors.Is(err, context.Canceled) && !errors.As(err, &known) {
		err = interruption{err: err}
	}
	lines := ui.ErrorLines(err)
	var usage usageError
	switch {
	case errors.As(err, &usage):
		lines = append(lines, fmt.Sprintf("see `%s --help`", command.CommandPath()))
	case errors.Is(err, torch.ErrNotFound):
		lines = append(lines, "run `acdclip doctor` for details")
	}
	return lines
}

// again is the command line, for a shell.
func (a *app) again() string { return a.line(a.arguments) }

// resuming is the command line with --resume, for a shell.
func (a *app) resuming() string {
	arguments := slices.DeleteFunc(slices.Clone(a.arguments), func(argument string) bool {
		return argument == "--overwrite" || strings.HasPrefix(argument, "--overwrite=") // it was obeyed, and would undo what is there
	})
	if !slices.Contains(arguments, "--resume") {
		arguments = append(arguments, "--resume")
	}
	return a.line(arguments)
}

// line is a command line of the program, for a shell.
func (a *app) line(arguments []string) string {
	return a.program + " " + shellescape.QuoteCommand(arguments) // the program is quoted where it must be
}
