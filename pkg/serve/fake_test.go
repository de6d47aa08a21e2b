package serve

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/png"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"mime/multipart"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"acdclip/pkg/anomalymap"
	"acdclip/pkg/batching"
	"acdclip/pkg/conditions"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/data/pixels/picture"
	"acdclip/pkg/domain"
	"acdclip/pkg/heatmap"
	"acdclip/pkg/inspection"
	"acdclip/pkg/report"
	"acdclip/pkg/scoring"
)

const side = 8 // of the fake's maps

// fake is a model whose map is the picture's red channel, and whose score is the map's largest
// value. The class "panic" panics, "nan" has no score.
type fake struct {
	begins chan struct{} // gets a value when a batch begins; nil for no one to tell
	goes   chan struct{} // lets each batch go on; nil for at once
	calm   bool          // never panics
	score  float32       // of all pictures; 0 for the map's largest value
	closed atomic.Bool
}

func (f *fake) Size() int { return side }
func (f *fake) Close()    { f.closed.Store(true) }

func (f *fake) Score(_ context.Context, classes domain.Classes, pictures []pixels.Picture, classOf []int) ([]scoring.Scored, error) {
	if f.closed.Load() {
		return nil, errClosed
	}
	if f.begins != nil {
		f.begins <- struct{}{}
	}
	if f.goes != nil {
		<-f.goes
	}
	scored := make([]scoring.Scored, len(pictures))
	for i, p := range pictures {
		m := &anomalymap.Map{Width: side, Height: side, Scores: make([]float32, side*side)}
		for at := range m.Scores {
			m.Scores[at] = float32(p.Pix[3*at]) / 255
		}
		most := slices.Max(m.Scores)
		scored[i] = scoring.Scored{Map: m, Score: cmp.Or(f.score, most), MapMax: most}
		switch classes.Prompts[classOf[i]] {
		case "panic":
			if f.calm {
				break
			}
			panic("secret of /etc/passwd")
		case "nan":
			scored[i].Err = &strangeError{}
		}
	}
	return scored, nil
}

var errClosed = errors.New("the model is used after it was closed")

type strangeError struct{}

func (*strangeError) Error() string { return "the model returned a score that is not a finite number" }

// setup is what a test may change of a service.
type setup struct {
	Options
	Revision
	connections int // at a time; 0 for the usual limit
}

// service is a Server that runs, and what a test knows of it.
type service struct {
	t      *testing.T
	server *Server
	url    string
	stop   func()     // begins to drain
	ended  chan error // what Serve returned
	model  *inspection.Inspector
	log    *safeBuffer
}

type safeBuffer struct {
	mutex sync.Mutex
	b     bytes.Buffer
}

func (s *safeBuffer) Write(b []byte) (int, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.b.Write(b)
}

func (s *safeBuffer) String() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.b.String()
}

// revision is a Revision for tests.
func revision(model Model) *Revision {
	return &Revision{
		Model: model, Style: heatmap.Style{Scale: heatmap.Scale{High: 1}, Map: heatmap.Flame}, Pixels: 1_000_000,
		Conditions: func(class string, d domain.Domain) conditions.Record {
			return conditions.Record{conditions.Of(conditions.Numbers, "class", class), conditions.Of(conditions.Numbers, "domain", d)}
		},
		Thresholds: func(string, domain.Domain) report.Thresholds { return report.Thresholds{} },
	}
}

// start starts a service, which change may change.
func start(t *testing.T, f *fake, change func(*setup, *inspection.Options)) *service {
	t.Helper()
	metrics := NewMetrics()
	s := &service{t: t, ended: make(chan error, 1), log: &safeBuffer{}}
	model := inspection.Options{Decode: picture.DecodeOptions{MaxPixels: 1_000_000}, Batching: batching.Options{Batch: 4, Scored: metrics.Batch}}
	o := setup{Options{
		Class: "object", Domain: domain.Industrial, Metrics: metrics, Drain: time.Minute,
		Log: slog.New(slog.NewTextHandler(s.log, nil)),
		Limits: Limits{BodyBytes: 1 << 20, BodiesBytes: 8 << 20, Parts: 20, AtOnce: 4,
			Reading: time.Minute, Scoring: time.Minute, Writing: time.Minute},
	}, *revision(nil), 0}
	if change != nil {
		change(&o, &model)
	}
	s.model = inspection.New(f, model)
	o.Model = s.model
	s.server = New(o.Options, &o.Revision)
	if o.connections > 0 {
		s.server.connections, s.server.unused = o.connections, time.Millisecond
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.url = "http://" + l.Addr().String()
	ctx, cancel := context.WithCancel(t.Context())
	s.stop = cancel
	go func() { s.ended <- s.server.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		<-s.ended
		s.server.Close() // waits for ever if a place was not released
		if !s.server.bodies.TryAcquire(o.Limits.BodiesBytes) {
			t.Error("memory of a request was not released")
		}
	})
	return s
}

// reply is an answer to a request.
type reply struct {
	status int
	header http.Header
	body   string
}

// send sends a request.
func (s *service) send(method, path, kind string, body io.Reader, headers ...string) reply {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Error(err)
		return reply{}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Error(err)
	}
	return reply{response.StatusCode, response.Header, string(text)}
}

// post sends one picture.
func (s *service) post(query string, content []byte, headers ...string) reply {
	s.t.Helper()
	return s.send(http.MethodPost, "/v1/score"+query, "", bytes.NewReader(content), headers...)
}

// rows are the rows of an answer.
func (r reply) rows(t *testing.T) []map[string]any {
	t.Helper()
	var a struct{ Rows []map[string]any }
	if err := json.Unmarshal([]byte(r.body), &a); err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
	return a.Rows
}

// kind is the kind of a problem.
func (r reply) kind() string {
	var a struct{ Error problem }
	_ = json.Unmarshal([]byte(r.body), &a) // then there is no kind
	return a.Error.Kind
}

// plain is a PNG of one red value.
func plain(t testing.TB, width, height int, red uint8) []byte {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := range width * height {
		m.Pix[4*i], m.Pix[4*i+3] = red, 255
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// noise is a PNG that cannot be packed.
func noise(t testing.TB, width, height int) []byte {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := range m.Pix {
		m.Pix[i] = uint8(rand.Uint32())
		if i%4 == 3 {
			m.Pix[i] = 255
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// form is a form with fields "name=value" and files by name.
func form(t testing.TB, fields []string, files ...upload) (kind string, body *bytes.Buffer) {
	t.Helper()
	body = &bytes.Buffer{}
	w := multipart.NewWriter(body)
	for _, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		if err := w.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range files {
		part, err := w.CreateFormFile("picture", file.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write(file.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), body
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-6 }
