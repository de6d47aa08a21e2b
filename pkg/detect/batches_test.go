package detect

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/drawn"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/data/synth"
	"acdclip/pkg/domain"
	"acdclip/pkg/model"
	"acdclip/pkg/scoring"
)

// watched is a method that tells when a batch starts. fail, if set, may stop batch i.
type watched struct {
	model.Method
	started func(i int)
	fail    func(i int, pictures torch.Tensor) error
	batches int
}

func (w *watched) Score(s *torch.Scope, pictures torch.Tensor, classOf []int, prepared model.Prepared) (model.Scores, error) {
	i := w.batches
	w.batches++
	w.started(i)
	if w.fail != nil {
		if err := w.fail(i, pictures); err != nil {
			return model.Scores{}, err
		}
	}
	return w.Method.Score(s, pictures, classOf, prepared)
}

// ten returns ten pictures in batches of three; the fifth cannot be read.
func ten(t *testing.T) scoring.Work {
	set := drawn.Set(t, synth.Objects)
	items := slices.Clone(set.Items)
	items[4].Path += ".missing"
	return scoring.Work{
		Items: items, Classes: domain.Classes{Prompts: []string{"nut", "bolt"}, Domain: set.Domain}, ClassOf: []int{1, 0, 1, 0, 1, 0, 1, 0, 1, 0},
		Batches: scoring.Chunks(len(items), 3), BatchKey: "--batch", RawMaps: true,
	}
}

// run is what ScoreAll did.
type run struct {
	calls  []string // "start 0" for a batch, "0" for a picture
	scored []scoring.Scored
	err    error
}

// scoreAll scores with so many batches in flight. fail may stop a batch, and each stops at a
// picture with the error that it returns.
func scoreAll(ctx context.Context, t *testing.T, inFlight int, work scoring.Work, fail func(int, torch.Tensor) error, each func(picture int) error) (r run) {
	t.Helper()
	d := open(t)
	d.inFlight = inFlight
	d.method = &watched{Method: d.method, fail: fail, started: func(i int) { r.calls = append(r.calls, fmt.Sprint("start ", i)) }}
	if err := d.Prepare(ctx, work.Classes); err != nil {
		t.Fatal(err)
	}
	work.Costs = &scoring.Costs{}
	before := torch.LiveHandles()
	r.err = d.ScoreAll(ctx, work, func(scored scoring.Scored) error {
		r.calls = append(r.calls, fmt.Sprint(scored.Picture.Index))
		scored.Picture.Took = 0
		r.scored = append(r.scored, scored)
		return each(scored.Picture.Index)
	})
	if live := torch.LiveHandles() - before; live != 0 {
		t.Errorf("with %d in flight, %d tensors are left", inFlight, live)
	}
	if r.err == nil && work.Costs.Event(0).Model <= 0 {
		t.Errorf("with %d in flight, the model took no time", inFlight)
	}
	return r
}

