// Package goroutines tells tests whether goroutines are left.
package goroutines

import (
	"runtime"
	"testing"
	"time"
)

// NoneLeft fails t where more run than before, a number of runtime.NumGoroutine's.
// It waits a moment for them: one that was waited for may still be on its way out.
func NoneLeft(t testing.TB, before int) {
	t.Helper()
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}
