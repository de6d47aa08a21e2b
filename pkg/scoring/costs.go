package scoring

import (
	"sync/atomic"
	"time"

	"acdclip/pkg/events"
)

// Costs measures how scoring spends its time. Reading and metrics run in parallel with
// the model. The zero value is ready to use, and it is safe for concurrent use.
type Costs struct {
	Reading Cost // summed over all reading goroutines
	Waiting Cost // the model waits for pictures
	Model   Cost
	Metrics Cost
}

// Cost is a duration that goroutines add to.
type Cost struct{ nanoseconds atomic.Int64 }

// Add adds a duration.
func (c *Cost) Add(d time.Duration) { c.nanoseconds.Add(int64(d)) }

func (c *Cost) seconds() float64 { return time.Duration(c.nanoseconds.Load()).Seconds() }

// Event returns the costs as an event; total is the elapsed time.
func (c *Costs) Event(total time.Duration) events.Costs {
	return events.Costs{
		Total: total.Seconds(), Model: c.Model.seconds(), Waiting: c.Waiting.seconds(),
		Reading: c.Reading.seconds(), Metrics: c.Metrics.seconds(),
	}
}
