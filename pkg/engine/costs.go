package engine

import (
	"sync/atomic"
	"time"

	"acdclip/pkg/events"
)

// costs adds up what an evaluation spends its time on. Reading and metrics run
// beside the model.
type costs struct {
	reading cost // over all goroutines that read
	waiting cost // of the model for pictures
	model   cost
	metrics cost
}

// cost is a duration that goroutines add to.
type cost struct{ nanoseconds atomic.Int64 }

func (c *cost) add(d time.Duration) { c.nanoseconds.Add(int64(d)) }

func (c *cost) seconds() float64 { return time.Duration(c.nanoseconds.Load()).Seconds() }

func (c *costs) event(total time.Duration) events.Costs {
	return events.Costs{
		Total: total.Seconds(), Model: c.model.seconds(), Waiting: c.waiting.seconds(),
		Reading: c.reading.seconds(), Metrics: c.metrics.seconds(),
	}
}
