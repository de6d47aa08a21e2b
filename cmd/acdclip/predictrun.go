package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"acdclip/internal/rundir"
	"acdclip/pkg/conditions"
	"acdclip/pkg/config"
	"acdclip/pkg/config/section"
	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/detect"
	"acdclip/pkg/events"
	"acdclip/pkg/heatmap"
	"acdclip/pkg/intake"
	"acdclip/pkg/outbox"
	"acdclip/pkg/report"
	"acdclip/pkg/scoring"
)

// predicting scores pictures into an output.
type predicting struct {
	options  *predictOptions
	scorer   scoring.Scorer
	prompt   func(data.Found) string // the prompt name of a picture's class
	load     pixels.LoadOptions
	output   *predictions
	emit     func(events.Event)
	readings readings

	total       int // pictures that have or will have a row
	unsupported int // pictures in formats that are not supported, found while watching
}

// prepare takes the thresholds of a calibration, and describes what will make the rows. basis is
// what scores depend on.
func (o *predictOptions) prepare(detector *detect.Detector, c config.Config) (run *report.PredictionRun, basis conditions.Record, err error) {
	if basis, err = o.conditions(detector, c); err != nil {
		return nil, nil, err
	}
	if err := o.useCalibration(basis); err != nil {
		return nil, nil, err
	}
	run, err = o.describe(detector, c, basis)
	return run, basis, err
}

// begin opens the output for what a detector will score, and begins to post rows if to is not nil.
// end must be called.
func (o *predictOptions) begin(detector *detect.Detector, c config.Config, to *outbox.Receiver) (*predicting, error) {
	run, basis, err := o.prepare(detector, c)
	if err != nil {
		return nil, err
	}
	low, high := section.MapScale(detector.Model.Options)
	style := heatmap.Style{Scale: heatmap.Scale{Low: low, High: high}, Map: o.colorMap}
	if o.pixelThreshold != nil {
		style.Scale = style.Scale.Around(*o.pixelThreshold)
	}
	load, folder := o.loadOptions(c), rundir.OutputDir(o.out)
	output, err := openPredictions(o, folder, load.Decode, style, run)
	if err != nil {
		return nil, err
	}
	if output.posting, err = o.startPosting(to, folder, run, basis); err != nil {
		return nil, errors.Join(err, output.close(context.Background(), false))
	}
	return &predicting{
		options: o, scorer: detector, prompt: o.promptOf(detector.Model.Options), load: load, output: output, emit: o.app.emit, readings: newReadings(load.Decode),
	}, nil
}

// end closes the output, and says what was done. err is what ended the work: nil if all is done.
// given is how many pictures there are to score at least.
func (p *predicting) end(ctx context.Context, err error, given int) error {
	if err = errors.Join(err, p.output.close(ctx, err == nil)); err != nil {
		p.options.app.warn(p.output.unposted)
		return p.options.app.ended(err, p.output.saved(max(p.total, given)))
	}
	p.emit(events.Notice{Text: p.output.summary()})
	return nil
}

// score scores the inputs that have no row yet, and returns how many these were.
func (p *predicting) score(ctx context.Context, inputs []intake.Picture) (int, error) {
	inputs, err := p.output.unscored(inputs)
	if err != nil {
		return 0, err
	}
	p.total = len(p.output.known) + len(inputs)
	if len(inputs) == 0 {
		return 0, nil
	}
	next := 0
	found := make([]data.Found, len(inputs))
	for i, input := range inputs {
		found[i] = input.Found
	}
	defer p.readings.tell(p.emit)
	return len(inputs), detect.Predict(ctx, p.scorer, detect.PredictOptions{
		Inputs: found, PromptOf: p.prompt, Domain: p.options.domain, Batch: p.options.batch, Load: p.load,
	}, p.emit, func(input data.Found, scored scoring.Scored) error {
		next++
		p.readings.add(scored.Picture)
		return p.output.add(inputs[next-1], p.prompt(input), scored)
	})
}

// checkWatched refuses what cannot be watched.
func checkWatched(path string) error {
	switch err := (intake.Folder{Path: path}).Check(); {
	case errors.Is(err, intake.ErrNotFolder):
		return usagef("--watch: %w", err)
	case err != nil:
		return fmt.Errorf("--watch: %w", err)
	}
	return nil
}

// watch scores what appears in a folder, until the context is cancelled.
func (p *predicting) watch(ctx context.Context) error {
	folder := intake.Folder{Path: p.options.watch, Skip: p.options.outputFolder(), Apart: rundir.IsOutput, Unsupported: func(path, format string) {
		p.unsupported++
		p.emit(events.Warning{Text: path + ": " + data.UnreadText([]string{format})})
	}}
	p.emit(events.Notice{Text: fmt.Sprintf("watching %s; Ctrl-C stops", folder.Path)})
	return folder.Watch(ctx, func(pictures []intake.Picture) error { return p.round(ctx, pictures) })
}

// round scores what has no row yet, and notes in run.json how many there are.
func (p *predicting) round(ctx context.Context, inputs []intake.Picture) error {
	scored, err := p.score(ctx, inputs)
	err = errors.Join(err, p.output.settle())
	p.output.draw()
	if err != nil || p.output.held == nil {
		return err
	}
	if scored > 0 {
		err = p.output.held.WriteRun(p.output.counted(false))
	}
	return errors.Join(err, p.output.refreshPage(scored > 0))
}

// describe returns what makes the rows; basis is what the scores depend on.
func (o *predictOptions) describe(detector *detect.Detector, c config.Config, basis conditions.Record) (*report.PredictionRun, error) {
	machine, err := detector.Machine()
	if err != nil {
		return nil, err
	}
	m := detector.Model
	configuration, err := json.Marshal(m.Configuration())
	if err != nil {
		return nil, fmt.Errorf("describing the configuration: %w", err)
	}
	run := &report.PredictionRun{
		Provenance: report.Provenance{
			Version: version, Libtorch: machine.Libtorch, Device: machine.Device, Precision: detector.Precision(), Threads: machine.Threads, Seed: c.Seed,
			CLIP: machine.CLIP, ImageSize: detector.Size(), Config: configuration,
		},
		Checkpoint: m.Source, Class: o.classText(), Domain: string(o.domain), Started: time.Now().UTC(),
		Thresholds: report.Thresholds{Score: o.threshold, Pixel: o.pixelThreshold, Source: o.thresholdsFrom},
		Conditions: slices.Concat(basis, conditions.Record{
			conditions.Of(conditions.Numbers, "acdclip's version", version),
			conditions.Of(conditions.Numbers, "data.max_pixels", c.Data.MaxPixels),
			conditions.Of(conditions.Numbers, "the score's threshold", optionalText(o.threshold)),
			conditions.Of(conditions.Numbers, "the pixels' threshold", optionalText(o.pixelThreshold)),
			conditions.Of(conditions.Extras, "--format", o.format.Rows()),
			conditions.Of(conditions.Extras, "--raw-scores", o.rawScores),
		}, o.pictureConditions()),
	}
	run.Checkpoint.Path, run.Provenance.CLIP.Path = report.EscapeName(m.Source.Path), report.EscapeName(machine.CLIP.Path)
	return run, nil
}

// optionalText is a threshold as a condition's value; "" for none.
func optionalText(threshold *float32) string {
	if threshold == nil {
		return ""
	}
	return fmt.Sprint(*threshold)
}
