package torch

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestCloseReturnsMemory checks that the memory of a model is back with the system after
// Close: many tensors of the size of a weight.
func TestCloseReturnsMemory(t *testing.T) {
	const tensors, values = 400, 1 << 18 // of 1 MiB
	before := resident(t)
	rt, err := Open(Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	err = rt.Do(t.Context(), func(s *Scope) error {
		_ = s.Within(func(inner *Scope) error { // after a large one is freed, smaller ones come from the heap
			inner.Full(1, 30*values)
			return nil
		})
		for range tensors {
			s.Full(1, values)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	rt.Close()
	if kept := resident(t) - before; kept > tensors/2*values*4 {
		t.Errorf("%d MB are still in memory", kept>>20)
	}
}

// resident returns the bytes of this process that are in memory.
func resident(t *testing.T) int64 {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// TestLoadReturnsMemory checks that the memory of tensors that are freed among others while a
// model is loaded, as those of weights that are converted, is back with the system at once.
func TestLoadReturnsMemory(t *testing.T) {
	const tensors, values = 25, 4 << 20 // of 16 MiB, as the largest weights of a ViT-L
	kept := int64(0)
	do(t, open(t), func(s *Scope) error {
		return s.rt.Load(func() error {
			_ = s.Within(func(inner *Scope) error { // after a large one is freed, smaller ones could come from the heap
				inner.Full(1, 7*values/4)
				return nil
			})
			before := resident(t)
			_ = s.Within(func(inner *Scope) error {
				for range tensors {
					inner.Full(1, values)
					s.Full(1, values/4096)
				}
				return nil
			})
			kept = resident(t) - before
			return nil
		})
	})
	if kept > tensors/4*values*4 {
		t.Errorf("%d MB of freed tensors are still in memory", kept>>20)
	}
}
