package torch

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
)

func TestFailuresComeBackAsErrors(t *testing.T) {
	tests := []struct {
		name string
		run  func(s *Scope)
		want []string // parts of the message
	}{
		{"shapes in gotorch", func(s *Scope) { row(s, 1, 2).Add(row(s, 1, 2, 3)) }, []string{"torch Add on [2], [3]", "must match"}},
		{"shapes in our own", func(s *Scope) { table(s, 1, 2, 3, 4).MatMul(row(s, 1, 2, 3)) }, []string{"torch MatMul on [2 2], [3]"}},
		{"absurd allocation", func(s *Scope) { s.Full(0, 1<<40, 1<<10) }, []string{"Full", "memory"}},
		{"overflowing allocation", func(s *Scope) { s.Full(0, 1<<40, 1<<40) }, []string{"Full"}},
		{"negative length", func(s *Scope) { s.Full(0, -1) }, []string{"Full", "negative"}},
		{"backward on a vector", func(s *Scope) {
			x := row(s, 1, 2)
			x.RequireGrad(true)
			x.MulScalar(2).Backward()
		}, []string{"torch Backward on [2]", "scalar"}},
		{"backward without a graph", func(s *Scope) { row(s, 1).Backward() }, []string{"torch Backward on [1]", "require grad"}},
		{"index out of range", func(s *Scope) { row(s, 1).IndexSelect(0, s.FromInt64([]int64{5}, 1)) }, []string{"IndexSelect", "range"}},
		{"dimension out of range", func(s *Scope) { row(s, 1).Dim(3) }, []string{"torch Dim on [1]", "no dimension 3"}},
		{"padding too wide", func(s *Scope) { s.Full(0, 1, 1, 2, 2).ReflectPad(2) }, []string{"ReflectPad on [1 1 2 2]"}},
		{"values and shape", func(s *Scope) { s.FromFloat32([]float32{1}, 2) }, []string{"1 values for shape [2]"}},
		{"item of many", func(s *Scope) { row(s, 1, 2).Item() }, []string{"Item on [2]"}},
		{"zero Tensor", func(s *Scope) { row(s, 1).Add(Tensor{}) }, []string{"zero Tensor"}},
		{"no dimensions", func(s *Scope) { row(s, 1).Permute() }, []string{"Permute on [1]", "no dimensions"}},
		{"nothing to join", func(s *Scope) { Cat(0) }, []string{"Cat", "no tensors were given"}},
	}
	rt := open(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := LiveHandles()
			err := rt.Do(context.Background(), func(s *Scope) error { test.run(s); return nil })
			var failed *Error
			if !errors.As(err, &failed) {
				t.Fatalf("got %v, want an *Error", err)
			}
			for _, part := range test.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q lacks %q", err, part)
				}
			}
			if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "frame #") {
				t.Errorf("the message is not one line: %q", err)
			}
			if left := LiveHandles() - before; left != 0 {
				t.Errorf("%d tensors were left", left)
			}
		})
	}
	do(t, rt, func(s *Scope) error { // the Runtime still works
		if got := row(s, 1).AddScalar(1).Item(); got != 2 {
			t.Errorf("after the failures 1 + 1 is %v", got)
		}
		return nil
	})
}

func TestOutOfMemoryCanBeTold(t *testing.T) {
	err := open(t).Do(context.Background(), func(s *Scope) error { s.Full(0, 1<<40, 1<<10); return nil })
	if !errors.Is(err, ErrOutOfMemory) {
		t.Errorf("%v is not ErrOutOfMemory", err)
	}
}

// TestGoexitEndsTheRuntime checks that a t.Fatal inside Do does not leave its caller waiting.
func TestGoexitEndsTheRuntime(t *testing.T) {
	rt := open(t)
	for _, want := range []error{errEnded, ErrClosed} {
		if err := rt.Do(context.Background(), func(*Scope) error { runtime.Goexit(); return nil }); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
}

func TestForeignPanicReachesTheCaller(t *testing.T) {
	rt := open(t)
	defer func() {
		if cause := recover(); cause == nil || !strings.Contains(cause.(string), "not ours") {
			t.Errorf("recovered %v", cause)
		}
		do(t, rt, func(*Scope) error { return nil })
	}()
	_ = rt.Do(context.Background(), func(*Scope) error { panic("not ours") })
}
