package golden

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
)

// Failures runs test with its own testing.TB and returns the messages of its failures. t
// itself does not fail. It is for tests that show that a comparison can fail.
func Failures(t testing.TB, test func(t testing.TB)) []string {
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() { // Fatal ends the goroutine
		defer close(done)
		test(r)
	}()
	<-done
	return r.messages
}

type recorder struct {
	testing.TB
	mutex    sync.Mutex
	messages []string
}

func (r *recorder) record(message string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.messages = append(r.messages, message)
}

func (r *recorder) Error(args ...any)                 { r.record(fmt.Sprint(args...)) }
func (r *recorder) Errorf(format string, args ...any) { r.record(fmt.Sprintf(format, args...)) }
func (r *recorder) Fatal(args ...any)                 { r.Error(args...); runtime.Goexit() }
func (r *recorder) Fatalf(format string, args ...any) { r.Errorf(format, args...); runtime.Goexit() }
func (r *recorder) Helper()                           {}
