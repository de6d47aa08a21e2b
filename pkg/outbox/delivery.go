package outbox

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"acdclip/pkg/events"
	"acdclip/pkg/plural"
)

// Options are how messages are delivered.
type Options struct {
	// Emit is told what the user should know. Any goroutine calls it.
	Emit func(events.Event)
	// Wait is how long to wait after so many failures in succession; nil: 1 s, 2 s, 4 s, ...,
	// at most 1 min, each less a random part of up to a half.
	Wait func(failures int) time.Duration
}

// sayAgain is the time after which a warning about the same trouble is repeated.
const sayAgain = 10 * time.Minute

// Delivery delivers the messages of a spool, one after the other in their order, beside other work.
type Delivery struct {
	spool    *Spool
	receiver Receiver
	options  Options

	finish chan struct{} // closed when no more messages come
	ended  chan struct{} // closed when nothing is posted any more
	stop   context.CancelFunc

	failed      time.Time // the last warning about a failure; zero while there is none
	saidRefused time.Time // the last warning about a refused message
	trouble     error     // the last failure; read after ended is closed
}

// Start begins to deliver the messages of a spool, which nothing else may deliver. Finish must
// be called before the spool is closed.
func Start(s *Spool, r Receiver, o Options) *Delivery {
	if o.Wait == nil {
		o.Wait = backoff
	}
	ctx, stop := context.WithCancel(context.Background())
	d := &Delivery{spool: s, receiver: r, options: o, finish: make(chan struct{}), ended: make(chan struct{}), stop: stop}
	go d.run(ctx)
	return d
}

// backoff is the time to wait after failures in succession.
func backoff(failures int) time.Duration {
	const most = time.Minute
	wait := most
	if doublings := failures - 1; doublings < 6 {
		wait = min(most, time.Second<<doublings)
	}
	return wait - rand.N(wait/2) // so that not all programs come back at once
}

// Finish waits until all messages are delivered or refused, but at most for patience and only
// until ctx ends, and then stops. No messages may be added after it was called. The error says
// why messages wait; they are on disk.
func (d *Delivery) Finish(ctx context.Context, patience time.Duration) error {
	close(d.finish)
	impatient := time.NewTimer(patience)
	defer impatient.Stop()
	select {
	case <-d.ended:
	case <-impatient.C:
	case <-ctx.Done():
	}
	d.stop()
	<-d.ended
	if d.spool.Waiting() == 0 {
		return nil
	}
	if d.trouble == nil {
		return errors.New("there was no time to post them")
	}
	return d.trouble
}

// run delivers until there is nothing left and no more will come, or ctx ends.
func (d *Delivery) run(ctx context.Context) {
	defer close(d.ended)
	client := d.receiver.client()
	defer client.CloseIdleConnections()
	finish := d.finish // nil once it was noticed
	for failures := 0; ctx.Err() == nil; {
		h, err := d.spool.first()
		switch {
		case err != nil:
		case h != nil:
			err = d.deliver(ctx, client, h)
		case finish == nil:
			return
		default:
			select {
			case <-ctx.Done():
			case <-finish:
				finish = nil // a message may have come before
			case <-d.spool.added:
			}
			continue
		}
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			failures = 0
			continue
		}
		failures++
		d.warn(h, err)
		if d.pause(ctx, err, failures, finish) {
			finish = nil
		}
	}
}

// pause waits before the next try. The last messages do not wait for long: finish ends the pause,
// unless the receiver named its time. finished says that it did.
func (d *Delivery) pause(ctx context.Context, err error, failures int, finish <-chan struct{}) (finished bool) {
	wait := d.options.Wait(failures)
	if named, ok := errors.AsType[later](err); ok && named.after > 0 {
		wait, finish = max(wait, named.after), nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-finish:
		return true
	case <-timer.C:
	}
	return false
}

// deliver posts a message, and notes that it is delivered or refused. The error is of a message
// that stays, or says that what was done could not be noted.
func (d *Delivery) deliver(ctx context.Context, client *http.Client, h *head) error {
	if h.damaged != nil {
		return d.refuse(h, h.damaged)
	}
	err := d.receiver.post(ctx, client, h.Message)
	if _, passes := errors.AsType[later](err); passes {
		return err
	}
	d.recovered()
	if err != nil {
		return d.refuse(h, err)
	}
	return d.spool.done(h)
}

// refuse puts a message aside, and says so, but not for each one.
func (d *Delivery) refuse(h *head, reason error) error {
	if err := d.spool.refuse(h, reason.Error()); err != nil {
		return err
	}
	if time.Since(d.saidRefused) < sayAgain {
		return nil
	}
	d.saidRefused = time.Now()
	d.options.Emit(events.Warning{Text: fmt.Sprintf("posting to %s: a message cannot be delivered: %v; %s since the start, kept in %s",
		d.receiver.Name(), reason, plural.Of(d.spool.Refused(), "such message", "such messages"), d.spool.RefusedFile())})
	return nil
}

// warn says that a message could not be posted, but not at each try.
func (d *Delivery) warn(h *head, err error) {
	d.trouble = err
	if !d.failed.IsZero() && time.Since(d.failed) < sayAgain {
		return
	}
	d.failed = time.Now()
	age := ""
	if h != nil && !h.Time.IsZero() {
		age = fmt.Sprintf(", the oldest for %v", max(0, time.Since(h.Time)).Round(time.Second))
	}
	d.options.Emit(events.Warning{Text: fmt.Sprintf("posting to %s: %v; %s%s, and will be posted again",
		d.receiver.Name(), err, plural.Of(d.spool.Waiting(), "message waits", "messages wait"), age)})
}

// recovered says that messages are delivered again.
func (d *Delivery) recovered() {
	if d.failed.IsZero() {
		return
	}
	d.failed, d.trouble = time.Time{}, nil
	d.options.Emit(events.Notice{Text: fmt.Sprintf("posting to %s goes on", d.receiver.Name())})
}
