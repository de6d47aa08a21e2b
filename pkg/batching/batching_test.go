package batching

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"acdclip/pkg/data/pixels"
	"acdclip/pkg/domain"
	"acdclip/pkg/scoring"
)

// passTime is how long the fake model takes for a batch.
const passTime = time.Second

// fake is a model that gives picture n, which has n in its Index, the score n/1000, and notes
// its batches as "domain: prompt/n prompt/n".
type fake struct {
	mutex   sync.Mutex
	batches []string
	do      func(pictures []pixels.Picture) error // nil for nothing
}

func (f *fake) Score(_ context.Context, classes domain.Classes, pictures []pixels.Picture, classOf []int) ([]scoring.Scored, error) {
	text := string(classes.Domain) + ":"
	scored := make([]scoring.Scored, len(pictures))
	for i, p := range pictures {
		text += fmt.Sprintf(" %s/%d", classes.Prompts[classOf[i]], p.Index)
		scored[i] = scoring.Scored{Picture: p, Score: float32(p.Index) / 1000}
		if p.Err != nil {
			scored[i].Err = p.Err
		}
	}
	f.mutex.Lock()
	f.batches = append(f.batches, text)
	f.mutex.Unlock()
	time.Sleep(passTime)
	if f.do != nil {
		if err := f.do(pictures); err != nil {
			return nil, err
		}
	}
	return scored, nil
}

// request is picture n of a class.
func picture(n int, prompt string, of domain.Domain) Request {
	return Request{Prompt: prompt, Domain: of, Picture: pixels.Picture{Index: n}}
}

// take takes a place, which must be free.
func take(t *testing.T, b *Batcher) *Place {
	t.Helper()
	place, err := b.Take()
	if err != nil {
		t.Fatal(err)
	}
	return place
}

// scores runs requests, each on a goroutine of its own, one millisecond after the other, and
// returns the errors by index. A result must be that of its picture.
func scores(t *testing.T, b *Batcher, requests ...Request) []error {
	t.Helper()
	errs := make([]error, len(requests))
	var running sync.WaitGroup
	for i, r := range requests {
		running.Go(func() {
			time.Sleep(time.Duration(i) * time.Millisecond)
			place, err := b.Take()
			if err != nil {
				errs[i] = err
				return
			}
			defer place.Release()
			scored, err := place.Score(t.Context(), r)
			if errs[i] = err; err == nil && scored.Score != float32(r.Picture.Index)/1000 {
				t.Errorf("picture %d has the score %v", r.Picture.Index, scored.Score)
			}
		})
	}
	running.Wait()
	return errs
}

func expect(t *testing.T, f *fake, want ...string) {
	t.Helper()
	if !slices.Equal(f.batches, want) {
		t.Errorf("the batches are\n%s\nwant\n%s", strings.Join(f.batches, "\n"), strings.Join(want, "\n"))
	}
}

// The first picture goes at once; those that come while it is scored are batched in their
// order, classes mixed and domains apart.
func TestBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		var sizes []int
		b := New(f, Options{Batch: 3, MaxWait: time.Hour, Scored: func(n int, took time.Duration) {
			sizes = append(sizes, n)
			if took != passTime {
				t.Errorf("a batch took %v", took)
			}
		}})
		const i, m = domain.Industrial, domain.Medical
		for at, err := range scores(t, b, picture(0, "nut", i), picture(1, "nut", i), picture(2, "liver", m), picture(3, "bolt", i),
			picture(4, "nut", i), picture(5, "brain", m), picture(6, "nut", i)) {
			if err != nil {
				t.Errorf("picture %d: %v", at, err)
			}
		}
		b.Close()
		expect(t, f, "industrial: nut/0", "industrial: nut/1 bolt/3 nut/4", "medical: liver/2 brain/5", "industrial: nut/6")
		if !slices.Equal(sizes, []int{1, 3, 2, 1}) {
			t.Errorf("told of batches of %v", sizes)
		}
	})
}

// A picture waits for one that is being prepared, but no longer than MaxWait.
func TestMaxWait(t *testing.T) {
	for _, c := range []struct {
		comes time.Duration // when the second picture is prepared
		took  time.Duration // until the first has its score
		want  []string
	}{
		{20 * time.Millisecond, passTime + 20*time.Millisecond, []string{"industrial: nut/0 nut/1"}},
		{70 * time.Millisecond, passTime + 50*time.Millisecond, []string{"industrial: nut/0", "industrial: nut/1"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := &fake{}
			b := New(f, Options{Batch: 4, MaxWait: 50 * time.Millisecond})
			first, second := take(t, b), take(t, b)
			go func() {
				defer second.Release()
				time.Sleep(c.comes)
				if _, err := second.Score(t.Context(), picture(1, "nut", domain.Industrial)); err != nil {
					t.Error(err)
				}
			}()
			start := time.Now()
			if _, err := first.Score(t.Context(), picture(0, "nut", domain.Industrial)); err != nil || time.Since(start) != c.took {
				t.Errorf("the first picture took %v (%v), want %v", time.Since(start), err, c.took)
			}
			first.Release()
			b.Close()
			expect(t, f, c.want...)
		})
	}
}

