package torch

import (
	"context"
	"errors"
	"testing"
)

func TestScopesFreeWhatIsNotKept(t *testing.T) {
	rt := open(t)
	long := rt.NewScope()
	var kept, lost Tensor
	do(t, rt, func(s *Scope) error {
		before := LiveHandles()
		err := s.Within(func(inner *Scope) error {
			lost = row(inner, 1)
			kept = long.Keep(row(inner, 2).AddScalar(1))
			return nil
		})
		if live := LiveHandles() - before; live != 1 {
			t.Errorf("%d tensors live after Within, want the kept one", live)
		}
		return err
	})
	do(t, rt, func(*Scope) error {
		if got := kept.Item(); got != 3 {
			t.Errorf("the kept tensor is %v", got)
		}
		return nil
	})
	err := rt.Do(context.Background(), func(*Scope) error { lost.AddScalar(1); return nil })
	if !errors.Is(err, ErrClosed) {
		t.Errorf("a freed tensor gave %v, want ErrClosed", err)
	}
	for range 2 {
		if err := long.Close(); err != nil {
			t.Error(err)
		}
	}
	err = rt.Do(context.Background(), func(s *Scope) error { long.Keep(row(s, 1)); return nil })
	if !errors.Is(err, ErrClosed) {
		t.Errorf("a closed scope gave %v, want ErrClosed", err)
	}
}

func TestEvalAndStep(t *testing.T) {
	do(t, open(t), func(s *Scope) error {
		before := LiveHandles()
		x := s.Eval(func() Tensor { return row(s, 1).AddScalar(1).AddScalar(1) })
		for range 5 {
			x = s.Step(x, func(x Tensor) Tensor { return x.AddScalar(1).MulScalar(1) })
		}
		x = s.Step(x, func(x Tensor) Tensor { return x })
		if got := x.Item(); got != 8 {
			t.Errorf("the chain gave %v, want 8", got)
		}
		// s.FromFloat32 puts row's tensor into s explicitly, so it stays in addition to the chain's result.
		if live := LiveHandles() - before; live != 2 {
			t.Errorf("%d tensors live after the chain, want 2", live)
		}
		return nil
	})
}

func TestDoRefusesWhatItCannotDo(t *testing.T) {
	rt := open(t)
	do(t, rt, func(*Scope) error {
		err := rt.Do(context.Background(), func(*Scope) error { return nil })
		if !errors.Is(err, ErrNested) {
			t.Errorf("Do inside Do gave %v", err)
		}
		return nil
	})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := rt.Do(ctx, func(*Scope) error { t.Error("ran"); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context gave %v", err)
	}
	rt.Close()
	rt.Close()
	if err := rt.Do(context.Background(), func(*Scope) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Errorf("Do after Close gave %v", err)
	}
}

func TestOperationsOutsideDo(t *testing.T) {
	rt := open(t)
	scope := rt.NewScope()
	defer scope.Close()
	var x Tensor
	do(t, rt, func(s *Scope) error { x = scope.Keep(row(s, 1)); return nil })
	defer func() {
		if _, ok := recover().(*Error); !ok {
			t.Error("an operation outside Do did not stop with an *Error")
		}
	}()
	x.AddScalar(1)
}

func TestGradModesAreRestored(t *testing.T) {
	do(t, open(t), func(s *Scope) error {
		x := row(s, 1)
		x.RequireGrad(true)
		records := func() bool { // whether a graph is recorded now
			defer x.ClearGrad()
			y := x.MulScalar(3)
			var backward error
			func() {
				defer func() { backward, _ = recover().(error) }()
				y.Backward()
			}()
			return backward == nil
		}
		for name, mode := range map[string]func(func() error) error{"NoGrad": s.NoGrad, "Inference": s.Inference} {
			err := mode(func() error {
				if records() {
					t.Errorf("a graph is recorded inside %s", name)
				}
				return errors.New("stopped")
			})
			if err == nil || !records() {
				t.Errorf("after %s: error %v, records %v", name, err, records())
			}
			func() {
				defer func() { _ = recover() }()
				_ = mode(func() error { row(s, 1).Add(row(s, 1, 2, 3).Reshape(7)); return nil })
			}()
			if !records() {
				t.Errorf("after a failure inside %s no graph is recorded", name)
			}
		}
		return nil
	})
}

func TestClosingWhatIsUnderWay(t *testing.T) {
	rt := open(t)
	err := rt.Do(context.Background(), func(s *Scope) error {
		_ = s.Close()
		row(s, 1)
		return nil
	})
	if !errors.Is(err, ErrClosed) {
		t.Errorf("an operation in a scope closed under way gave %v, want ErrClosed", err)
	}
	do(t, rt, func(s *Scope) error {
		rt.Close() // must not wait for itself
		if got := row(s, 2).Item(); got != 2 {
			t.Errorf("the running Do did not go on: %v", got)
		}
		return nil
	})
	if err := rt.Do(context.Background(), func(*Scope) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
