package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"acdclip/internal/rundir"
	"acdclip/pkg/conditions"
	"acdclip/pkg/config"
	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/detect"
	"acdclip/pkg/events"
	"acdclip/pkg/report"
	"acdclip/pkg/scoring"
)

// predicting scores pictures into an output.
type predicting struct {
	options  *predictOptions
	detector *detect.Detector
	load     pixels.LoadOptions
	output   *predictions
	emit     func(events.Event)
	readings readings

	total       int             // pictures that have or will have a row
	unsupported map[string]bool // pictures in formats that are not supported, found while watching
}

// score scores the inputs that have no row yet, and returns how many these were.
func (p *predicting) score(ctx context.Context, inputs []markedInput) (int, error) {
	inputs, err := p.output.unscored(inputs)
	if err != nil {
		return 0, err
	}
	p.total = len(p.output.known) + len(inputs)
	if len(inputs) == 0 {
		return 0, nil
	}
	next := 0
	prompt := p.options.promptOf(p.detector.Model.Options)
	found := make([]data.Found, len(inputs))
	for i, input := range inputs {
		found[i] = input.Found
	}
	defer p.readings.tell(p.emit)
	return len(inputs), detect.Predict(ctx, p.detector, detect.PredictOptions{
		Inputs: found, PromptOf: prompt, Domain: p.options.domain, Batch: p.options.batch, Load: p.load,
	}, p.emit, func(input data.Found, scored scoring.Scored) error {
		next++
		p.readings.add(scored.Picture)
		return p.output.add(inputs[next-1], prompt(input), scored)
	})
}

// watchPause is the time between two looks at a watched folder. A picture is scored when
// two looks find the same size and time of change, so that no half-written file is read.
const watchPause = time.Second

// watch scores what appears in a folder, until the context is cancelled.
func (p *predicting) watch(ctx context.Context) error {
	folder := p.options.watch
	if info, err := os.Stat(folder); err != nil {
		return fmt.Errorf("--watch: %w", err)
	} else if !info.IsDir() {
		return usagef("--watch: %s is not a folder", folder)
	}
	p.emit(events.Notice{Text: fmt.Sprintf("watching %s; Ctrl-C stops", folder)})
	looked := map[string]report.FileMark{}
	for {
		found, err := data.Scan(ctx, []string{folder}, p.watchScan())
		if err != nil && !errors.Is(err, data.ErrNoPictures) {
			return p.stopped(ctx, err)
		}
		now := map[string]report.FileMark{}
		var ready []markedInput
		for _, input := range marked(found) {
			now[input.Path] = input.mark
			if before, seen := looked[input.Path]; seen && before == input.mark {
				ready = append(ready, input)
			}
		}
		looked = now
		if err := p.round(ctx, ready); err != nil {
			return p.stopped(ctx, err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(watchPause):
		}
	}
}

// watchScan skips output, and warns once of each picture in a format that is not supported.
func (p *predicting) watchScan() data.ScanOptions {
	return data.ScanOptions{Skip: p.options.outputFolder(), Apart: rundir.IsOutput, Other: func(path string) {
		format := data.UnreadFormat(path)
		if format == "" || p.unsupported[path] {
			return
		}
		if p.unsupported == nil {
			p.unsupported = map[string]bool{}
		}
		p.unsupported[path] = true
		p.emit(events.Warning{Text: path + ": " + data.UnreadText([]string{format})})
	}}
}

// round scores what has no row yet, and notes in run.json how many there are.
func (p *predicting) round(ctx context.Context, inputs []markedInput) error {
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

// stopped returns nil for an error whose cause is the signal that ends watching.
func (p *predicting) stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
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
