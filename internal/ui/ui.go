// Package ui is the terminal: it shows what events say, as progress bars, plain
// lines or a JSON log, and writes numbers, names and errors as people read them.
package ui

import (
	"io"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"acdclip/pkg/events"
)

// Format is how events are written.
type Format string

// The formats.
const (
	Text Format = "text"
	JSON Format = "json"
)

// Options say how much is shown, and how. The zero value shows everything as text.
type Options struct {
	Format Format
	Quiet  bool // nothing but warnings and failures
}

// Register adds the flags that set the options.
func (o *Options) Register(flags *pflag.FlagSet) {
	o.Format = Text
	Choice(flags, &o.Format, "log", []Format{Text, JSON}, "how progress and messages are written to stderr")
	flags.BoolVarP(&o.Quiet, "quiet", "q", false, "show nothing but warnings and errors")
}

// Display shows events. All methods may be called from several goroutines.
type Display struct {
	w        io.Writer
	terminal bool

	lock sync.Mutex
	show func(events.Event)
}

// New makes a display on w, which is a terminal or not, with the zero Options.
func New(w io.Writer, terminal bool) *Display {
	return &Display{w: w, terminal: terminal, show: shown(w, terminal, Options{})}
}

// Use chooses how events look from now on.
func (d *Display) Use(o Options) {
	d.lock.Lock()
	defer d.lock.Unlock()
	d.show = shown(d.w, d.terminal, o)
}

// Show shows an event. An error of writing is dropped: nowhere is left to complain.
func (d *Display) Show(event events.Event) {
	d.lock.Lock()
	defer d.lock.Unlock()
	d.show(event)
}

// shown returns what shows events on w: JSON lines, a progress bar on a
// terminal, now and then a plain line elsewhere.
func shown(w io.Writer, terminal bool, o Options) func(events.Event) {
	var show func(events.Event)
	switch {
	case o.Format == JSON:
		writer := events.NewWriter(w, time.Now)
		show = func(event events.Event) { _ = writer.Write(event) }
	case terminal:
		show = (&bars{lines: lines{w: w, now: time.Now}, width: func() int { return terminalWidth(w) }}).show
	default:
		show = (&lines{w: w, now: time.Now}).show
	}
	if !o.Quiet {
		return show
	}
	return func(event events.Event) {
		switch event.(type) {
		case events.Warning, events.Failure:
			show(event)
		}
	}
}
