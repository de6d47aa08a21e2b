package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"acdclip/pkg/batching"
	"acdclip/pkg/conditions"
	"acdclip/pkg/domain"
	"acdclip/pkg/inspection"
	"acdclip/pkg/report"
)

// numbered is a Revision by whose number all parts of an answer tell it.
func numbered(f *fake, number int) *Revision {
	f.score = shareOf(number)
	r := revision(inspection.New(f, inspection.Options{Batching: batching.Options{Batch: 4}}))
	r.About.Preset = fmt.Sprint(number)
	r.Conditions = func(string, domain.Domain) conditions.Record {
		return conditions.Record{conditions.Of(conditions.Numbers, "revision", number)}
	}
	r.Thresholds = func(string, domain.Domain) report.Thresholds {
		return report.Thresholds{Score: new(shareOf(number))}
	}
	return r
}

// shareOf is a score that tells a number.
func shareOf(number int) float32 { return float32(number) / 128 }

// loading returns a function for Reload that loads a Revision.
func loading(r *Revision) func(context.Context) (*Revision, error) {
	return func(context.Context) (*Revision, error) { return r, nil }
}

// numberOf is the number of the Revision that an answer is of, which all parts of it must tell.
func numberOf(t *testing.T, r reply) int {
	t.Helper()
	var a struct {
		Conditions string
		Thresholds struct{ Score float32 }
		Rows       []struct{ Score, Threshold float32 }
	}
	if err := json.Unmarshal([]byte(r.body), &a); err != nil || r.status != http.StatusOK || len(a.Rows) == 0 {
		t.Errorf("%v: %+v", err, r)
		return 0
	}
	number := int(a.Thresholds.Score * 128)
	record := conditions.Record{conditions.Of(conditions.Numbers, "revision", number)}
	for _, row := range a.Rows {
		if row.Score != shareOf(number) || row.Threshold != shareOf(number) || a.Conditions != record.Digest() {
			t.Errorf("the answer is of several revisions: %s", r.body)
		}
	}
	return number
}

// Requests that have begun are answered by the model that they began with, and those that begin
// after a reload by the new one. The old model is closed after its last request, not before.
func TestReload(t *testing.T) {
	old, next := &fake{begins: make(chan struct{}), goes: make(chan struct{})}, &fake{}
	s := start(t, &fake{}, nil)
	if err := s.server.Reload(t.Context(), loading(numbered(old, 1))); err != nil {
		t.Fatal(err)
	}
	first, half, picture := make(chan reply), make(chan reply), plain(t, 9, 9, 9)
	go func() { first <- s.post("", picture) }()
	<-old.begins
	slow := s.dial(len(picture), picture[:len(picture)/2]) // has begun, too
	defer slow.Close()
	for deadline := time.Now().Add(20 * time.Second); s.server.gate.count() < 2; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the slow request did not begin")
		}
	}
	if err := s.server.Reload(t.Context(), loading(numbered(next, 2))); err != nil {
		t.Fatal(err)
	}
	if number := numberOf(t, s.post("", picture)); number != 2 {
		t.Errorf("a new request is answered by the revision %d", number)
	}
	if got := s.send(http.MethodGet, "/v1/model", "", nil); !strings.Contains(got.body, `"preset":"2"`) {
		t.Errorf("%+v", got)
	}
	s.until("acdclip_queue_running 1") // by the old one
	go func() {
		_, err := slow.Write(picture[len(picture)/2:])
		if err != nil {
			t.Error(err)
		}
		half <- readReply(t, slow)
	}()
	go func() {
		for range old.begins {
		}
	}()
	if old.closed.Load() {
		t.Error("the old model is closed before its requests are answered")
	}
	close(old.goes)
	for _, got := range []reply{<-first, <-half} {
		if number := numberOf(t, got); number != 1 {
			t.Errorf("an old request is answered by the revision %d", number)
		}
	}
	if err := s.server.present.settle(t.Context()); err != nil || !old.closed.Load() || next.closed.Load() {
		t.Errorf("%v; closed are old %v and new %v", err, old.closed.Load(), next.closed.Load())
	}
	close(old.begins)
	s.until(`acdclip_reloads_total{outcome="done"} 2`)
}