// A picture that is given up while it is prepared keeps nobody waiting.
func TestAbandoned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		b := New(f, Options{Batch: 4, MaxWait: time.Hour})
		first, second := take(t, b), take(t, b)
		time.AfterFunc(time.Millisecond, second.Release)
		start := time.Now()
		if _, err := first.Score(t.Context(), picture(0, "nut", domain.Industrial)); err != nil || time.Since(start) != passTime+time.Millisecond {
			t.Errorf("took %v (%v)", time.Since(start), err)
		}
		first.Release()
		b.Close()
	})
}

func TestQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(&fake{}, Options{Queue: 2})
		one, two := take(t, b), take(t, b)
		if _, err := b.Take(); !errors.Is(err, ErrBusy) {
			t.Errorf("a third place: %v", err)
		}
		two.Release()
		two.Release() // counts once
		three := take(t, b)
		if _, err := b.Take(); !errors.Is(err, ErrBusy) {
			t.Errorf("a third place after a double release: %v", err)
		}
		if load := b.Load(); load != (Load{Places: 2}) {
			t.Errorf("%+v", load)
		}
		one.Release()
		three.Release()
		b.Close()
	})
}

// A request that is cancelled while it waits is never scored; one that is cancelled while it
// is scored returns at once. The others are not disturbed.
func TestCancellation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		b := New(f, Options{Batch: 2})
		var running sync.WaitGroup
		for n, after := range []time.Duration{time.Hour, passTime / 2, 3 * passTime / 2, time.Hour} {
			running.Go(func() {
				time.Sleep(time.Duration(n) * time.Millisecond)
				ctx, cancel := context.WithTimeout(t.Context(), after)
				defer cancel()
				place := take(t, b)
				defer place.Release()
				start := time.Now()
				_, err := place.Score(ctx, picture(n, "nut", domain.Industrial))
				if cancelled := errors.Is(err, context.DeadlineExceeded); cancelled != (after < time.Hour) || cancelled && time.Since(start) != after {
					t.Errorf("picture %d: %v after %v", n, err, time.Since(start))
				}
			})
		}
		running.Wait()
		b.Close()
		expect(t, f, "industrial: nut/0", "industrial: nut/2 nut/3")
	})
}

// One picture's trouble is its own error, also where the model fails or panics as a whole.
func TestErrorsAreOnesOwn(t *testing.T) {
	bad := errors.New("this picture is bad")
	fails := func(pictures []pixels.Picture) error {
		if slices.ContainsFunc(pictures, func(p pixels.Picture) bool { return p.Index == 2 }) {
			return bad
		}
		return nil
	}
	for name, c := range map[string]struct {
		do   func([]pixels.Picture) error
		own  error
		want error
		runs int // batches
	}{
		"its own":      {nil, bad, bad, 2},
		"of the batch": {fails, nil, bad, 5},
		"a panic": {func(pictures []pixels.Picture) error {
			if err := fails(pictures); err != nil {
				panic(err)
			}
			return nil
		}, nil, ErrPanic, 5},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fake{do: c.do}
				b := New(f, Options{Batch: 3})
				requests := []Request{picture(0, "nut", domain.Industrial), picture(1, "nut", domain.Industrial), picture(2, "nut", domain.Industrial), picture(3, "nut", domain.Industrial)}
				requests[2].Picture.Err = c.own
				for n, err := range scores(t, b, requests...) {
					if n == 2 && !errors.Is(err, c.want) || n != 2 && err != nil {
						t.Errorf("picture %d: %v", n, err)
					}
				}
				b.Close()
				if len(f.batches) != c.runs {
					t.Errorf("the batches are %q", f.batches)
				}
			})
		})
	}
}

// short returns too few results.
type short struct{}

func (short) Score(context.Context, domain.Classes, []pixels.Picture, []int) ([]scoring.Scored, error) {
	return nil, nil
}

func TestMissingResults(t *testing.T) {
	b := New(short{}, Options{})
	for _, err := range scores(t, b, picture(0, "nut", domain.Industrial)) {
		if err == nil || !strings.Contains(err.Error(), "0 results for 1 pictures") {
			t.Error(err)
		}
	}
	b.Close()
}

