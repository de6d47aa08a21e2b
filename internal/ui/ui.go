// Package ui is the terminal interface: it shows events as progress bars, plain lines or
// a JSON log, and formats numbers, names and errors for people.
package ui

import (
	"io"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"acdclip/pkg/events"
)

// Format is the format of events.
type Format string

// The formats.
const (
	Text Format = "text"
	JSON Format = "json"
)

// Options select what is shown, and how. The zero value shows everything as text.
type Options struct {
	Format Format
	Quiet  bool // show only warnings and failures
}

// Register adds the flags that set the options.
func (o *Options) Register(flags *pflag.FlagSet) {
	o.Format = Text
	Choice(flags, &o.Format, "log", []Format{Text, JSON}, "format of progress and messages on stderr")
	flags.BoolVarP(&o.Quiet, "quiet", "q", false, "show only warnings and errors")
}

// Display shows events. It is safe for concurrent use.
type Display struct {
	w        io.Writer
	terminal bool

	lock sync.Mutex
	show func(events.Event)
}

// New returns a display on w with the zero Options; terminal reports whether w is a terminal.
func New(w io.Writer, terminal bool) *Display {
	return &Display{w: w, terminal: terminal, show: shown(w, terminal, Options{})}
}

// Use sets the options for all following events.
func (d *Display) Use(o Options) {
	d.lock.Lock()
	defer d.lock.Unlock()
	d.show = shown(d.w, d.terminal, o)
}

// Show shows an event. Write errors are ignored, because they cannot be reported anywhere.
func (d *Display) Show(event events.Event) {
	d.lock.Lock()
	defer d.lock.Unlock()
	d.show(event)
}

// shown returns the function that shows events on w: as JSON lines, as progress bars on a
// terminal, or as plain lines elsewhere.
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