// TestTwoBatchesInFlight checks that a batch starts before the one before is finished, and that
// the results are those of one batch at a time, in the same order.
func TestTwoBatchesInFlight(t *testing.T) {
	work, all := ten(t), func(int) error { return nil }
	one := scoreAll(t.Context(), t, 1, work, nil, all)
	two := scoreAll(t.Context(), t, 2, work, nil, all)
	if one.err != nil || two.err != nil {
		t.Fatal(one.err, two.err)
	}
	for _, c := range []struct {
		run  run
		want string
	}{
		{one, "start 0,0,1,2,start 1,3,4,5,start 2,6,7,8,start 3,9"},
		{two, "start 0,start 1,0,1,2,start 2,3,4,5,start 3,6,7,8,9"},
	} {
		if got := strings.Join(c.run.calls, ","); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
	if !reflect.DeepEqual(one.scored, two.scored) {
		t.Error("the results of two in flight differ from those of one")
	}
	for i, scored := range two.scored {
		if (scored.Err == nil) != (i != 4) || (scored.Map == nil) != (i == 4) {
			t.Errorf("picture %d: error %v, map %v", i, scored.Err, scored.Map != nil)
		}
		if i != 4 && scored.MapMax != slices.Max(scored.Map.Scores) {
			t.Errorf("picture %d: the map's largest value is %v, not %v", i, scored.MapMax, slices.Max(scored.Map.Scores))
		}
	}
}

// TestBatchesThatStop checks that an error or a cancelled context ends the work as with one
// batch at a time: the pictures before were handed out, and no tensor is left.
func TestBatchesThatStop(t *testing.T) {
	refused := errors.New("refused")
	work := ten(t)
	for name, c := range map[string]struct {
		fail   func(i int, pictures torch.Tensor) error
		each   func(picture int, cancel context.CancelFunc) error
		handed int
		is     error
		says   string
	}{
		"a method's error":  {fail: at(2, func(torch.Tensor) error { return refused }), handed: 6, is: refused},
		"the first batch":   {fail: at(0, func(torch.Tensor) error { return refused }), handed: 0, is: refused},
		"the last batch":    {fail: at(3, func(torch.Tensor) error { return refused }), handed: 9, is: refused},
		"an operation":      {fail: at(1, func(x torch.Tensor) error { x.Reshape(7); return nil }), handed: 3, says: "torch Reshape on [2 3 98 98]"},
		"a lack of memory":  {fail: at(1, func(torch.Tensor) error { return torch.ErrOutOfMemory }), handed: 3, is: torch.ErrOutOfMemory, says: "lower --batch"},
		"an error of each":  {each: func(i int, _ context.CancelFunc) error { return map[int]error{4: refused}[i] }, handed: 5, is: refused},
		"a cancelled batch": {each: func(i int, cancel context.CancelFunc) error { stopAt(i, 3, cancel); return nil }, handed: 6, is: context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			for _, inFlight := range []int{1, 2} {
				ctx, cancel := context.WithCancel(t.Context())
				r := scoreAll(ctx, t, inFlight, work, c.fail, func(i int) error {
					if c.each == nil {
						return nil
					}
					return c.each(i, cancel)
				})
				cancel()
				if r.err == nil || c.is != nil && !errors.Is(r.err, c.is) || !strings.Contains(r.err.Error(), c.says) {
					t.Errorf("with %d in flight: %v, want %v %s", inFlight, r.err, c.is, c.says)
				}
				if len(r.scored) != c.handed {
					t.Errorf("with %d in flight, %d pictures were handed out, want %d", inFlight, len(r.scored), c.handed)
				}
			}
		})
	}
}

// at returns a failure of one batch.
func at(batch int, fail func(torch.Tensor) error) func(int, torch.Tensor) error {
	return func(i int, pictures torch.Tensor) error {
		if i != batch {
			return nil
		}
		return fail(pictures)
	}
}

func stopAt(i, last int, cancel context.CancelFunc) {
	if i == last {
		cancel()
	}
}

// TestPassThatFailsLate checks that an error of the wait says what was waited for, and that a
// pass is finished although its context has ended.
func TestPassThatFailsLate(t *testing.T) {
	d := open(t)
	classes := domain.Classes{Prompts: []string{"nut"}, Domain: domain.Industrial}
	picture := []pixels.Picture{{Pix: make([]uint8, d.Size()*d.Size()*3)}}
	if err := d.Prepare(t.Context(), classes); err != nil {
		t.Fatal(err)
	}
	before := torch.LiveHandles()
	for _, late := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		pass, err := d.start(ctx, classes, picture, []int{0}, false)
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		if late {
			pass.close() // as if the device had failed
		}
		scored, err := pass.finish(ctx)
		if failed := errors.Is(err, torch.ErrClosed) && strings.HasPrefix(err.Error(), "waiting for the scores of a batch of 1: "); failed != late || len(scored) != map[bool]int{false: 1}[late] {
			t.Errorf("late %v: %d scores, %v", late, len(scored), err)
		}
	}
	if live := torch.LiveHandles() - before; live != 0 {
		t.Errorf("%d tensors are left", live)
	}
}
