package metrics

import (
	"iter"
	"runtime"
	"sync"
)

// point is what a threshold at one distinct score of anomalous samples meets.
// Scores that only normal samples have need no point of their own: between two
// points the ROC curve runs level, and precision and F1 only fall.
type point struct {
	key       uint32
	positives uint64 // anomalous samples with exactly this score
	negatives uint64 // normal samples with exactly this score
	above     uint64 // normal samples with a higher score
}

// points yields one point for each distinct score that an anomalous sample has,
// in falling order. It does not depend on the order in which samples were added.
//
// The range of keys is cut into many small stretches. Each is gathered from
// all runs and sorted apart, on all processors, and then visited in order, so
// that memory beyond the runs stays small.
func (p *Pooled) points() iter.Seq[point] {
	return func(yield func(point) bool) {
		positives, negatives := p.positives.sortedRuns(), p.negatives.sortedRuns()
		cuts := cutKeys(positives, negatives)
		var above uint64
		for counted := range countAll(stretches(cuts, positives, negatives), len(cuts)) {
			for _, point := range counted.points {
				point.above += above
				if !yield(point) {
					return
				}
			}
			above += counted.negatives
		}
	}
}

// countAll counts n stretches on all processors and yields the results in order.
// No goroutine is left when it ends.
func countAll(all iter.Seq[stretch], n int) iter.Seq[counted] {
	type job struct {
		stretch
		done chan counted
	}
	return func(yield func(counted) bool) {
		workers := min(runtime.GOMAXPROCS(0), n)
		jobs := make(chan job)
		order := make(chan chan counted, 2*workers) // bounds what waits to be visited
		stop := make(chan struct{})
		var wait sync.WaitGroup
		defer wait.Wait()
		defer close(stop)

		wait.Go(func() {
			defer close(order)
			defer close(jobs)
			for s := range all {
				next := job{s, make(chan counted, 1)}
				select {
				case order <- next.done:
				case <-stop:
					return
				}
				select {
				case jobs <- next:
				case <-stop:
					return
				}
			}
		})
		for range workers {
			wait.Go(func() {
				var c counter
				for job := range jobs {
					job.done <- c.count(job.stretch)
				}
			})
		}
		for done := range order {
			if !yield(<-done) {
				return
			}
		}
	}
}
