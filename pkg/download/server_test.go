package download

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// published is the published file of the tests, larger than the buffers on its way.
var published = sync.OnceValue(func() []byte {
	b := make([]byte, 1<<20+17)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b) // it never fails
	return b
})

// content is a copy of it.
func content() []byte { return slices.Clone(published()) }

// server answers each request by the next of its answers, the last again and again.
type server struct {
	*httptest.Server
	content []byte

	lock     sync.Mutex
	answers  []http.HandlerFunc
	requests []*http.Request
}

// serve starts a server that is stopped at the end of the test.
func serve(t *testing.T, start func(http.Handler) *httptest.Server, answers ...func(*server) http.HandlerFunc) *server {
	t.Helper()
	s := &server{content: content()}
	for _, answer := range answers {
		s.answers = append(s.answers, answer(s))
	}
	s.Server = start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.lock.Lock()
		s.requests = append(s.requests, r)
		answer := s.answers[min(len(s.requests), len(s.answers))-1]
		s.lock.Unlock()
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// plain and secure start a server that logs nothing: clients that leave are part of the tests.
func plain(h http.Handler) *httptest.Server {
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Start()
	return s
}

func secure(h http.Handler) *httptest.Server {
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	return s
}

// seen are the requests so far.
func (s *server) seen() []*http.Request {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.requests
}

const etag = `"one"`

// good serves the file as a good server does, with ranges.
func good(s *server) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", etag)
		http.ServeContent(w, r, "weights.pt", time.Time{}, bytes.NewReader(s.content))
	}
}

// cut serves a part of what good would, and closes the connection.
func cut(bytes int) func(*server) http.HandlerFunc {
	return func(s *server) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			good(s)(&limited{ResponseWriter: w, left: bytes}, r)
		}
	}
}

// limited ends the connection after some bytes of the body.
type limited struct {
	http.ResponseWriter
	left int
}

func (l *limited) Write(b []byte) (int, error) {
	n, err := l.ResponseWriter.Write(b[:min(len(b), l.left)])
	if l.left -= n; l.left == 0 {
		if err := http.NewResponseController(l.ResponseWriter).Flush(); err != nil {
			panic(err)
		}
		panic(http.ErrAbortHandler)
	}
	return n, err
}

// stall sends a part of the file and then nothing until the client leaves.
func stall(bytes int) func(*server) http.HandlerFunc {
	return func(s *server) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if bytes > 0 {
				w.Header().Set("ETag", etag)
				w.Header().Set("Content-Length", fmt.Sprint(len(s.content)))
				_, _ = w.Write(s.content[:bytes])
				_ = http.NewResponseController(w).Flush()
			}
			<-r.Context().Done()
		}
	}
}

// status answers with a status, headers "Name: value" and a body.
func status(code int, body string, headers ...string) func(*server) http.HandlerFunc {
	return func(*server) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for _, header := range headers {
				name, value, _ := strings.Cut(header, ": ")
				w.Header().Set(name, value)
			}
			w.WriteHeader(code)
			_, _ = w.Write([]byte(body))
		}
	}
}

// chunked sends a body without saying how long it is.
func chunked(body func(*server) []byte) func(*server) http.HandlerFunc {
	return func(s *server) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			_ = http.NewResponseController(w).Flush()
			_, _ = w.Write(body(s))
		}
	}
}

// whole sends all, whatever was asked for.
func whole(s *server) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(s.content)))
		_, _ = w.Write(s.content)
	}
}

// file is the file of a server in an empty folder.
func (s *server) file(t *testing.T) File {
	t.Helper()
	sum := sha256.Sum256(published())
	return File{URL: s.URL + "/a/weights.pt", Path: filepath.Join(t.TempDir(), "cache", "weights.pt"), SHA256: hex.EncodeToString(sum[:]), Size: int64(len(published()))}
}

// told are options that do not wait, and collect the notices.
type told struct {
	Options
	notices []string
}

func options() *told {
	o := &told{}
	o.Stall = time.Minute
	o.Wait = func(int) time.Duration { return 0 }
	o.Notice = func(text string) { o.notices = append(o.notices, text) }
	return o
}

// entries are the files in a file's folder.
func entries(t *testing.T, f File) string {
	t.Helper()
	list, err := os.ReadDir(filepath.Dir(f.Path))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range list {
		names = append(names, entry.Name())
	}
	return strings.Join(names, " ")
}

// What is in the folder after the ends of a download.
const (
	complete = "weights.pt weights.pt.lock"
	partial  = "weights.pt.lock weights.pt.part weights.pt.part.json"
	nothing  = "weights.pt.lock"
)
