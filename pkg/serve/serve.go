// Package serve is an HTTP service that scores pictures with one model, which can be replaced
// while it runs. It is pure Go.
package serve

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"

	"acdclip/pkg/domain"
)

// Options configure a Server for as long as it runs.
type Options struct {
	Class   string        // of pictures whose request names none
	Domain  domain.Domain // likewise
	Limits  Limits
	Drain   time.Duration // the longest time for which Serve waits for running requests when it ends
	Metrics *Metrics
	Log     *slog.Logger
}

// Limits bound what requests may use. All must be positive.
type Limits struct {
	BodyBytes   int64         // of one request
	BodiesBytes int64         // of all requests at a time, with their answers; at least BodyBytes
	Parts       int           // pictures of one request
	AtOnce      int           // of these, the pictures that are scored at once
	Reading     time.Duration // for the headers and the body of a request
	Scoring     time.Duration // for the work on a request
	Writing     time.Duration // for the answer
}

// The limits that no user needs to change.
const (
	headerTime  = 10 * time.Second
	idleTime    = 2 * time.Minute
	unusedTime  = 10 * time.Second // then an idle connection is closed if it keeps another out
	flushTime   = time.Second      // for the answers that are still being sent when the service ends or cuts them off
	headerBytes = 64 << 10
	connections = 1024 // at a time
)

// Server answers requests. It is an http.Handler.
type Server struct {
	options Options
	present *present
	secure  bool                // HTTPS
	bodies  *semaphore.Weighted // bytes of requests and answers in memory
	gate    *gate
	mux     *http.ServeMux

	connections int           // at a time
	unused      time.Duration // after which an idle connection is closed if it keeps another out
	pagePolicy  string
}

// route is one operation.
type route struct {
	method, path string
	open         bool // needs no token
	handle       func(exchange, http.ResponseWriter, *http.Request) error
}

func routes() []route {
	return []route{
		{http.MethodPost, "/v1/score", false, exchange.score},
		{http.MethodGet, "/v1/model", false, exchange.model},
		{http.MethodGet, "/metrics", false, exchange.metrics},
		{http.MethodGet, "/openapi.yaml", true, exchange.description},
		{http.MethodGet, "/", true, exchange.page},
		{http.MethodGet, "/healthz", true, exchange.healthy},
		{http.MethodGet, "/readyz", true, exchange.ready},
	}
}

// New returns a Server that begins with a Revision; with HTTPS if that has a certificate. The
// caller closes the Server.
func New(o Options, first *Revision) *Server {
	s := &Server{options: o, present: &present{now: &inUse{Revision: first}}, secure: first.TLS != nil, bodies: semaphore.NewWeighted(o.Limits.BodiesBytes), gate: newGate(), mux: http.NewServeMux(), connections: connections, unused: unusedTime, pagePolicy: pagePolicy()}
	o.Metrics.watch(s.present.load)
	for _, r := range routes() {
		pattern := r.path
		if pattern == "/" {
			pattern = "/{$}" // not all below it
		}
		s.mux.Handle(r.method+" "+pattern, s.answering(r.path, r.open, r.handle))
		s.mux.Handle(pattern, s.answering(r.path, true, func(_ exchange, w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Allow", r.method)
			return problemf(http.StatusMethodNotAllowed, kindMethod, "%s takes only %s", r.path, r.method)
		}))
	}
	s.mux.Handle("/", s.answering("other", true, func(exchange, http.ResponseWriter, *http.Request) error {
		return problemf(http.StatusNotFound, kindNotFound, "there is nothing here; /openapi.yaml describes what there is")
	}))
	return s
}

// exchange answers one request, from its beginning to its end with one Revision.
type exchange struct {
	*Server
	*Revision
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Serve answers the requests of a listener until ctx ends. Then it refuses further work, waits
// until the running requests are answered, at most Options.Drain, and returns nil; or an error
// that says how many were cut off.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	working, stop := context.WithCancel(context.WithoutCancel(ctx)) // requests outlive ctx
	defer stop()
	limits := s.options.Limits
	server := &http.Server{
		Handler: s, BaseContext: func(l net.Listener) context.Context { return ofListener(working, l) },
		ReadHeaderTimeout: min(headerTime, limits.Reading), ReadTimeout: limits.Reading, WriteTimeout: limits.Reading + limits.Scoring + limits.Writing,
		IdleTimeout: idleTime, MaxHeaderBytes: headerBytes,
		ErrorLog: newNetLog(s.options.Log),
	}
	open := limit(l, s.connections, s.unused)
	server.ConnState = open.notice
	failed := make(chan error, 1)
	go func() { failed <- s.listen(server, open) }()
	select {
	case err := <-failed:
		return fmt.Errorf("listening on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	server.SetKeepAlivesEnabled(false)
	cut := s.drain(server, stop)
	// The answers are made; what is left is to send their ends.
	writing, done := context.WithTimeout(context.WithoutCancel(ctx), flushTime)
	defer done()
	if err := server.Shutdown(writing); err != nil {
		_ = server.Close() // its error is of connections that are cut off anyway
	}
	<-failed
	return cut
}

// drain waits for the running requests, and cancels those that take longer than the time for
// it. Those that are blocked on their connections, because a client does not send its body or
// does not read its answer, end when these are closed.
func (s *Server) drain(server *http.Server, stop func()) error {
	empty := s.gate.close()
	select {
	case <-empty:
		return nil
	case <-time.After(s.options.Drain):
	}
	cut := s.gate.count()
	if cut == 0 { // the last one has just been answered
		return nil
	}
	stop()
	select {
	case <-empty: // cancelled requests end soon, and say why
	case <-time.After(flushTime):
		_ = server.Close() // its error is of connections that are cut off anyway
		<-empty
	}
	return fmt.Errorf("requests that took longer than the time to drain were cut off: %d", cut)
}
