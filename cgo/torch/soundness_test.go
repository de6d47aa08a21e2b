package torch

import (
	"context"
	"math"
	"runtime"
	"sync"
	"testing"
	"time"
)

// TestUnderTheCollector uses operations, gradients and an optimiser from several goroutines
// while another goroutine runs the garbage collector without pause. With gotorch's own
// tensors this crashes within a second.
func TestUnderTheCollector(t *testing.T) {
	length := 20 * time.Second
	if testing.Short() {
		length = time.Second
	}
	ctx, cancel := context.WithTimeout(context.Background(), length)
	defer cancel()
	before := LiveHandles()
	var collector, workers sync.WaitGroup
	collector.Go(func() {
		for ctx.Err() == nil {
			runtime.GC()
		}
	})
	shared := open(t)
	for range 3 {
		workers.Go(func() { trainUntilDone(t, ctx, shared) })
	}
	own := open(t)
	workers.Go(func() { trainUntilDone(t, ctx, own) })
	workers.Wait()
	collector.Wait()
	if left := LiveHandles() - before; left != 0 {
		t.Errorf("%d tensors were left", left)
	}
}

// trainUntilDone fits y = 2x + 1 repeatedly, at least once: on one busy CPU the time may be
// over before a worker starts.
func trainUntilDone(t *testing.T, ctx context.Context, rt *Runtime) {
	for first := true; first || ctx.Err() == nil; first = false {
		err := rt.Do(context.Background(), func(s *Scope) error {
			loss := fitLine(s, 150)
			if math.IsNaN(loss) || loss > 1e-2 {
				t.Errorf("the line was not found: loss %g", loss)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
			return
		}
	}
}

// fitLine trains a linear layer with Adam and returns the last loss.
func fitLine(s *Scope, steps int) float64 {
	x := s.FromFloat32([]float32{-1, -0.5, 0, 0.5, 1, 2}, 6, 1)
	y := x.MulScalar(2).AddScalar(1)
	weight, bias := s.Full(0, 1, 1), s.Full(0, 1)
	weight.RequireGrad(true)
	bias.RequireGrad(true)
	adam := &Adam{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
	adam.AddGroup(s, 0.1, []Tensor{weight, bias})
	last := math.NaN()
	for range steps {
		_ = s.Within(func(inner *Scope) error {
			adam.ClearGrads()
			loss := x.Linear(weight, bias).Sub(y).Pow(2).Mean()
			loss.Backward()
			adam.Step()
			last = loss.Item()
			return nil
		})
	}
	adam.ClearGrads()
	return last
}