// A reload that fails leaves everything as it was, and closes what it loaded.
func TestReloadFails(t *testing.T) {
	secure, _ := certificate(t)
	for _, c := range []struct {
		says   string
		load   func(r *Revision, end func()) error
		loaded bool
		logged bool
	}{
		{"no such file", func(*Revision, func()) error { return errors.New("no such file") }, false, true},
		{"panic: strange file", func(*Revision, func()) error { panic("strange file") }, false, true},
		{"between HTTP and HTTPS", func(r *Revision, _ func()) error { r.TLS = secure; return nil }, true, true},
		{"context canceled", func(_ *Revision, end func()) error { end(); return nil }, true, false},
	} {
		t.Run(c.says, func(t *testing.T) {
			old, next := &fake{}, &fake{}
			s := start(t, old, nil)
			r := numbered(next, 2)
			ctx, end := context.WithCancel(t.Context())
			defer end()
			err := s.server.Reload(ctx, func(context.Context) (*Revision, error) { return r, c.load(r, end) })
			if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(s.log.String(), c.says) != c.logged || strings.Contains(s.log.String(), "level=ERROR") != c.logged {
				t.Errorf("%v, logged %s", err, s.log)
			}
			if old.closed.Load() || next.closed.Load() != c.loaded {
				t.Errorf("closed are old %v and new %v", old.closed.Load(), next.closed.Load())
			}
			if !c.loaded {
				r.Model.Close()
			}
			if got := s.post("", plain(t, 9, 9, 9)); got.status != http.StatusOK {
				t.Errorf("%+v", got)
			}
			failed := map[bool]int{false: 0, true: 1}[c.logged]
			s.until(fmt.Sprintf(`acdclip_reloads_total{outcome="failed"} %d`, failed))
		})
	}
}

// Under load, no request is lost or answered by two revisions, and each model is closed after
// its last request.
func TestReloadUnderLoad(t *testing.T) {
	const clients, reloads = 8, 30
	s := start(t, &fake{}, nil)
	models := []*fake{{}}
	if err := s.server.Reload(t.Context(), loading(numbered(models[0], 1))); err != nil {
		t.Fatal(err)
	}
	content := plain(t, 9, 9, 9)
	seen := make([]map[int]bool, clients)
	var running sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	for i := range clients {
		seen[i] = map[int]bool{}
		running.Go(func() {
			for ctx.Err() == nil {
				seen[i][numberOf(t, s.post("", content))] = true
			}
		})
	}
	for n := 2; n < reloads; n++ {
		models = append(models, &fake{})
		if err := s.server.Reload(t.Context(), loading(numbered(models[n-1], n))); err != nil {
			t.Error(err)
		}
		open := 0
		for _, m := range models {
			if !m.closed.Load() {
				open++
			}
		}
		if open > 2 {
			t.Errorf("%d models are open after reload %d", open, n)
		}
		time.Sleep(5 * time.Millisecond)
	}
	stop()
	running.Wait()
	if err := s.server.present.settle(t.Context()); err != nil {
		t.Error(err)
	}
	left := slices.DeleteFunc(slices.Clone(models), func(f *fake) bool { return f.closed.Load() })
	if len(left) != 1 || left[0] != models[len(models)-1] {
		t.Errorf("%d models are open at the end", len(left))
	}
	if len(seen[0]) < 2 {
		t.Errorf("a client saw only the revisions %v", seen[0])
	}
}

// A reload waits until the model that an earlier one replaced is closed, so that at most two are
// open, and gives up when its context ends.
func TestReloadWaitsForTheOldModel(t *testing.T) {
	old := &fake{begins: make(chan struct{}), goes: make(chan struct{})}
	s := start(t, old, nil)
	first := make(chan reply)
	go func() { first <- s.post("", plain(t, 9, 9, 9)) }()
	<-old.begins
	if err := s.server.Reload(t.Context(), loading(numbered(&fake{}, 1))); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := s.server.Reload(ctx, func(context.Context) (*Revision, error) {
		t.Error("a third model is loaded")
		return nil, errors.New("no")
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	close(old.goes)
	if got := <-first; got.status != http.StatusOK {
		t.Errorf("%+v", got)
	}
	if err := s.server.Reload(t.Context(), loading(numbered(&fake{}, 2))); err != nil {
		t.Error(err)
	}
}

// The requests that begin after a reload need its token.
func TestReloadOfTheToken(t *testing.T) {
	s := start(t, &fake{}, func(o *setup, _ *inspection.Options) { o.Token = "old" })
	r := numbered(&fake{}, 1)
	r.Token = "new"
	if err := s.server.Reload(t.Context(), loading(r)); err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]int{"old": http.StatusUnauthorized, "new": http.StatusOK} {
		if got := s.send(http.MethodGet, "/v1/model", "", nil, "Authorization", "Bearer "+token); got.status != want {
			t.Errorf("%s: %+v", token, got)
		}
	}
}
