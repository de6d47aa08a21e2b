package batching

import (
	"context"
	"errors"
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
	return b.take()
}

// Await takes a place like Take, but waits for one instead of returning ErrBusy, until ctx
// ends. It is for who has done work already that would be lost. Those who wait go before those
// who come later.
func (b *Batcher) Await(ctx context.Context) (*Place, error) {
	b.mutex.Lock()
	place, err := b.take()
	if !errors.Is(err, ErrBusy) {
		b.mutex.Unlock()
		return place, err
	}
	seeker := make(chan *Place, 1) // so that nobody waits for the seeker
	b.seekers = append(b.seekers, seeker)
	b.mutex.Unlock()
	select {
	case place, found := <-seeker:
		if !found {
			return nil, ErrClosed
		}
		return place, nil
	case <-ctx.Done():
		b.withdraw(seeker)
		return nil, ctx.Err()
	}
}

// withdraw ends the wait for a place, and gives back one that has just come.
func (b *Batcher) withdraw(seeker chan *Place) {
	b.mutex.Lock()
	b.seekers = slices.DeleteFunc(b.seekers, func(other chan *Place) bool { return other == seeker })
	b.mutex.Unlock()
	select {
	case place, found := <-seeker:
		if found {
			place.Release()
		}
	default:
	}
}

// take takes a place. The caller holds the mutex.
func (b *Batcher) take() (*Place, error) {
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
		if len(b.seekers) > 0 {
			if next, err := b.take(); err == nil {
				b.seekers[0] <- next
				b.seekers = b.seekers[1:]
			}
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
