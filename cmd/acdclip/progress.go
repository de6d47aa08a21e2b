package main

import (
	"time"

	"acdclip/pkg/events"
)

// counter shows how far a piece of work outside the engine has come.
type counter struct {
	app         *app
	stage, unit string
	begun       time.Time // zero until the first call of progress
	told        time.Time // when progress was shown last
}

func (a *app) counter(stage, unit string) *counter {
	return &counter{app: a, stage: stage, unit: unit}
}

// progressEvery is how often progress is told; the last piece always is.
const progressEvery = 100 * time.Millisecond

// progress is for functions that tell how many of how many things are done, one call at a time.
func (c *counter) progress(done, total int) {
	if c.begun.IsZero() {
		c.begun = time.Now()
		c.app.emit(events.StageStarted{Stage: c.stage, Unit: c.unit, Total: total})
	}
	if now := time.Now(); done == total || now.Sub(c.told) >= progressEvery {
		c.told = now
		c.app.emit(events.Progress{Stage: c.stage, Done: done, Total: total})
	}
}

// done ends the stage, where there was anything to do.
func (c *counter) done() {
	if !c.begun.IsZero() {
		c.app.emit(events.StageDone{Stage: c.stage, Seconds: time.Since(c.begun).Seconds()})
	}
}
