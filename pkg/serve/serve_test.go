package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"acdclip/pkg/domain"
	"acdclip/pkg/inspection"
)

// fuzzed is a server without a listener.
func fuzzed(model Model, metrics *Metrics, limits Limits) *Server {
	return New(Options{Class: "object", Domain: domain.Industrial, Metrics: metrics, Limits: limits, Log: slog.New(slog.DiscardHandler)}, revision(model))
}

// When it ends, the service answers the requests that run, refuses others, and says that it is
// not ready.
func TestDrain(t *testing.T) {
	f := &fake{begins: make(chan struct{}), goes: make(chan struct{})}
	s := start(t, f, nil)
	if got := s.send(http.MethodGet, "/readyz", "", nil); got.status != http.StatusOK {
		t.Errorf("%+v", got)
	}
	first := make(chan reply)
	go func() { first <- s.post("", plain(t, 9, 9, 9)) }()
	<-f.begins
	s.stop()
	for deadline := time.Now().Add(20 * time.Second); !s.server.gate.isClosed() && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	for path, want := range map[string]int{"/readyz": http.StatusServiceUnavailable, "/healthz": http.StatusOK} {
		if got := s.send(http.MethodGet, path, "", nil); got.status != want {
			t.Errorf("%s: %+v", path, got)
		}
	}
	if got := s.post("", plain(t, 9, 9, 9)); got.status != http.StatusServiceUnavailable || got.kind() != kindClosing {
		t.Errorf("%+v", got)
	}
	f.goes <- struct{}{}
	if got := <-first; got.status != http.StatusOK {
		t.Errorf("the running request: %+v", got)
	}
	err := <-s.ended
	if err != nil {
		t.Error(err)
	}
	s.ended <- err
}

// A request that takes longer than the time to drain is cut off, with an answer, and Serve
// says so.
func TestDrainHasALimit(t *testing.T) {
	f := &fake{begins: make(chan struct{}), goes: make(chan struct{})}
	s := start(t, f, func(o *setup, _ *inspection.Options) { o.Drain = time.Millisecond })
	first := make(chan reply)
	go func() { first <- s.post("", plain(t, 9, 9, 9)) }()
	<-f.begins
	s.stop()
	if got := <-first; got.status != http.StatusServiceUnavailable || got.kind() != kindClosing {
		t.Errorf("%+v", got)
	}
	err := <-s.ended
	if err == nil || !strings.Contains(err.Error(), "cut off: 1") {
		t.Error(err)
	}
	s.ended <- err
	close(f.goes)
}

// within waits for the end of a service, whose error says that one request was cut off.
func within(t *testing.T, ended chan error) {
	t.Helper()
	select {
	case err := <-ended:
		if err == nil || !strings.Contains(err.Error(), "cut off: 1") {
			t.Error(err)
		}
		ended <- err
	case <-time.After(20 * time.Second):
		t.Fatal("the service did not end")
	}
}

// inside waits until a request is worked on.
func inside(t *testing.T, s *Server) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); s.gate.count() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no request came")
		}
	}
}

// A client that does not send its body does not keep the service from ending.
func TestDrainOfHalfABody(t *testing.T) {
	s := start(t, &fake{}, func(o *setup, _ *inspection.Options) { o.Drain = time.Millisecond })
	connection := s.dial(1000, []byte("half"))
	defer connection.Close()
	inside(t, s.server)
	s.stop()
	within(t, s.ended)
}

// pipes is a listener whose connections have no buffers.
type pipes struct {
	connections chan net.Conn
	closed      chan struct{}
	once        sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case connection := <-p.connections:
		return connection, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)} }

// A client that does not read its answer does not keep the service from ending.
func TestDrainOfAnUnreadAnswer(t *testing.T) {
	model := inspection.New(&fake{}, inspection.Options{})
	defer model.Close()
	minute := time.Minute
	server := fuzzed(model, NewMetrics(), Limits{BodyBytes: 1 << 20, BodiesBytes: 1 << 23, Parts: 4, AtOnce: 2, Reading: minute, Scoring: minute, Writing: minute})
	server.options.Drain = time.Millisecond
	l := &pipes{connections: make(chan net.Conn), closed: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, l) }()
	client, connection := net.Pipe()
	defer client.Close()
	l.connections <- connection
	content := noise(t, 99, 99) // its answer is more than net/http's buffer takes
	if _, err := fmt.Fprintf(client, "POST /v1/score?heatmap=png HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(content), content); err != nil {
		t.Fatal(err)
	}
	inside(t, server)
	time.Sleep(100 * time.Millisecond) // until the answer is made
	cancel()
	within(t, ended)
}

