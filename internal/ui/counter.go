package ui

import (
	"time"

	"acdclip/pkg/events"
)

// Counter emits progress events for work that does not emit events itself.
type Counter struct {
	emit        func(events.Event)
	stage, unit string
	begun       time.Time // time of the first call of Progress; zero before
	told        time.Time // time of the last progress event
}

// NewCounter returns a counter for a stage such as "verify VisA", in units such as "files".
func NewCounter(emit func(events.Event), stage, unit string) *Counter {
	return &Counter{emit: emit, stage: stage, unit: unit}
}

// progressEvery is the minimum interval between progress events, except for the last one.
const progressEvery = 100 * time.Millisecond

// Progress is a callback for functions that report progress. Calls must not be concurrent.
func (c *Counter) Progress(done, total int) {
	if c.begun.IsZero() {
		c.begun = time.Now()
		c.emit(events.StageStarted{Stage: c.stage, Unit: c.unit, Total: total})
	}
	if now := time.Now(); done == total || now.Sub(c.told) >= progressEvery {
		c.told = now
		c.emit(events.Progress{Stage: c.stage, Done: done, Total: total})
	}
}

// Done ends the stage if Progress was called.
func (c *Counter) Done() {
	if !c.begun.IsZero() {
		c.emit(events.StageDone{Stage: c.stage, Seconds: time.Since(c.begun).Seconds()})
	}
}
