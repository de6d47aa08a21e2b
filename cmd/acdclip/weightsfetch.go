package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"al.essio.dev/pkg/shellescape"
	"github.com/spf13/cobra"

	"acdclip/pkg/builtin"
	"acdclip/pkg/config"
	"acdclip/pkg/download"
	"acdclip/pkg/events"
	"acdclip/pkg/fetch"
	"acdclip/pkg/published"
)

// fetchOptions are what `acdclip weights fetch` was asked for.
type fetchOptions struct {
	app     *app
	config  configFlags
	names   []string
	offline bool
}

func newFetchCommand(a *app) *cobra.Command {
	o := &fetchOptions{app: a}
	command := &cobra.Command{
		Use:   "fetch NAME...",
		Short: "Download published weights by name",
		Long: `Download published weights, such as OpenAI's CLIPs, from their publishers. Where a
CLIP or checkpoint is wanted, the name then stands for the file: --clip NAME. The
names are those of "acdclip weights list".

The files are checked by their SHA-256 and kept in the user's cache folder, or in
--cache DIR. A download that was interrupted continues when the command is
repeated. If the file is there already, it is only checked. Of checkpoints, only the
parameters that the method uses are kept.

The proxy variables HTTPS_PROXY, HTTP_PROXY and NO_PROXY are respected. --mirror
https://HOST/PATH asks there for the path that the file has on its publisher's
server. To do without a network, put the publisher's file at the place that
--offline names, and run the command with --offline to check it.`,
		Example: `  acdclip weights fetch openai:ViT-L/14@336
  acdclip weights fetch open_clip:ViT-B-16-plus-240 anomalyclip:trained-on-visa`,
		Args: someArgs("name (see `acdclip weights list`)"),
		RunE: func(command *cobra.Command, arguments []string) error {
			o.names = arguments
			return runFetch(command.Context(), o)
		},
	}
	flags := command.Flags()
	flags.BoolVar(&o.offline, "offline", false, "open no connection: only check what is there")
	o.config.registerSources(flags)
	bindWeights(&o.config)
	o.config.bindText("mirror", "weights.mirror", "`URL` address that stands for the publishers' scheme and host")
	return command
}

// bindWeights adds the flag for the folder of downloaded weights.
func bindWeights(c *configFlags) {
	c.bindText("cache", "weights.cache", "`DIR` folder of downloaded weights (default: acdclip/weights in the user's cache folder)")
}

func runFetch(ctx context.Context, o *fetchOptions) error {
	loaded, err := o.app.load(&o.config, nil, true)
	if err != nil {
		return err
	}
	var entries []published.Entry
	for _, name := range o.names { // rather now than after a long download
		if name == builtin.Tiny {
			return usagef("%s needs no download: it is part of this program, and is used without --clip and --checkpoint", name)
		}
		e, err := o.app.published.Find(name)
		if err != nil {
			return err
		}
		entries = append(entries, e)
	}
	for _, e := range entries {
		err := o.fetch(ctx, loaded.Config.Weights, e)
		switch {
		case errors.Is(err, context.Canceled):
			return o.app.ended(err, "what was downloaded is kept; to continue: "+o.app.again())
		case err != nil:
			return err
		}
	}
	return nil
}

// fetch downloads one entry, and prints where it is.
func (o *fetchOptions) fetch(ctx context.Context, c config.Weights, e published.Entry) error {
	folder, err := published.Folder(c.Cache)
	if err != nil {
		return err
	}
	address, err := e.Address(c.Mirror)
	if err != nil {
		return err
	}
	o.app.emit(events.Notice{Text: fmt.Sprintf("%s: %s of %s, %s, licence %s (%s)", e.Name, e.Kind, e.Publisher, e.Bytes(), e.Licence, e.Page)})
	if !o.offline {
		o.app.emit(events.Notice{Text: "  from " + download.Shown(address)})
	}
	o.app.emit(events.Notice{Text: "  to " + e.Path(folder)})
	downloading, checking := &megabytes{emit: o.app.emit, stage: "download " + e.Name}, &megabytes{emit: o.app.emit, stage: "check " + e.Name}
	path, there, err := fetch.Get(ctx, e, fetch.Options{
		Cache: c.Cache, Mirror: c.Mirror, Offline: o.offline, Methods: o.app.methods.Cards(),
		Download: download.Options{Progress: downloading.progress, Checking: checking.progress, Notice: func(text string) { o.app.emit(events.Notice{Text: text}) }},
	})
	if err != nil {
		return err
	}
	state := "is complete: its content is the published one"
	switch {
	case there && e.Kind == published.Checkpoint:
		state = "was there already" // converted, so its content is not the published one
	case there:
		state = "was there already, with the published content"
	}
	o.app.emit(events.Notice{Text: fmt.Sprintf("%s %s; to use it:", e.Name, state)})
	o.app.emit(events.Notice{Text: "  " + o.use(c, e)})
	_, err = fmt.Fprintln(o.app.out, path)
	return err
}

// use is a command line that uses an entry.
func (o *fetchOptions) use(c config.Weights, e published.Entry) string {
	method := o.app.methods[0]
	if len(e.For) > 0 {
		if made, err := o.app.methods.Find(e.For[0]); err == nil {
			method = made
		}
	}
	words := []string{"predict"}
	switch {
	case e.Kind == published.Checkpoint:
		clips := append(o.app.published.MadeFor(method.Name, published.CLIP), "CLIP")
		words = append(words, "--clip", clips[0], "--checkpoint", e.Name)
	case !method.Needs(method.Presets[0].Model()):
		words = append(words, "--method", method.Name, "--clip", e.Name)
	default:
		words = append(words, "--clip", e.Name, "--checkpoint", "FILE")
	}
	if c.Cache != "" {
		words = append(words, "--set", "weights.cache="+c.Cache)
	}
	return o.app.program + " " + shellescape.QuoteCommand(append(words, "--class", "NAME", "--heatmaps", "PATH..."))
}

// megabytes emits the progress of a stage that counts bytes.
type megabytes struct {
	emit  func(events.Event)
	stage string
	begun time.Time
	told  time.Time // when the last progress was emitted
	last  int64     // bytes at the last call
	ended bool
}

// progress is a callback with numbers of bytes; total is 0 while it is unknown. All bytes
// end the stage, and fewer than before begin it anew.
func (m *megabytes) progress(done, total int64) {
	if done == 0 && total == 0 || m.ended && done == total { // how much it is will be known soon; the end was told
		return
	}
	now := time.Now()
	if m.begun.IsZero() || done < m.last {
		m.begun, m.ended = now, false
		m.emit(events.StageStarted{Stage: m.stage, Unit: "MB", Total: inMegabytes(total), Done: inMegabytes(done)})
	}
	m.last = done
	switch {
	case done == total:
		m.ended = true
		m.emit(events.StageDone{Stage: m.stage, Seconds: now.Sub(m.begun).Seconds()})
	case now.Sub(m.told) >= 100*time.Millisecond:
		m.told = now
		m.emit(events.Progress{Stage: m.stage, Done: inMegabytes(done), Total: inMegabytes(total)})
	}
}

func inMegabytes(bytes int64) int { return int((bytes + 500_000) / 1_000_000) }