// Close refuses new places and waits for those that are taken, whose pictures are scored.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		b := New(f, Options{Batch: 2})
		place := take(t, b)
		closed := make(chan struct{})
		for range 2 {
			go func() {
				b.Close()
				closed <- struct{}{}
			}()
		}
		synctest.Wait()
		if _, err := b.Take(); !errors.Is(err, ErrClosed) {
			t.Errorf("a place after Close: %v", err)
		}
		if _, err := place.Score(t.Context(), picture(0, "nut", domain.Industrial)); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		select {
		case <-closed:
			t.Error("Close has not waited for the place")
		default:
		}
		place.Release()
		<-closed
		<-closed
		expect(t, f, "industrial: nut/0")
	})
}

// Many goroutines, some of which give up, each get their own result.
func TestManyGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		b := New(f, Options{Batch: 8, Queue: 1000, MaxWait: time.Millisecond})
		var running sync.WaitGroup
		for n := range 500 {
			running.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(n%7+1)*10*passTime)
				defer cancel()
				place := take(t, b)
				defer place.Release()
				scored, err := place.Score(ctx, picture(n, fmt.Sprint("class ", n%5), domain.Industrial))
				if err == nil && scored.Score != float32(n)/1000 || err != nil && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("picture %d: %v, %v", n, scored.Score, err)
				}
			})
		}
		running.Wait()
		if load := b.Load(); load.Places != 0 || load.Waiting != 0 {
			t.Errorf("%+v", load)
		}
		b.Close()
	})
}

// A request that is cancelled when its batch is due is not scored, also if its goroutine has
// not seen that yet.
func TestCancelledBefore(t *testing.T) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	late := &request{Request: picture(0, "nut", domain.Industrial), ctx: gone, done: make(chan struct{})}
	live := &request{Request: picture(1, "nut", domain.Industrial), ctx: t.Context(), done: make(chan struct{})}
	b := &Batcher{options: Options{Batch: 2}, waiting: []*request{late, live}}
	if batch, _ := b.due(time.Now()); !slices.Equal(batch, []*request{live}) {
		t.Errorf("the batch has %d requests", len(batch))
	}
	if <-late.done; !errors.Is(late.err, context.Canceled) {
		t.Error(late.err)
	}
}

// Requests that are given up while the model is busy do not pile up.
func TestCancelledDoNotPileUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(&fake{}, Options{Queue: 2})
		busy := take(t, b)
		go func() {
			defer busy.Release()
			if _, err := busy.Score(t.Context(), picture(0, "nut", domain.Industrial)); err != nil {
				t.Error(err)
			}
		}()
		synctest.Wait()
		for n := range 10 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			place := take(t, b)
			if _, err := place.Score(ctx, picture(n, "nut", domain.Industrial)); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			place.Release()
			cancel()
			if load := b.Load(); load != (Load{Places: 1, Running: 1}) {
				t.Errorf("%+v", load)
			}
		}
		b.Close()
	})
}

// Who waits for a place gets the next one that is free, in order of arrival and before those
// who come later; who gives up takes none.
func TestAwait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(&fake{}, Options{Queue: 1})
		busy := take(t, b)
		got := make(chan int, 3)
		for n, limit := range []time.Duration{time.Hour, time.Second, time.Hour} {
			go func() {
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				defer cancel()
				place, err := b.Await(ctx)
				if limit == time.Second {
					if !errors.Is(err, context.DeadlineExceeded) || place != nil {
						t.Errorf("a place after giving up: %v", err)
					}
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				got <- n
				time.Sleep(time.Minute)
				place.Release()
			}()
			synctest.Wait()
		}
		time.Sleep(2 * time.Second)
		busy.Release()
		if _, err := b.Take(); !errors.Is(err, ErrBusy) {
			t.Errorf("a late comer went before those who wait: %v", err)
		}
		if first, second := <-got, <-got; first != 0 || second != 2 {
			t.Errorf("%d and then %d got a place", first, second)
		}
		time.Sleep(time.Hour)
		if load := b.Load(); load != (Load{}) {
			t.Errorf("%+v", load)
		}
		free, err := b.Await(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		free.Release()
		b.Close()
	})
}

// A place that comes in the moment of giving up is given back.
func TestAwaitGivenUpTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(&fake{}, Options{Queue: 1})
		seeker := make(chan *Place, 1)
		seeker <- take(t, b)
		b.withdraw(seeker)
		take(t, b).Release()
		b.Close()
	})
}

// Close refuses those who wait for a place.
func TestAwaitEndsWithClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(&fake{}, Options{Queue: 1})
		busy := take(t, b)
		refused := make(chan error)
		go func() {
			_, err := b.Await(t.Context())
			refused <- err
		}()
		synctest.Wait()
		go b.Close()
		if err := <-refused; !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
		busy.Release()
	})
}
