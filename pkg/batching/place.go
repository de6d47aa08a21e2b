package batching

import (
	"context"
	"slices"
	"sync"
	"time"

	"acdclip/pkg/scoring"
)

// Place is a place in a Batcher's queue. It is taken before a picture is decoded, so that a
// picture which finds the queue full costs nothing. Only one goroutine may use it.
type Place struct {
	batcher *Batcher
	begun   bool // a picture has come
	release sync.Once
}

// Take takes a place in the queue, or returns ErrBusy or ErrClosed. The caller releases it.
func (b *Batcher) Take() (*Place, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	switch {
	case b.closed:
		return nil, ErrClosed
	case b.places >= b.options.Queue:
		return nil, ErrBusy
	}
	b.places++
	b.preparing++
	return &Place{batcher: b}, nil
}

// Release gives the place back. A second call does nothing.
func (p *Place) Release() {
	p.release.Do(func() {
		b := p.batcher
		b.mutex.Lock()
		b.places--
		if !p.begun {
			b.preparing--
		}
		b.mutex.Unlock()
		b.tell()
	})
}

// Score waits for the score of a picture. If ctx is cancelled, it returns the context's error
// at once, and the picture is not scored unless its batch has started. A picture that has no
// score returns Scored.Err; other errors are those of the Scorer for this picture alone, or
// wrap ErrPanic.
func (p *Place) Score(ctx context.Context, r Request) (scoring.Scored, error) {
	b := p.batcher
	waiting := &request{Request: r, ctx: ctx, arrived: time.Now(), done: make(chan struct{})}
	b.mutex.Lock()
	if !p.begun {
		p.begun = true
		b.preparing--
	}
	b.waiting = append(b.waiting, waiting)
	b.mutex.Unlock()
	b.tell()
	select {
	case <-waiting.done:
		return waiting.scored, waiting.err
	case <-ctx.Done():
		b.forget(waiting)
		return scoring.Scored{}, ctx.Err()
	}
}

// forget drops a request that has not started.
func (b *Batcher) forget(r *request) {
	b.mutex.Lock()
	b.waiting = slices.DeleteFunc(b.waiting, func(other *request) bool { return other == r })
	b.mutex.Unlock()
	b.tell()
}
