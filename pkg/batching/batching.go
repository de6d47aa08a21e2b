// Package batching lets many goroutines share one model: it collects their pictures into
// batches and scores one batch at a time. It is pure Go.
//
// A batch starts as soon as the model is free and one of these holds: it is full; its
// oldest picture has waited MaxWait; nobody who has a Place is still preparing a picture, so
// that nothing more is known to come. So a lone picture never waits. Pictures that come
// while a batch is scored make up the next ones, in the order of their arrival.
package batching

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"acdclip/pkg/data/pixels"
	"acdclip/pkg/domain"
	"acdclip/pkg/scoring"
)

var (
	// ErrBusy reports that as many pictures as Options.Queue are being worked on.
	ErrBusy = errors.New("the queue is full; try again later")
	// ErrClosed reports a Batcher that takes no more pictures.
	ErrClosed = errors.New("the model is being closed")
	// ErrPanic reports a panic while a picture was scored.
	ErrPanic = errors.New("the model panicked")
)

// Scorer scores batches of pictures, one at a time. detect.Detector is one.
type Scorer interface {
	// Score scores pictures [S, S, 3]; classOf[i] is the index of picture i's class in
	// classes. A picture's own trouble is its Err.
	Score(ctx context.Context, classes domain.Classes, pictures []pixels.Picture, classOf []int) ([]scoring.Scored, error)
}

// Options are the limits of a Batcher.
type Options struct {
	Batch   int           // the most pictures that are scored at once; 0 means 1
	MaxWait time.Duration // the longest time for which a picture waits for others while the model is free
	Queue   int           // the most Places at a time; 0 means DefaultQueue

	// Scored is called after each batch with its number of pictures and the time that it
	// took; nil for no call. It must return soon.
	Scored func(pictures int, took time.Duration)
}

// DefaultQueue is the default of Options.Queue.
const DefaultQueue = 64

// Request is a picture to score.
type Request struct {
	Prompt  string // the name of its class in prompts
	Domain  domain.Domain
	Picture pixels.Picture // [S, S, 3]
}

// Batcher shares a Scorer among goroutines.
type Batcher struct {
	scorer  Scorer
	options Options
	changed chan struct{} // tells the loop that something below has changed
	ended   chan struct{} // closed when the loop has ended

	mutex     sync.Mutex
	waiting   []*request // in order of arrival
	running   int        // pictures that are being scored
	places    int        // that are taken
	preparing int        // of these, those whose first picture has not come yet
	closed    bool
	seekers   []chan *Place // who waits for a place, in order of arrival; closed without one by Close
}

// request is a Request that waits for its result. The result is set before done is closed.
type request struct {
	Request
	ctx     context.Context
	arrived time.Time
	done    chan struct{}
	scored  scoring.Scored
	err     error
}

func (r *request) finish(scored scoring.Scored, err error) {
	r.scored, r.err = scored, err
	close(r.done)
}

// New returns a Batcher for a Scorer that nothing else uses. The caller closes the Batcher,
// and then the Scorer.
func New(scorer Scorer, o Options) *Batcher {
	o.Batch = max(o.Batch, 1)
	if o.Queue <= 0 {
		o.Queue = DefaultQueue
	}
	b := &Batcher{scorer: scorer, options: o, changed: make(chan struct{}, 1), ended: make(chan struct{})}
	go b.run()
	return b
}

// Load is what a Batcher is busy with.
type Load struct {
	Places  int // taken
	Waiting int // pictures that wait for the model
	Running int // pictures that are being scored
}

// Load returns what the Batcher is busy with now.
func (b *Batcher) Load() Load {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return Load{b.places, len(b.waiting), b.running}
}

// Close refuses new Places, waits until all are released and all batches are scored, and ends
// the Batcher. Requests that are to end sooner must be cancelled by their contexts.
func (b *Batcher) Close() {
	b.mutex.Lock()
	b.closed = true
	for _, seeker := range b.seekers {
		close(seeker)
	}
	b.seekers = nil
	b.mutex.Unlock()
	b.tell()
	<-b.ended
}

