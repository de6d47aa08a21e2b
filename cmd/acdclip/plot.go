package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/spf13/cobra"

	"acdclip/internal/rundir"
	"acdclip/pkg/chart"
	"acdclip/pkg/events"
	"acdclip/pkg/plural"
	"acdclip/pkg/regularfile"
)

// plotOptions are what `acdclip plot` was asked for.
type plotOptions struct {
	app *app
	run string
	out outputFile

	inRun bool // the picture goes into the run folder
}

func newPlotCommand(a *app) *cobra.Command {
	o := &plotOptions{app: a}
	command := &cobra.Command{
		Use:   "plot RUN",
		Short: "Plot the loss and validation of a training run",
		Long: `Draw the loss of a training run, its parts, and the validation metrics as a PNG or
SVG file, chosen by the name of --out. RUN is a run folder; the training may still
be running.`,
		Example: "  acdclip plot runs/visa-n3-paper --out loss.svg",
		Args:    oneArg("run folder"),
		RunE: func(_ *cobra.Command, arguments []string) error {
			o.run = arguments[0]
			return runPlot(o)
		},
	}
	o.out.register(command.Flags(), "`FILE` the plot (default RUN/"+rundir.CurvesFile+", which is replaced)")
	return command
}

func runPlot(o *plotOptions) error {
	if o.out.path == "" {
		o.out, o.inRun = outputFile{path: filepath.Join(o.run, rundir.CurvesFile), overwrite: true}, true
	}
	if err := chart.CheckFormat(o.out.path); err != nil {
		return usageError{err}
	}
	path := filepath.Join(o.run, rundir.LogFile)
	log, info, err := regularfile.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return usagef("%s is not a run folder: it has no %s; give the folder that acdclip train wrote", o.run, rundir.LogFile)
	case err != nil:
		return fmt.Errorf("reading the log of a run: %w", err)
	}
	defer log.Close()
	run, err := chart.Read(io.LimitReader(log, info.Size())) // as far as it is written now
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := o.out.check(); err != nil {
		return err
	}
	title := fmt.Sprintf("%s: %s, %s", filepath.Base(absolutePath(o.run)), plural.Of(len(run.Steps), "step", "steps"), plural.Of(run.Epochs, "epoch", "epochs"))
	if o.inRun {
		if err := rundir.TrainingDir(o.run).Own(rundir.CurvesFile); err != nil {
			return fmt.Errorf("%w (--out draws into another file)", err)
		}
	}
	if err := o.out.write(func(w io.Writer) error { return run.Draw(w, o.out.path, title) }); err != nil {
		return err
	}
	o.app.emit(events.Notice{Text: "wrote the curves to " + o.out.path})
	return nil
}
