package outbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"acdclip/internal/goroutines"
	"acdclip/pkg/events"
)

// hook is a receiver that answers its requests one after the other, and the last answer for ever.
type hook struct {
	*httptest.Server
	mutex   sync.Mutex
	answers []http.HandlerFunc
	got     []string // the ids, in the order of the requests
	bodies  []string
	headers http.Header // of the last one
}

func newHook(t *testing.T, answers ...http.HandlerFunc) *hook {
	h := &hook{answers: answers}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // what is cut off is no body that is wanted
		h.mutex.Lock()
		h.got, h.bodies, h.headers = append(h.got, r.Header.Get(KeyHeader)), append(h.bodies, string(body)), r.Header
		answer := h.answers[0]
		if len(h.answers) > 1 {
			h.answers = h.answers[1:]
		}
		h.mutex.Unlock()
		answer(w, r)
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hook) ids() []string {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return slices.Clone(h.got)
}

// says answers with a status, a text and headers.
func says(status int, text string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text) // who does not read it has gone
	}
}

func hangsUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func talksNoHTTP(w http.ResponseWriter, _ *http.Request) {
	if connection, _, err := w.(http.Hijacker).Hijack(); err == nil {
		_, _ = io.WriteString(connection, "220 mail.example ESMTP\r\n")
		_ = connection.Close()
	}
}

func hangs(_ http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-time.After(10 * time.Second):
	}
}

// told collects the events of a delivery.
type told struct {
	mutex sync.Mutex
	lines []string
}

func (o *told) emit(event events.Event) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.lines = append(o.lines, fmt.Sprintf("%T %v", event, event))
}

func (o *told) all() string {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return strings.Join(o.lines, "\n")
}

// startAt begins to deliver to an address, with short waits.
func startAt(t *testing.T, s *Spool, address, token string) (*Delivery, *told) {
	t.Helper()
	to, err := ParseURL(address)
	if err != nil {
		t.Fatal(err)
	}
	o := &told{}
	return Start(s, Receiver{URL: to, Token: token, Timeout: 200 * time.Millisecond}, Options{Emit: o.emit, Wait: func(int) time.Duration { return time.Millisecond }}), o
}

const patience = 20 * time.Second // for what should come soon

func TestDelivery(t *testing.T) {
	for name, c := range map[string]struct {
		answers []http.HandlerFunc
		want    []string // ids of the requests
		refused int
		says    []string
	}{
		"well":               {[]http.HandlerFunc{says(204, "")}, []string{"m0", "m1", "m2"}, 0, nil},
		"after failures":     {[]http.HandlerFunc{says(500, "oh\nno"), says(503, ""), says(200, "ok")}, []string{"m0", "m0", "m0", "m1", "m2"}, 0, []string{"Warning", "answers 500 Internal Server Error: oh no; 3 messages wait, the oldest for 0s", "goes on"}},
		"too early":          {[]http.HandlerFunc{says(200, ""), says(425, ""), says(408, ""), says(429, ""), says(200, "")}, []string{"m0", "m1", "m1", "m1", "m1", "m2"}, 0, []string{"425"}},
		"a token is wrong":   {[]http.HandlerFunc{says(401, ""), says(404, ""), says(200, "")}, []string{"m0", "m0", "m0", "m1", "m2"}, 0, []string{"401 Unauthorized"}},
		"hangs up":           {[]http.HandlerFunc{hangsUp, says(200, "")}, []string{"m0", "m0", "m1", "m2"}, 0, []string{"EOF"}},
		"garbage":            {[]http.HandlerFunc{talksNoHTTP, says(200, "")}, []string{"m0", "m0", "m1", "m2"}, 0, []string{"malformed HTTP"}},
		"hangs":              {[]http.HandlerFunc{hangs, says(200, "")}, []string{"m0", "m0", "m1", "m2"}, 0, []string{"deadline exceeded"}},
		"refuses":            {[]http.HandlerFunc{says(200, ""), says(422, "<b>\x1b[31mno \xff"), says(200, "")}, []string{"m0", "m1", "m2"}, 1, []string{"a message cannot be delivered: the receiver answers 422 Unprocessable Entity: <b> [31mno \uFFFD; 1 such message"}},
		"refuses all":        {[]http.HandlerFunc{says(400, strings.Repeat("x", 1<<20))}, []string{"m0", "m1", "m2"}, 3, []string{strings.Repeat("x", 200) + "...;"}},
		"a long good answer": {[]http.HandlerFunc{says(200, strings.Repeat("x", 1<<20))}, []string{"m0", "m1", "m2"}, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			h := newHook(t, c.answers...)
			s := open(t, t.TempDir())
			add(t, s, 0, 3)
			d, said := startAt(t, s, h.URL+"/secret?key=secret", "")
			if err := d.Finish(t.Context(), patience); err != nil {
				t.Error(err)
			}
			if got := h.ids(); !slices.Equal(got, c.want) || s.Waiting() != 0 || s.Refused() != c.refused {
				t.Errorf("requests %v, %d wait, %d refused", got, s.Waiting(), s.Refused())
			}
			for i, body := range h.bodies {
				if want := fmt.Sprintf(`{"n":%s}`, strings.TrimPrefix(h.got[i], "m")); body != want {
					t.Errorf("body %s, want %s", body, want)
				}
			}
			for _, text := range c.says {
				if !strings.Contains(said.all(), text) {
					t.Errorf("%q is not in\n%s", text, said.all())
				}
			}
			if strings.Contains(said.all(), "secret") || c.says == nil && said.all() != "" || strings.Count(said.all(), "Warning") > 1 {
				t.Errorf("it says\n%s", said.all())
			}
			closeSpool(t, s)
			h.Close()
			goroutines.NoneLeft(t, before)
		})
	}
}