// tell wakes the loop.
func (b *Batcher) tell() {
	select {
	case b.changed <- struct{}{}:
	default: // it has not seen the last change yet, and will see all
	}
}

// run scores batches until the Batcher is closed and all Places are released.
func (b *Batcher) run() {
	defer close(b.ended)
	for {
		batch := b.next()
		if batch == nil {
			return
		}
		b.score(batch)
		b.mutex.Lock()
		b.running = 0
		b.mutex.Unlock()
	}
}

// next waits until a batch is due and returns it; nil when the Batcher has ended.
func (b *Batcher) next() []*request {
	for {
		b.mutex.Lock()
		batch, wait := b.due(time.Now())
		ended := b.closed && b.places == 0
		b.mutex.Unlock()
		switch {
		case batch != nil:
			return batch
		case ended:
			return nil
		}
		b.await(wait)
	}
}

// await waits for a change, and if wait is positive no longer than that.
func (b *Batcher) await(wait time.Duration) {
	var elapsed <-chan time.Time
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		elapsed = timer.C
	}
	select {
	case <-b.changed:
	case <-elapsed:
	}
}

// due takes the next batch from the queue if it is time for it. Otherwise it returns how long
// the oldest picture may still wait; 0 for no picture. The caller holds the mutex.
func (b *Batcher) due(now time.Time) (batch []*request, wait time.Duration) {
	b.waiting = slices.DeleteFunc(b.waiting, func(r *request) bool {
		gone := r.ctx.Err() != nil
		if gone {
			r.finish(scoring.Scored{}, r.ctx.Err())
		}
		return gone
	})
	if len(b.waiting) == 0 {
		return nil, 0
	}
	first := b.waiting[0]
	for _, r := range b.waiting {
		if r.Domain == first.Domain && len(batch) < b.options.Batch {
			batch = append(batch, r)
		}
	}
	wait = first.arrived.Add(b.options.MaxWait).Sub(now)
	if len(batch) < b.options.Batch && wait > 0 && b.preparing > 0 {
		return nil, wait
	}
	b.waiting = slices.DeleteFunc(b.waiting, func(r *request) bool { return slices.Contains(batch, r) })
	b.running = len(batch)
	return batch, 0
}

// score scores a batch and finishes its requests. If that fails, each picture is scored
// alone, so that what is wrong with one does not become the others' error.
func (b *Batcher) score(batch []*request) {
	start := time.Now()
	scored, err := b.attempt(batch)
	if err == nil && b.options.Scored != nil {
		b.options.Scored(len(batch), time.Since(start))
	}
	if err != nil && len(batch) > 1 {
		for i := range batch {
			b.score(batch[i : i+1])
		}
		return
	}
	for i, r := range batch {
		if err != nil {
			r.finish(scoring.Scored{}, err)
			continue
		}
		r.finish(scored[i], scored[i].Err)
	}
}

// attempt scores a batch. A panic of the Scorer becomes an error.
func (b *Batcher) attempt(batch []*request) (scored []scoring.Scored, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", ErrPanic, r)
		}
	}()
	var prompts []string
	for _, r := range batch {
		prompts = append(prompts, r.Prompt)
	}
	slices.Sort(prompts) // the same classes are the same list, which the Detector keeps
	classes := domain.Classes{Prompts: slices.Compact(prompts), Domain: batch[0].Domain}
	pictures, classOf := make([]pixels.Picture, len(batch)), make([]int, len(batch))
	for i, r := range batch {
		pictures[i] = r.Picture
		classOf[i], _ = slices.BinarySearch(classes.Prompts, r.Prompt)
	}
	// The context is not that of a request, since the others' results are wanted in any case.
	scored, err = b.scorer.Score(context.Background(), classes, pictures, classOf)
	if err == nil && len(scored) != len(batch) {
		err = fmt.Errorf("the model returned %d results for %d pictures", len(scored), len(batch))
	}
	return scored, err
}
