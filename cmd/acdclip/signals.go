package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"acdclip/pkg/events"
)

// stopOnSignal waits for a signal that ends the program, and ends the work by
// cancel. A hang-up that the caller ignores, as nohup does, stays ignored; see also
// onHangUp.
func (a *app) stopOnSignal(cancel func()) {
	ending := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		ending = append(ending, syscall.SIGHUP)
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, ending...)
	// A terminal or a pipe behind stderr that is gone ends no work: messages are lost.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	for got := range signals {
		if got != syscall.SIGHUP || !a.reloads.Load() {
			break
		}
	}
	signal.Stop(signals) // a second one has its usual effect: the program ends at once
	// Before the work ends, since that may be at once.
	a.emit(events.Notice{Text: "stopping; a second signal stops at once"})
	cancel()
}

// onHangUp does something at each hang-up from now on, on a goroutine of its own, until ctx ends.
// Then the channel is closed. A hang-up ends the program no more, even if another signal does.
// Those that come while it is being done are one more.
func (a *app) onHangUp(ctx context.Context, do func()) (done <-chan struct{}) {
	hangups, ended := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(hangups, syscall.SIGHUP) // also where the caller ignores it
	a.reloads.Store(true)
	go func() {
		defer close(ended)
		for {
			select {
			case <-hangups:
				do()
			case <-ctx.Done():
				return
			}
		}
	}()
	return ended
}

// endByPipe ends the program as a closed pipe does by its signal, where stdout was
// one that nobody reads any more, as of `| head`.
func (a *app) endByPipe() {
	if a.out.Unread() {
		signal.Reset(syscall.SIGPIPE)
		_, _ = os.Stdout.WriteString("\n") // nobody reads it, and Go ends the program by the signal
	}
}

// saveOnSignal has a training save its state at each SIGUSR1, as batch systems
// send it some time before they end a job. The other verbs go on: what they
// finish is on the disk at once.
func (a *app) saveOnSignal() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	for range signals {
		if !a.saves.Load() {
			a.emit(events.Notice{Text: "SIGUSR1: nothing to save; finished work is saved already"})
			continue
		}
		select {
		case a.save <- struct{}{}:
		default: // one is waiting already
		}
	}
}
