package scoring

import (
	"sync/atomic"
	"time"

	"acdclip/pkg/events"
)

// Costs adds up what scoring spends its time on. Reading and metrics run beside the
// model. The zero value is ready; any goroutine may use it.
type Costs struct {
	Reading Cost // over all goroutines that read
	Waiting Cost // of the model for pictures
	Model   Cost
	Metrics Cost
}

// Cost is a duration that goroutines add to.
type Cost struct{ nanoseconds atomic.Int64 }

// Add adds a duration.
func (c *Cost) Add(d time.Duration) { c.nanoseconds.Add(int64(d)) }

func (c *Cost) seconds() float64 { return time.Duration(c.nanoseconds.Load()).Seconds() }

// Event tells the costs, and how long all took.
func (c *Costs) Event(total time.Duration) events.Costs {
	return events.Costs{
		Total: total.Seconds(), Model: c.Model.seconds(), Waiting: c.Waiting.seconds(),
		Reading: c.Reading.seconds(), Metrics: c.Metrics.seconds(),
	}
}
