package ui

import (
	"time"

	"acdclip/pkg/events"
)

// Counter shows how far a piece of work has come that emits no events itself.
type Counter struct {
	emit        func(events.Event)
	stage, unit string
	begun       time.Time // zero until the first call of Progress
	told        time.Time // when progress was shown last
}

// NewCounter makes a counter of a stage, such as "verify VisA", in units such as "files".
func NewCounter(emit func(events.Event), stage, unit string) *Counter {
	return &Counter{emit: emit, stage: stage, unit: unit}
}

// progressEvery is how often progress is told; the last piece always is.
const progressEvery = 100 * time.Millisecond

// Progress is for functions that tell how many of how many things are done, one call at a time.
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

// Done ends the stage, where there was anything to do.
func (c *Counter) Done() {
	if !c.begun.IsZero() {
		c.emit(events.StageDone{Stage: c.stage, Seconds: time.Since(c.begun).Seconds()})
	}
}
