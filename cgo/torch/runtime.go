// Package torch is a thin, safe wrapper of gotorch and libtorch. It is the only package
// that uses C, unsafe pointers or gotorch.
//
// Open loads libtorch into the running program and returns a Runtime. All work happens
// inside Runtime.Do, on one thread that the Runtime owns. Every Tensor belongs to a Scope,
// which frees it when it closes. An operation that fails stops the enclosing Do, which
// returns an *Error.
package torch

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Options configure a Runtime.
type Options struct {
	Device  Device // the zero value is the CPU
	Threads int    // CPU threads inside operations; 0: one per core that the process may use, or fewer if a container limits CPU time
}

// Runtime is a device and the only thread that uses it.
type Runtime struct {
	device  Device
	threads int
	thread  atomic.Int64 // the worker's thread id, -1 after it has ended; only the worker may use tensors
	jobs    chan job
	done    chan struct{} // closed when Close starts
	stopped chan struct{} // closed when the worker has ended
	closing sync.Once
	current *Scope // the innermost open scope of the running Do
}

type job struct {
	run    func()
	finish chan struct{} // closed when run has ended
}

// Open loads libtorch (once per process; see Find for its location) and starts a Runtime.
// The caller closes it. Several Runtimes may be open at once.
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

// Device returns the device of the Runtime's tensors.
func (rt *Runtime) Device() Device { return rt.device }

// Threads returns the number of CPU threads inside operations.
func (rt *Runtime) Threads() int { return rt.threads }

// Close waits for the running Do and stops the Runtime; inside Do it does not wait. Scopes
// from NewScope must be closed before it.
func (rt *Runtime) Close() {
	rt.closing.Do(func() { close(rt.done) })
	if !rt.onWorker() {
		<-rt.stopped
		trim()
	}
}

// work runs the jobs one after another on its own thread, because libtorch's settings,
// caches and thread pools are per thread.
func (rt *Runtime) work(started chan<- error) {
	runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
	defer close(rt.stopped)
	rt.thread.Store(int64(unix.Gettid()))
	defer rt.thread.Store(-1) // the system reuses thread ids
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

// Do runs f on the Runtime's thread and returns f's error, or the *Error of the operation
// that failed. Calls of Do run one at a time, and any goroutine may call it. The tensors
// that f creates are freed when Do returns, unless Keep moved them to a longer-lived Scope.
// If ctx ends before f starts, Do returns its error; after that f must check ctx itself.
// Do inside Do is ErrNested.
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

// onThread runs f on the worker and returns its error. A panic that is not an operation's
// failure is raised again in the caller.
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
		err = errEnded // stays if f never returns
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
	case <-rt.stopped: // after errEnded
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
