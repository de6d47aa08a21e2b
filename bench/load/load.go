package load

import (
	"context"
	"errors"
	"math"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Range is the least and the largest of the rows that a picture got.
type Range struct {
	Least Row `json:"least"`
	Most  Row `json:"most"`
}

// Report sums up a run. Errors are counted by kind, as "status 429" or the error's text.
type Report struct {
	Pictures int              `json:"pictures"` // that were scored
	Seconds  float64          `json:"seconds"`  // from the first request to the last answer
	P50      float64          `json:"p50"`      // seconds from request to answer, of the pictures that were scored
	P99      float64          `json:"p99"`
	Errors   map[string]int   `json:"errors"`
	Rows     map[string]Range `json:"rows"` // by the picture's name
}

// Throughput is the number of pictures scored a second.
func (r Report) Throughput() float64 { return float64(r.Pictures) / r.Seconds }

// Score sends one picture and waits for its row.
type Score func(ctx context.Context, p Picture) (Row, error)

// Run has clients send pictures in turn, each one after the answer to its last one. After the
// time for it they send no more; Run waits for the answers that are still to come, so that
// slow ones count too.
func Run(ctx context.Context, score Score, pictures []Picture, clients int, lasting time.Duration) Report {
	var t Tally
	var next atomic.Int64
	start := time.Now()
	var work sync.WaitGroup
	for range clients {
		work.Go(func() {
			for ctx.Err() == nil && time.Since(start) < lasting {
				picture := pictures[int(next.Add(1)-1)%len(pictures)]
				sent := time.Now()
				row, err := score(ctx, picture)
				t.Add(picture.Name, row, time.Since(sent), err)
			}
		})
	}
	work.Wait()
	return t.Report(time.Since(start))
}

// Tally collects answers. Its zero value is empty; any number of goroutines may use it.
type Tally struct {
	mutex     sync.Mutex
	latencies []time.Duration
	errors    map[string]int
	rows      map[string]Range
}

// Add counts an answer, or an error.
func (t *Tally) Add(name string, row Row, took time.Duration, err error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if err != nil {
		if t.errors == nil {
			t.errors = make(map[string]int)
		}
		t.errors[kindOf(err)]++
		return
	}
	t.latencies = append(t.latencies, took)
	if t.rows == nil {
		t.rows = make(map[string]Range)
	}
	seen, known := t.rows[name]
	if !known {
		seen = Range{row, row}
	}
	t.rows[name] = Range{
		Least: Row{min(seen.Least.Score, row.Score), min(seen.Least.MapMax, row.MapMax)},
		Most:  Row{max(seen.Most.Score, row.Score), max(seen.Most.MapMax, row.MapMax)},
	}
}

// kindOf is short, and the same for all errors of a kind.
func kindOf(err error) string {
	if refused, ok := errors.AsType[*StatusError](err); ok {
		return "status " + http.StatusText(refused.Status)
	}
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return err.Error()
}

// Report sums up what was added in a time.
func (t *Tally) Report(took time.Duration) Report {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	slices.Sort(t.latencies)
	return Report{
		Pictures: len(t.latencies), Seconds: took.Seconds(),
		P50: Quantile(t.latencies, 0.5).Seconds(), P99: Quantile(t.latencies, 0.99).Seconds(),
		Errors: t.errors, Rows: t.rows,
	}
}

// Quantile is the least of rising values that a share q of them, from 0 to 1, does not exceed;
// 0 if there are none.
func Quantile(rising []time.Duration, q float64) time.Duration {
	if len(rising) == 0 {
		return 0
	}
	rank := int(math.Ceil(q * float64(len(rising))))
	return rising[min(max(rank, 1), len(rising))-1]
}
