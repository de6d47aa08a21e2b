package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"acdclip/pkg/chart"
	"acdclip/pkg/report"
)

// plotOptions are what `acdclip plot` was asked for.
type plotOptions struct {
	app *app
	run string
	out outputFile
}

func newPlotCommand(a *app, run func(*plotOptions) error) *cobra.Command {
	o := &plotOptions{app: a}
	command := &cobra.Command{
		Use:   "plot RUN",
		Short: "Draw the loss and the validation of a training run",
		Long: `Draw the loss of a training run, its parts, and what was measured on what was held
out, into a picture: PNG or SVG, by the name of --out. RUN is a run folder, also
of a training that is still under way.`,
		Example: "  acdclip plot runs/visa-n3-paper --out loss.svg",
		Args:    oneArg("run folder"),
		RunE: func(_ *cobra.Command, arguments []string) error {
			o.run = arguments[0]
			return run(o)
		},
	}
	o.out.register(command.Flags(), "the picture, `FILE` (default RUN/"+curvesFile+", which is replaced)")
	return command
}

func runPlot(o *plotOptions) error {
	if o.out.path == "" {
		o.out = outputFile{path: filepath.Join(o.run, curvesFile), overwrite: true}
	}
	if err := chart.CheckFormat(o.out.path); err != nil {
		return usageError{err}
	}
	path := filepath.Join(o.run, logFile)
	log, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the log of a run: %w", err)
	}
	run, err := chart.Read(bytes.NewReader(log))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := o.out.check(); err != nil {
		return err
	}
	title := fmt.Sprintf("%s: %s, %s", filepath.Base(absolutePath(o.run)), counted(len(run.Steps), "step", "steps"), counted(run.Epochs, "epoch", "epochs"))
	if err := o.out.write(func(w io.Writer) error { return run.Draw(w, o.out.path, title) }); err != nil {
		return err
	}
	o.app.emit(report.Notice{Text: "the curves are in " + o.out.path})
	return nil
}
