package torch

import (
	"context"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

func cpu() float64 {
	var u unix.Rusage
	unix.Getrusage(unix.RUSAGE_SELF, &u)
	return float64(u.Utime.Sec) + float64(u.Utime.Usec)/1e6 + float64(u.Stime.Sec) + float64(u.Stime.Usec)/1e6
}

func TestZZ(t *testing.T) {
	rt, _ := Open(Options{Threads: 1})
	defer rt.Close()
	rt.Do(context.Background(), func(s *Scope) error {
		v := make([]float32, 1370*3072)
		for i := range v {
			v[i] = float32((i*7919)%1000)/500 - 1
		}
		x := s.FromFloat32(v, 1, 1370, 3072)
		bf, bb := 1e9, 1e9
		for range 5 {
			s.Within(func(*Scope) error {
				a := cpu()
				s.NoGrad(func() error { x.SelfAttention(16, false); return nil })
				bf = min(bf, cpu()-a)
				x.RequireGrad(true)
				y := x.SelfAttention(16, false).Sum()
				a = cpu()
				y.Backward()
				bb = min(bb, cpu()-a)
				x.ClearGrad()
				return nil
			})
		}
		fmt.Println("own fwd", bf, "bwd", bb)
		return nil
	})
}
