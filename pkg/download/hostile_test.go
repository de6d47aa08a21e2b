package download

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// answers are what a server does, request by request.
type answers []func(*server) http.HandlerFunc

// TestHostileServers: whatever a server does, the file is there with the right bytes, or
// it is not there and the error says why.
func TestHostileServers(t *testing.T) {
	size := len(published())
	for _, c := range []struct {
		name     string
		server   answers
		unsized  bool // the size is not known exactly
		requests int
		want     string // in the error; "" for success
		is       error
		left     string // in the folder; "" for complete
		notice   string // in one of the notices
	}{
		{name: "good", server: answers{good}, requests: 1},
		{name: "good, size unknown", server: answers{good}, unsized: true, requests: 1},
		{name: "says no length", server: answers{chunked(func(s *server) []byte { return s.content })}, requests: 1},
		{name: "says no length, size unknown", server: answers{chunked(func(s *server) []byte { return s.content })}, unsized: true, requests: 1},

		{name: "cuts off", server: answers{cut(1 << 19), cut(100), cut(1), good}, requests: 4, notice: "trying again"},
		{name: "cuts off, size unknown", server: answers{cut(1 << 19), cut(100), good}, unsized: true, requests: 3},
		{name: "cuts off again and again", server: answers{cut(1000)}, requests: 6, want: "the 6000 bytes that are there are kept", left: partial},
		{name: "cuts off again and again, but sends much", server: answers{cut(1<<16 + 1)}, requests: 17},
		{name: "stalls in the body", server: answers{stall(5000), good}, requests: 2, notice: "no data arrived for 200ms"},
		{name: "stalls before the head", server: answers{stall(0), good}, requests: 2, notice: "no data arrived for 200ms"},
		{name: "stalls always", server: answers{stall(0)}, requests: 6, want: "no data arrived", left: nothing},
		{name: "ends early without a length", server: answers{chunked(func(s *server) []byte { return s.content[:999] }), good}, requests: 2, notice: "ended after 999 of"},

		{name: "promises more", server: answers{status(200, "x", "Content-Length: 99999999")}, requests: 1, want: fmt.Sprintf("one of 99999999 bytes instead of %d", size), is: ErrServer, left: nothing},
		{name: "promises less", server: answers{status(200, "x", "Content-Length: 1")}, requests: 1, want: "one of 1 bytes instead of", is: ErrServer, left: nothing},
		{name: "promises more than the limit", server: answers{status(200, "x", "Content-Length: 99999999")}, unsized: true, requests: 1, want: "which is more than", is: ErrServer, left: nothing},
		{name: "sends more", server: answers{chunked(func(s *server) []byte { return append(s.content, 'x') })}, requests: 1, want: "sends more than", is: ErrWrongBytes, left: nothing},
		{name: "sends more than the limit", server: answers{chunked(func(s *server) []byte { return bytes.Repeat(s.content, 3) })}, unsized: true, requests: 1, want: "sends more than", is: ErrWrongBytes, left: nothing},
		{name: "wrong bytes", server: answers{chunked(func(s *server) []byte { return append([]byte{s.content[0] + 1}, s.content[1:]...) })}, requests: 1, want: "the SHA-256 of what was sent is", is: ErrWrongBytes, left: nothing},
		{name: "encoded", server: answers{status(200, "x", "Content-Encoding: gzip")}, requests: 1, want: `encoded with "gzip"`, is: ErrServer, left: nothing},
		{name: "a login page", server: answers{status(200, "<html>", "Content-Type: text/html; charset=utf-8")}, requests: 1, want: "but a web page", is: ErrServer, left: nothing},
		{name: "a login page in place of the rest", server: answers{cut(500), status(200, "<html>", "Content-Type: text/html")}, requests: 2, want: "the 500 bytes that are there are kept", is: ErrServer, left: partial},

		{name: "knows no ranges", server: answers{cut(1 << 19), whole}, requests: 2, notice: "the server cannot continue"},
		{name: "another part", server: answers{cut(500), status(206, "x", "Content-Range: bytes 400-400/"+fmt.Sprint(size)), good}, requests: 3, notice: "another part than byte 500 on"},
		{name: "a part without a range", server: answers{cut(500), status(206, "x"), good}, requests: 3, notice: "another part"},
		{name: "a part of another size", server: answers{cut(500), status(206, "x", "Content-Range: bytes 500-500/501")}, requests: 2, want: "one of 501 bytes", is: ErrServer, left: partial},
		{name: "a part nobody asked for", server: answers{status(206, "x", "Content-Range: bytes 0-0/1"), good}, requests: 2, notice: "another part than byte 0 on"},
		{name: "always a part nobody asked for", server: answers{status(206, "x", "Content-Range: bytes 0-0/1")}, requests: 11, want: "another part", left: nothing},
		{name: "another file's rest", server: answers{cut(500), changed, good}, requests: 3, notice: "the parts do not belong together"},
		{name: "a file that changes", server: answers{cut(500), changedTag, good}, requests: 3, notice: "the file on the server has changed"},
		{name: "range not satisfiable", server: answers{cut(500), status(416, ""), good}, requests: 3, notice: "has no byte 500"},
		{name: "range not satisfiable, without one", server: answers{status(416, "")}, requests: 1, want: "it answers 416", is: ErrServer, left: nothing},

		{name: "not found", server: answers{status(404, "")}, requests: 1, want: "it answers 404 Not Found; the file is not there any more", is: ErrServer, left: nothing},
		{name: "forbidden", server: answers{status(403, "")}, requests: 1, want: "it answers 403 Forbidden", is: ErrServer, left: nothing},
		{name: "proxy login", server: answers{status(407, "")}, requests: 1, want: "set it in HTTPS_PROXY", is: ErrServer, left: nothing},
		{name: "down for a moment", server: answers{status(500, ""), status(503, "", "Retry-After: 0"), good}, requests: 3, notice: "it answers 503"},
		{name: "down", server: answers{status(502, "")}, requests: 6, want: "it answers 502 Bad Gateway", is: ErrServer, left: nothing},
		{name: "no content", server: answers{status(204, "")}, requests: 1, want: "it answers 204", is: ErrServer, left: nothing},

		{name: "redirects", server: answers{status(302, "", "Location: /b"), status(307, "", "Location: /c/d"), good}, requests: 3},
		{name: "redirects a resumption", server: answers{cut(500), status(302, "", "Location: /b"), good}, requests: 3},
		{name: "redirects in circles", server: answers{status(302, "", "Location: /a/weights.pt")}, requests: 11, want: "redirects more than 10 times", is: ErrServer, left: nothing},
		{name: "redirects to nothing", server: answers{status(302, "", "Location: ")}, requests: 1, want: "it answers 302", is: ErrServer, left: nothing},
		{name: "redirects to a file", server: answers{status(302, "", "Location: file:///etc/passwd")}, requests: 6, want: "unsupported protocol scheme", left: nothing},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, plain, c.server...)
			f, o := s.file(t), options()
			if c.unsized {
				f.Size, f.Limit = 0, f.Size+10
			}
			stalls := strings.HasPrefix(c.name, "stalls")
			if stalls {
				o.Stall = 200 * time.Millisecond
			}
			_, err := Get(t.Context(), f, o.Options)
			if got := len(s.seen()); got < c.requests || got > c.requests && !stalls { // on a busy machine, good servers stall too
				t.Errorf("%d requests, want %d", got, c.requests)
			}
			if c.notice != "" && !strings.Contains(strings.Join(o.notices, "\n"), c.notice) {
				t.Errorf("the notices are %q, want %q", o.notices, c.notice)
			}
			if c.want == "" {
				c.left = complete
				if err != nil {
					t.Fatal(err)
				}
				if got, err := os.ReadFile(f.Path); err != nil || !bytes.Equal(got, published()) {
					t.Errorf("the file has other bytes, %v", err)
				}
			} else if err == nil || !strings.Contains(err.Error(), c.want) || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("the error is %v, want %s", err, c.want)
			}
			if got := entries(t, f); got != c.left {
				t.Errorf("the folder has %s, want %s", got, c.left)
			}
		})
	}
}

// changed continues with another file of the same size, and says nothing of it.
func changed(s *server) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes 500-%d/%d", len(s.content)-1, len(s.content)))
		w.WriteHeader(http.StatusPartialContent)
		_, _ = w.Write(make([]byte, len(s.content)-500))
	}
}

// changedTag continues with another file although If-Range names the first.
func changedTag(s *server) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"two"`)
		changed(s)(w, r)
	}
}