// TestConnections checks that a connection beyond the limit waits while all are at work, and
// that one that is idle is closed for it.
func TestConnections(t *testing.T) {
	server := fuzzed(&inspection.Inspector{}, NewMetrics(), Limits{BodiesBytes: 1, Reading: time.Minute, Scoring: time.Minute, Writing: time.Minute})
	server.connections, server.unused = 2, 300*time.Millisecond
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- server.Serve(ctx, l) }()
	send := func(to net.Conn, text string) {
		if _, err := fmt.Fprint(to, text); err != nil {
			t.Fatal(err)
		}
	}
	const begin, end = "GET /healthz HTTP/1.1\r\n", "Host: localhost\r\n\r\n"
	open := func(text string) net.Conn {
		connection, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		send(connection, text)
		return connection
	}
	working, alsoWorking := open(begin), open(begin)
	time.Sleep(100 * time.Millisecond) // until both are accepted and read
	third := open(begin + end)
	_ = third.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if _, err := third.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the third connection is served beside two: %v", err)
	}
	_ = third.SetReadDeadline(time.Time{})
	send(working, end)
	answered := time.Now()
	for _, connection := range []net.Conn{working, third} {
		if got := readReply(t, connection); got.status != http.StatusOK {
			t.Errorf("%+v", got)
		}
	}
	if waited := time.Since(answered); waited < server.unused {
		t.Errorf("a connection that was used %v ago was closed", waited)
	}
	_ = working.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := working.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the idle connection was kept: %v", err)
	}
	send(alsoWorking, end)
	if got := readReply(t, alsoWorking); got.status != http.StatusOK {
		t.Errorf("%+v", got)
	}
	for _, connection := range []net.Conn{working, alsoWorking, third} {
		connection.Close()
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestManyIdleConnections checks that clients that keep their connections, more than the limit,
// are all answered, with and without TLS.
func TestManyIdleConnections(t *testing.T) {
	secure, trusted := certificate(t)
	for _, certificate := range []*TLS{nil, secure} {
		s := start(t, &fake{}, func(o *setup, _ *inspection.Options) { o.TLS, o.connections = certificate, 2 })
		for range 8 {
			client := clientOf(trusted)
			defer client.CloseIdleConnections()
			if err := s.healthy(client); err != nil {
				t.Error(err)
			}
		}
	}
}

// With a token, only the health of the service is open to all.
func TestToken(t *testing.T) {
	s := start(t, &fake{}, func(o *setup, _ *inspection.Options) { o.Token = "right" })
	for _, r := range routes() {
		for authorization, right := range map[string]bool{"": false, "Bearer wrong": false, "right": false, "Bearer ": false, "Basic right": false, "Bearer right": true, "bearer right": true} {
			got := s.send(r.method, r.path, "", strings.NewReader("x"), "Authorization", authorization)
			if refused := got.status == http.StatusUnauthorized; refused != (!r.open && !right) || refused && got.header.Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("%s with %q: %d %s", r.path, authorization, got.status, got.body)
			}
		}
	}
}

// A listener that fails ends the service.
func TestListenerFails(t *testing.T) {
	s := start(t, &fake{}, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := s.server.Serve(t.Context(), l); err == nil || !strings.Contains(err.Error(), "listening on 127.0.0.1") {
		t.Error(err)
	}
}

func TestMetrics(t *testing.T) {
	s := start(t, &fake{}, nil)
	s.post("", plain(t, 9, 9, 9))
	s.post("", []byte("a text"))
	s.send(http.MethodGet, "/nowhere", "", nil)
	text := s.send(http.MethodGet, "/metrics", "", nil).body
	for _, line := range []string{
		`acdclip_requests_total{path="/v1/score",status="200"} 1`, `acdclip_requests_total{path="/v1/score",status="422"} 1`, `acdclip_requests_total{path="other",status="404"} 1`,
		`acdclip_errors_total{kind="bad_picture"} 1`, `acdclip_pictures_total 1`, `acdclip_batch_pictures_bucket{le="1"} 1`, `acdclip_batch_seconds_count 1`,
		`acdclip_request_seconds_count{path="/v1/score"} 2`, `acdclip_queue_places 0`, `acdclip_queue_running 0`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no %s in %s", line, text)
		}
	}
	for _, name := range []string{"process_resident_memory_bytes", "go_goroutines"} {
		if !strings.Contains(text, "\n"+name+" ") {
			t.Errorf("no %s", name)
		}
	}
}

func TestModel(t *testing.T) {
	s := start(t, &fake{}, func(o *setup, _ *inspection.Options) {
		o.About = About{Method: "acdclip", CLIP: Weights{Name: "clip.pt", Fingerprint: "sha256:1"}, ImageSize: side}
	})
	got := s.send(http.MethodGet, "/v1/model", "", nil)
	for _, says := range []string{`"method":"acdclip"`, `"clip":{"name":"clip.pt","fingerprint":"sha256:1"}`, `"class":"object"`, `"pictures":20`, `"pixels":1000000`, `"record":{"numbers":{"class":"object"`} {
		if got.status != http.StatusOK || !strings.Contains(got.body, says) {
			t.Errorf("no %s in %+v", says, got)
		}
	}
}
