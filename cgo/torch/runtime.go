// Package torch is a thin, safe shell over gotorch and libtorch. It is the only
// package that meets C, unsafe pointers or gotorch.
//
// Open loads libtorch into the running program and gives a Runtime. All work
// happens inside Runtime.Do, on one thread that the Runtime owns. Every Tensor
// belongs to a Scope, which frees it when it closes. An operation that fails
// stops the enclosing Do, which returns an *Error.
package torch

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Options say where a Runtime computes.
type Options struct {
	Device  Device // the zero value is the CPU
	Threads int    // CPU threads inside operations; 0 means one a core that the process may use, or fewer where a container's share is smaller
}

// Runtime is one device with the one thread that works on it.
type Runtime struct {
	device  Device
	threads int
	thread  atomic.Int64 // the worker's thread id, -1 when it has ended: only it may touch tensors
	jobs    chan job
	done    chan struct{} // closed when Close begins
	stopped chan struct{} // closed when the worker has ended
	closing sync.Once
	current *Scope // the innermost open scope of the running Do
}

type job struct {
	run    func()
	finish chan struct{} // closed when run has ended
}

// Open loads libtorch (once in a process; see Find for where it is looked for)
// and starts a Runtime. The caller closes it. Several may be open at once.
func Open(options Options) (*Runtime, error) {
	if err := load(); err != nil {
		return nil, err
	}
	if options.Threads <= 0 {
		options.Threads = defaultThreads()
	}
	rt := &Runtime{device: options.Device, threads: options.Threads,
		jobs: make(chan job), done: make(chan struct{}), stopped: make(chan struct{})}
	started := make(chan error, 1)
	go rt.work(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting torch on %s: %w", options.Device, err)
	}
	return rt, nil
}

// Device is where the Runtime's tensors live.
func (rt *Runtime) Device() Device { return rt.device }

// Threads is the number of CPU threads inside operations.
func (rt *Runtime) Threads() int { return rt.threads }

// Close waits for the running Do and stops the Runtime; inside Do it does not
// wait. Scopes from NewScope are closed before it by whoever made them.
func (rt *Runtime) Close() {
	rt.closing.Do(func() { close(rt.done) })
	if !rt.onWorker() {
		<-rt.stopped
	}
}

// work runs the jobs one after another on a thread of its own: libtorch keeps
// settings, caches and thread pools by thread.
func (rt *Runtime) work(started chan<- error) {
	runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
	defer close(rt.stopped)
	rt.thread.Store(int64(unix.Gettid()))
	defer rt.thread.Store(-1) // the system gives the number to others
	err := rt.prepare()
	started <- err
	if err != nil {
		return
	}
	for {
		select {
		case <-rt.done:
			return
		case next := <-rt.jobs:
			next.run()
		}
	}
}

// Do runs f on the Runtime's thread, alone, and returns f's error, or the *Error
// of the operation that failed. The tensors that f makes are freed when Do
// returns, unless a longer Scope kept them. A context that is done before f
// starts is an error; f itself looks at ctx where it can stop. Do inside Do is
// ErrNested. Any goroutine may call Do.
func (rt *Runtime) Do(ctx context.Context, f func(*Scope) error) error {
	return rt.onThread(ctx, func() error {
		scope := newScope(rt)
		defer scope.close()
		previous := rt.current
		rt.current = scope
		defer func() { rt.current = previous }()
		return f(scope)
	})
}

// onThread runs f on the worker and brings back its error; a panic that is not
// an operation's failure goes on in the caller.
func (rt *Runtime) onThread(ctx context.Context, f func() error) error {
	if rt.onWorker() {
		return ErrNested
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	var err error
	var foreign any
	next := job{finish: make(chan struct{})}
	next.run = func() {
		defer close(next.finish)
		err = errEnded // what remains when f never returns
		defer func() {
			switch cause := recover().(type) {
			case nil:
			case *Error:
				err = cause
			default:
				foreign = fmt.Sprintf("%v\n%s", cause, stack())
			}
		}()
		err = f()
	}
	select {
	case rt.jobs <- next:
	case <-ctx.Done():
		return ctx.Err()
	case <-rt.done:
		return errRuntimeClosed
	case <-rt.stopped: // by errEnded
		return errRuntimeClosed
	}
	<-next.finish
	if foreign != nil {
		panic(foreign)
	}
	return err
}

func stack() []byte {
	buffer := make([]byte, 16<<10)
	return buffer[:runtime.Stack(buffer, false)]
}
