package torch

import (
	"errors"
	"os"
	"slices"
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

// TestBufferReturnsMemory checks that weights that are converted while a model is loaded, each
// followed by a tensor that stays, leave no memory with the process.
func TestBufferReturnsMemory(t *testing.T) {
	const tensors, values = 25, 4 << 20 // of 16 MiB, as the largest weights of a ViT-L
	kept := int64(0)
	do(t, open(t), func(s *Scope) error {
		before := resident(t)
		buffer := s.NewBuffer()
		for range tensors {
			_, err := buffer.LoadFloat32(func(memory []float32) error {
				clear(memory)
				return nil
			}, values)
			if err != nil {
				return err
			}
			s.Full(1, values/4096)
		}
		buffer.Close()
		kept = resident(t) - before
		return nil
	})
	if kept > tensors/4*values*4 {
		t.Errorf("%d MB of freed tensors are still in memory", kept>>20)
	}
}

// TestBuffer checks that tensors of a buffer have the values that were read last, and that a
// clone stays.
func TestBuffer(t *testing.T) {
	do(t, open(t), func(s *Scope) error {
		buffer := s.NewBuffer()
		defer buffer.Close()
		load := func(value float32, shape ...int64) Tensor {
			loaded, err := buffer.LoadFloat32(func(memory []float32) error {
				for i := range memory {
					memory[i] = value
				}
				return nil
			}, shape...)
			if err != nil {
				t.Fatal(err)
			}
			return loaded
		}
		first := load(1, 2, 3)
		stays := first.Clone()
		second := load(2, 2)
		if got := first.Float32s(); !slices.Equal(got, []float32{2, 2, 1, 1, 1, 1}) || !slices.Equal(first.Shape(), []int64{2, 3}) {
			t.Errorf("the first tensor is %v, %v", first.Shape(), got)
		}
		if got := load(3, 4, 2).Float32s(); !slices.Equal(got, []float32{3, 3, 3, 3, 3, 3, 3, 3}) {
			t.Errorf("a larger tensor is %v", got)
		}
		if got := second.Float32s(); !slices.Equal(got, []float32{2, 2}) {
			t.Errorf("the second tensor changed to %v: larger ones have other memory", got)
		}
		if got := stays.Float32s(); !slices.Equal(got, []float32{1, 1, 1, 1, 1, 1}) {
			t.Errorf("the clone is %v", got)
		}
		if got := load(0, 0, 2); !slices.Equal(got.Shape(), []int64{0, 2}) {
			t.Errorf("an empty tensor is %v", got.Shape())
		}
		failure := errors.New("unreadable")
		if _, err := buffer.LoadFloat32(func([]float32) error { return failure }, 2); !errors.Is(err, failure) {
			t.Errorf("the error is %v", err)
		}
		return nil
	})
}
