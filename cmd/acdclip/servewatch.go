package main

import (
	"context"
	"fmt"

	"github.com/spf13/pflag"

	"acdclip/internal/rundir"
	"acdclip/pkg/config"
	"acdclip/pkg/detect"
	"acdclip/pkg/events"
	"acdclip/pkg/inspection"
	"acdclip/pkg/outbox"
)

// serveWatchOptions choose a folder whose pictures a service scores beside its requests.
type serveWatchOptions struct {
	postOptions
	folder string // "" for none
	out    string
}

func (o *serveWatchOptions) registerWatch(flags *pflag.FlagSet) {
	flags.StringVar(&o.folder, "watch", "", "`DIR` also score the pictures of a folder as they appear, as predict --watch --resume does; needs --out")
	flags.StringVar(&o.out, "out", "", "`DIR` output folder for the rows of --watch")
	o.registerPost(flags)
}

// checkWatch finds contradictions between the flags.
func (o *serveWatchOptions) checkWatch(flags *pflag.FlagSet) error {
	switch {
	case o.folder == "" && (o.out != "" || flags.Changed("post") || flags.Changed("watch")):
		return usagef("--out and --post are for the rows of --watch DIR")
	case o.folder != "" && (o.out == "" || o.out == standardOut):
		return usagef("--watch needs --out DIR, which keeps what is scored already")
	case o.folder != "":
		if err := checkWatched(o.folder); err != nil {
			return err
		}
	}
	return o.checkPost(flags, o.out)
}

// folderWatch scores the pictures of a folder with a service's model.
type folderWatch struct {
	options *predictOptions // as predict has them
	to      *outbox.Receiver
	run     *predicting // set by begin
}

// predictOptions are those of predict for --watch.
func (r *served) predictOptions() *predictOptions {
	p := newPredictOptions(r.detectorOptions)
	p.thresholdOptions, p.postOptions = r.thresholdOptions, r.watching.postOptions
	p.watch, p.out, p.resume = r.watching.folder, r.watching.out, true
	return p
}

// watchBeside checks what --watch needs, before the model is loaded; nil without --watch.
func (r *served) watchBeside() (*folderWatch, error) {
	if r.watching.folder == "" {
		return nil, nil
	}
	p := r.predictOptions()
	to, err := p.receiver(r.app, r.config.flags)
	if err != nil {
		return nil, err
	}
	return &folderWatch{options: p, to: to}, p.checkFolder(rundir.OutputDir(p.out), r.loaded)
}

// begin opens the output for what a detector scores. Nil does nothing.
func (w *folderWatch) begin(detector *detect.Detector, c config.Config) (err error) {
	if w == nil {
		return nil
	}
	if w.run, err = w.options.begin(detector, c, w.to); err != nil {
		return err
	}
	w.run.emit = func(event events.Event) { // nobody waits for the progress of a service
		switch event.(type) {
		case events.Notice, events.Warning:
			w.options.app.emit(event)
		}
	}
	return nil
}

// fits refuses a model whose rows do not belong to those before, at a reload. Nil refuses nothing.
func (w *folderWatch) fits(files *served, detector *detect.Detector) error {
	if w == nil {
		return nil
	}
	run, _, err := files.predictOptions().prepare(detector, files.loaded.Config)
	if err != nil {
		return err
	}
	if err := sameConditions(w.run.output.run, run); err != nil {
		return fmt.Errorf("--watch: the rows in %s: %w; start the service again with another --out", w.options.out, err)
	}
	return nil
}

// watch scores with a model, which reads no file of more bytes than that, until ctx ends, and
// closes the output. Rows that were not posted are no error of a service: they are on disk, and
// posted when it starts again.
func (w *folderWatch) watch(ctx context.Context, model inspection.Model, mostBytes int64) error {
	w.run.scorer = inspection.Files{Model: model, Side: w.run.scorer.Size(), Class: w.options.class, Domain: w.options.domain, MostBytes: mostBytes}
	if err := w.run.end(ctx, w.run.watch(ctx), 0); err != nil {
		return fmt.Errorf("the service ends, because --watch cannot go on: %w", err)
	}
	w.options.app.warn(w.run.output.unposted)
	return nil
}