// TestBesides: messages are added while others are delivered, by several processes one after the
// other, and each arrives once in its order.
func TestBesides(t *testing.T) {
	h := newHook(t, says(200, ""))
	folder := t.TempDir()
	for process := range 4 {
		s := open(t, folder)
		d, _ := startAt(t, s, h.URL, "")
		add(t, s, 50*process, 50*(process+1))
		if err := d.Finish(t.Context(), patience); err != nil {
			t.Error(err)
		}
		closeSpool(t, s)
	}
	if got := h.ids(); !slices.Equal(got, ids(0, 200)) {
		t.Error(got)
	}
}

// TestUnreachable: messages stay on disk for a later process; patience and a context end the wait.
func TestUnreachable(t *testing.T) {
	h := newHook(t, says(200, ""))
	h.Close()
	s := open(t, t.TempDir())
	d, said := startAt(t, s, h.URL, "")
	add(t, s, 0, 3)
	if err := d.Finish(t.Context(), 50*time.Millisecond); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("error %v", err)
	}
	if s.Waiting() != 3 || strings.Count(said.all(), "Warning") != 1 {
		t.Errorf("%d wait; it says\n%s", s.Waiting(), said.all())
	}
	closeSpool(t, s)

	blocked := newHook(t, hangs)
	s = open(t, s.Folder())
	d, _ = startAt(t, s, blocked.URL, "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Finish(ctx, time.Hour); err == nil {
		t.Error("no error")
	}
	closeSpool(t, s)

	back := newHook(t, says(200, ""))
	s = open(t, s.Folder())
	d, _ = startAt(t, s, back.URL, "")
	if err := d.Finish(t.Context(), patience); err != nil || !slices.Equal(back.ids(), ids(0, 3)) {
		t.Errorf("%v, %v", err, back.ids())
	}
	closeSpool(t, s)
}

// TestRetryAfter: the receiver's time is kept, even when no more messages come.
func TestRetryAfter(t *testing.T) {
	h := newHook(t, says(429, "", "Retry-After", "1"), says(200, ""))
	s := open(t, t.TempDir())
	add(t, s, 0, 1)
	d, _ := startAt(t, s, h.URL, "")
	if err := d.Finish(t.Context(), 500*time.Millisecond); err == nil || len(h.ids()) != 1 {
		t.Errorf("%v, requests %v", err, h.ids())
	}
	d, _ = startAt(t, s, h.URL, "")
	if err := d.Finish(t.Context(), patience); err != nil || len(h.ids()) != 2 {
		t.Errorf("%v, requests %v", err, h.ids())
	}
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "soon": 0, "-5": 0, "7": 7 * time.Second, " 7 ": 7 * time.Second, "99999999999999999": maxRetryAfter, "999999999999999999999999": 0,
		now.Add(90 * time.Second).Format(http.TimeFormat): 90 * time.Second, now.Add(-time.Hour).Format(http.TimeFormat): 0, now.AddDate(9, 0, 0).Format(http.TimeFormat): maxRetryAfter,
	} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// TestRedirect: nobody but the receiver gets a message or the token.
func TestRedirect(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		other := newHook(t, says(200, ""))
		h := newHook(t, says(status, "", "Location", other.URL))
		s := open(t, t.TempDir())
		add(t, s, 0, 1)
		d, said := startAt(t, s, h.URL, "token")
		if err := d.Finish(t.Context(), 50*time.Millisecond); err == nil || s.Waiting() != 1 || len(other.ids()) > 0 || !strings.Contains(said.all(), "redirections are not followed") {
			t.Errorf("%d: %v, %d wait, other %v\n%s", status, err, s.Waiting(), other.ids(), said.all())
		}
		closeSpool(t, s)
	}
}

// TestHeaders: the token is sent and never shown, even where the receiver repeats it.
func TestHeaders(t *testing.T) {
	h := newHook(t, says(400, "bad: Bearer s3cret"))
	s := open(t, t.TempDir())
	add(t, s, 0, 1)
	d, said := startAt(t, s, h.URL, "s3cret")
	if err := d.Finish(t.Context(), patience); err != nil {
		t.Error(err)
	}
	for key, want := range map[string]string{"Authorization": "Bearer s3cret", "Content-Type": "application/json", KeyHeader: "m0", "User-Agent": "acdclip"} {
		if got := h.headers.Get(key); got != want {
			t.Errorf("%s: %q", key, got)
		}
	}
	if strings.Contains(said.all(), "s3cret") || !strings.Contains(said.all(), "Bearer ***") {
		t.Error(said.all())
	}
	closeSpool(t, s)
}

func TestURL(t *testing.T) {
	for text, discloses := range map[string]bool{
		"https://example.com/hook?a=b": false, "http://example.com": true, "http://10.0.0.1:80/x": true, "http://localhost:8080": false, "http://127.0.0.9/": false, "http://[::1]:1/": false,
	} {
		to, err := ParseURL(text)
		if err != nil || (Receiver{URL: to}).Discloses() != discloses {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{"", "host", "host:80/x", "ftp://host/", "https:///x", "https://:80", "https://u:secret@host", "https://u:sec ret@host:x", "http://[::1", "https://host/#secret"} {
		if _, err := ParseURL(text); !errors.Is(err, ErrURL) || strings.Contains(err.Error(), "sec") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestBackoff(t *testing.T) {
	for failures, most := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 7: time.Minute, 1 << 40: time.Minute} {
		different := map[time.Duration]bool{}
		for range 100 {
			wait := backoff(failures)
			different[wait] = true
			if wait <= most/2-1 || wait > most {
				t.Errorf("%v after %d failures", wait, failures)
			}
		}
		if len(different) < 50 {
			t.Errorf("only %d different waits", len(different))
		}
	}
}
