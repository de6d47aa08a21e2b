package torch

import (
	"errors"
	"slices"
	"testing"
)

// TestReadback checks that values come back in a later Do, after their tensors were freed.
func TestReadback(t *testing.T) {
	rt := open(t)
	before := LiveHandles()
	var r *Readback
	do(t, rt, func(s *Scope) error {
		return s.Inference(func() error {
			maps := s.FromFloat32([]float32{1, 2, 3, 4, 5, 6, 7, 8}, 2, 2, 2)
			r = rt.ReadBack(maps.Narrow(1, 1, 1), Tensor{}, maps.To(BFloat16).MulScalar(0.5), s.FromInt64([]int64{9}, 1).Narrow(0, 0, 1))
			return nil
		})
	})
	if live := LiveHandles() - before; live != 3 {
		t.Errorf("%d tensors are kept, want those of the Readback, 3", live)
	}
	do(t, rt, func(*Scope) error {
		got := r.Float32s()
		want := [][]float32{{3, 4, 7, 8}, nil, {0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4}, {9}}
		if !slices.EqualFunc(got, want, slices.Equal) || got[1] != nil {
			t.Errorf("read %v, want %v", got, want)
		}
		return r.Close()
	})
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if live := LiveHandles() - before; live != 0 {
		t.Errorf("%d tensors are live after Close", live)
	}
	if err := rt.Do(t.Context(), func(*Scope) error { r.Float32s(); return nil }); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed Readback gave %v, want ErrClosed", err)
	}
}

// TestReadbackOfAClosedTensor checks that a Readback that cannot start keeps nothing.
func TestReadbackOfAClosedTensor(t *testing.T) {
	rt := open(t)
	before := LiveHandles()
	err := rt.Do(t.Context(), func(s *Scope) error {
		var closed Tensor
		_ = s.Within(func(inner *Scope) error { closed = row(inner, 1); return nil })
		rt.ReadBack(row(s, 1), closed)
		return nil
	})
	if !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
	if live := LiveHandles() - before; live != 0 {
		t.Errorf("%d tensors are live", live)
	}
	func() {
		defer func() {
			if _, ok := recover().(*Error); !ok {
				t.Error("ReadBack outside Do did not stop with an *Error")
			}
		}()
		rt.ReadBack()
	}()
}

func TestLoadUint8(t *testing.T) {
	refused := errors.New("refused")
	do(t, open(t), func(s *Scope) error {
		before := LiveHandles()
		x, err := s.LoadUint8(func(memory []uint8) error { copy(memory, []uint8{0, 1, 255}); return nil }, 3)
		if err != nil || !slices.Equal(x.Float32s(), []float32{0, 1, 255}) {
			t.Errorf("%v, %v", x.Float32s(), err)
		}
		if live := LiveHandles() - before; live != 1 {
			t.Errorf("%d tensors live, want 1", live)
		}
		if _, err := s.LoadUint8(func([]uint8) error { return refused }, 3); err != refused {
			t.Errorf("got %v, want the error of read", err)
		}
		return nil
	})
}
