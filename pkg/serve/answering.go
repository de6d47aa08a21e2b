package serve

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"acdclip/pkg/batching"
)

// recorder notes the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController find the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// answering wraps a handler of a path: it checks the token unless the path is open, turns
// errors and panics into answers, and logs and counts.
func (s *Server) answering(path string, open bool, handle func(exchange, http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		recorded := &recorder{ResponseWriter: w}
		recorded.Header().Set("X-Content-Type-Options", "nosniff")
		used := s.present.take()
		defer used.requests.Done()
		err := exchange{s, used.Revision}.handle(open, handle, recorded, r)
		if err != nil {
			s.refuse(recorded, r, err)
		}
		took := time.Since(start)
		s.options.Metrics.request(path, recorded.status, took)
		s.options.Log.LogAttrs(r.Context(), slog.LevelInfo, "request", slog.String("method", r.Method), slog.String("path", r.URL.Path),
			slog.Int("status", recorded.status), slog.Float64("seconds", took.Seconds()), slog.String("remote", r.RemoteAddr))
	})
}

// handle runs a handler. A panic in it is an error.
func (e exchange) handle(open bool, handle func(exchange, http.ResponseWriter, *http.Request) error, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() { err = recovered(recover(), err) }()
	if e.rebound(r) {
		return problemf(http.StatusForbidden, kindOrigin, "without a token, the service answers on this address only for the hosts localhost and 127.0.0.1 (or another loopback address), not %q", shortened(r.Host))
	}
	if !open && !e.allowed(r) {
		w.Header().Set("WWW-Authenticate", "Bearer")
		return problemf(http.StatusUnauthorized, kindToken, "the request needs the header Authorization: Bearer TOKEN with the right token")
	}
	return handle(e, w, r)
}

// recovered is the error of a panic; err if there was none. Its text, with the stack, goes to
// the log only.
func recovered(found any, err error) error {
	if found == nil {
		return err
	}
	return fmt.Errorf("panic: %v\n%s", found, debug.Stack())
}

// allowed compares the request's token in a time that tells nothing about the right one.
func (e exchange) allowed(r *http.Request) bool {
	if e.Token == "" {
		return true
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	given, right := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(e.Token)) // as long as each other
	return subtle.ConstantTimeCompare(given[:], right[:]) == 1 && strings.EqualFold(scheme, "Bearer")
}

// refuse answers with a problem, unless an answer has begun.
func (s *Server) refuse(w *recorder, r *http.Request, err error) {
	p := s.problem(r, err)
	if w.status != 0 {
		return
	}
	switch p.Kind {
	case kindBusy, kindClosing: // not kindTimeout: the same request would take as long again
		w.Header().Set("Retry-After", retryAfter)
	}
	if r.Body != http.NoBody {
		w.Header().Set("Connection", "close") // the rest of a body is not wanted
	}
	_ = s.writeJSON(w, p.status, map[string]*problem{"error": p}) // who does not read it has gone
}

// problem counts a problem, and logs what its text does not tell.
func (s *Server) problem(r *http.Request, err error) *problem {
	p := problemOf(err)
	if p.Kind == kindGone && s.gate.isClosed() { // it was not the client who ended the request
		p = problemOf(batching.ErrClosed)
	}
	s.options.Metrics.problem(p.Kind)
	if p.Kind == kindInternal {
		s.options.Log.LogAttrs(r.Context(), slog.LevelError, "internal error", slog.String("path", r.URL.Path), slog.String("error", err.Error()))
	}
	return p
}

func (s *Server) writeJSON(w http.ResponseWriter, status int, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encoding an answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // who does not read it has gone
	return nil
}
