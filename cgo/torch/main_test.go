package torch

import (
	"context"
	"fmt"
	"os"
	"testing"

	"acdclip/internal/golden"
)

// TestMain checks that no test leaves a native tensor behind.
func TestMain(m *testing.M) {
	golden.UseNative(NativeVariable)
	code := m.Run()
	if left := LiveHandles(); left != 0 {
		fmt.Fprintf(os.Stderr, "%d tensors were never freed\n", left)
		code = 1
	}
	os.Exit(code)
}

func open(t testing.TB) *Runtime {
	t.Helper()
	rt, err := Open(Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(rt.Close)
	return rt
}

func do(t testing.TB, rt *Runtime, f func(*Scope) error) {
	t.Helper()
	if err := rt.Do(context.Background(), f); err != nil {
		t.Fatal(err)
	}
}
