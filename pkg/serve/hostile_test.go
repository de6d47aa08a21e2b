package serve

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"acdclip/pkg/batching"
	"acdclip/pkg/inspection"
)

// pngOf is a PNG with a header of that size and these packed pixels.
func pngOf(width, height uint32, packed []byte) []byte {
	chunk := func(b []byte, name string, body []byte) []byte {
		b = binary.BigEndian.AppendUint32(b, uint32(len(body)))
		named := append([]byte(name), body...)
		return binary.BigEndian.AppendUint32(append(b, named...), crc32.ChecksumIEEE(named))
	}
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)
	b := chunk([]byte("\x89PNG\r\n\x1a\n"), "IHDR", append(header, 8, 2, 0, 0, 0))
	return chunk(chunk(b, "IDAT", packed), "IEND", nil)
}

// Pictures that promise or unpack to more than there is room for take little memory.
func TestBombs(t *testing.T) {
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	zeros := make([]byte, 1<<20)
	for range 64 {
		if _, err := w.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	s := start(t, &fake{}, nil)
	for says, content := range map[string][]byte{
		"declares 100000 x 100000 pixels":         pngOf(100_000, 100_000, packed.Bytes()),
		"declares 2147483647 x 2147483647 pixels": pngOf(1<<31-1, 1<<31-1, nil),
		"10 x 10": pngOf(10, 10, packed.Bytes()), // what is too much may be ignored
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got := s.post("", content)
		runtime.ReadMemStats(&after)
		row := got.rows(t)[0]
		if text := fmt.Sprint(row["error"], row["width"], " x ", row["height"]); !strings.Contains(text, says) {
			t.Errorf("%s: %s", says, text)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 20<<20 {
			t.Errorf("%s: %d bytes were allocated", says, took)
		}
	}
}

// Requests that are too large are refused, whether they say so or not.
func TestTooLarge(t *testing.T) {
	s := start(t, &fake{}, nil)
	large := make([]byte, 1<<20+1)
	for name, body := range map[string]io.Reader{"said": bytes.NewReader(large), "not said": io.MultiReader(bytes.NewReader(large))} {
		if got := s.send(http.MethodPost, "/v1/score", "", body); got.status != http.StatusRequestEntityTooLarge || got.kind() != kindLarge || !strings.Contains(got.body, "1048576 bytes") {
			t.Errorf("%s: %+v", name, got)
		}
	}
	many := make([]upload, 1000)
	for i := range many {
		many[i] = upload{"a.png", []byte("x")}
	}
	kind, body := form(t, nil, many...)
	if got := s.send(http.MethodPost, "/v1/score", kind, body); got.status != http.StatusRequestEntityTooLarge || !strings.Contains(got.body, "more than 20 pictures") {
		t.Errorf("1000 pictures: %+v", got)
	}
	kind, body = form(t, []string{"class=" + strings.Repeat("a", 2000)}, upload{"a.png", plain(t, 9, 9, 9)})
	if got := s.send(http.MethodPost, "/v1/score", kind, body); got.status != http.StatusBadRequest || !strings.Contains(got.body, "longer than 1024 bytes") {
		t.Errorf("a long field: %+v", got)
	}
}

// A request that promises too much is refused before its body comes.
func TestTooLargeIsRefusedEarly(t *testing.T) {
	s := start(t, &fake{}, nil)
	connection := s.dial(1<<20+1, nil)
	defer connection.Close()
	if got := readReply(t, connection); got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("%+v", got)
	}
}

// A request with more pictures than the queue has places does not fill it by itself.
func TestMorePicturesThanPlaces(t *testing.T) {
	s := start(t, &fake{}, func(o *setup, m *inspection.Options) { o.Limits.AtOnce, m.Batching.Queue = 3, 4 })
	files := make([]upload, 20)
	for i := range files {
		files[i] = upload{"a.png", plain(t, 99, 99, 51)}
	}
	kind, body := form(t, nil, files...)
	if got := s.send(http.MethodPost, "/v1/score", kind, body); got.status != http.StatusOK || len(got.rows(t)) != 20 {
		t.Errorf("%+v", got)
	}
}

// Malformed forms are the client's fault.
func TestWrongForms(t *testing.T) {
	s := start(t, &fake{}, nil)
	for _, c := range []struct{ kind, body, says string }{
		{"", "", "has no picture"},
		{"multipart/form-data", "x", "with a boundary"},
		{"multipart/form-data; boundary=", "x", "with a boundary"},
		{"multipart/mixed; boundary=b", "--b--", "must be multipart/form-data"},
		{"multipart/form-data; boundary=b; boundary=c", "x", "must be multipart/form-data"},
		{"multipart/form-data; boundary=b", "nothing of a form", "cut short"},
		{"multipart/form-data; boundary=b", "--b--\r\n", "the form has no picture"},
		{"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"class\"\r\n\r\nnut\r\n--b--\r\n", "the form has no picture"},
		{"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"colour\"\r\n\r\nred\r\n--b--\r\n", "unknown field"},
		{"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=p; filename=a.png\r\n\r\nhalf", "cut short"},
		{"multipart/form-data; boundary=b", "--b\r\nno header\r\n\r\n--b--", "malformed"},
		{"multipart/form-data; boundary=b", "--b\r\nX: " + strings.Repeat("x", 900_000) + "\r\n\r\n", "cut short"},
	} {
		got := s.send(http.MethodPost, "/v1/score", c.kind, strings.NewReader(c.body))
		if got.status != http.StatusBadRequest || !strings.Contains(got.body, c.says) {
			t.Errorf("%q %.60q: %d %s", c.kind, c.body, got.status, got.body)
		}
	}
}

// A full queue, and a full memory, give 429 and say when to come again.
func TestBusy(t *testing.T) {
	f := &fake{begins: make(chan struct{}), goes: make(chan struct{})}
	s := start(t, f, func(_ *setup, m *inspection.Options) { m.Batching.Queue = 1 })
	first := make(chan reply)
	go func() { first <- s.post("", plain(t, 9, 9, 9)) }()
	<-f.begins
	if got := s.post("", plain(t, 9, 9, 9)); got.status != http.StatusTooManyRequests || got.kind() != kindBusy || got.header.Get("Retry-After") == "" {
		t.Errorf("%+v", got)
	}
	f.goes <- struct{}{}
	if got := <-first; got.status != http.StatusOK {
		t.Errorf("%+v", got)
	}

	if !s.server.bodies.TryAcquire(8<<20 - 1000) {
		t.Fatal("no room")
	}
	if got := s.post("", plain(t, 9, 9, 9)); got.status != http.StatusTooManyRequests || !strings.Contains(got.body, "large requests") {
		t.Errorf("%+v", got)
	}
	s.server.bodies.Release(8<<20 - 1000)
}

// dial opens a connection and sends the head of a request and a part of its body.
func (s *service) dial(promised int, body []byte) net.Conn {
	s.t.Helper()
	connection, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(connection, "POST /v1/score HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", promised, body); err != nil {
		s.t.Fatal(err)
	}
	return connection
}

// readReply reads the answer on a connection.
func readReply(t *testing.T, connection net.Conn) reply {
	t.Helper()
	answer, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{answer.StatusCode, answer.Header, string(text)}
}

// A client that sends too slowly is told so and cut off. Its memory is free again (see start).
func TestSlowClient(t *testing.T) {
	s := start(t, &fake{}, func(o *setup, _ *inspection.Options) { o.Limits.Reading = 200 * time.Millisecond })
	connection := s.dial(1000, []byte("half"))
	defer connection.Close()
	if got := readReply(t, connection); got.status != http.StatusRequestTimeout || !strings.Contains(got.body, "too slowly") {
		t.Errorf("%+v", got)
	}
	if _, err := connection.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the connection is still open: %v", err)
	}
}

// A client that hangs up, in the middle of its body or while its picture waits, disturbs nobody.
func TestHangUp(t *testing.T) {
	f := &fake{begins: make(chan struct{}), goes: make(chan struct{})}
	s := start(t, f, func(_ *setup, m *inspection.Options) { m.Batching.Batch = 1 })
	s.dial(1000, []byte("half")).Close()

	first := make(chan reply)
	go func() { first <- s.post("", plain(t, 9, 9, 51)) }()
	<-f.begins
	content := plain(t, 9, 9, 9)
	waits := s.dial(len(content), content)
	s.until("acdclip_queue_waiting 1")
	waits.Close()
	s.until("acdclip_queue_waiting 0")
	f.goes <- struct{}{}
	if got := <-first; got.status != http.StatusOK || !near(got.rows(t)[0]["score"].(float64), 0.2) {
		t.Errorf("%+v", got)
	}
	s.until(`acdclip_errors_total{kind="client_gone"} 1`)
	s.until("acdclip_pictures_total 1")
}

// until waits until a metric has a value.
func (s *service) until(line string) {
	s.t.Helper()
	var text string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if text = s.send(http.MethodGet, "/metrics", "", nil).body; strings.Contains(text, line+"\n") {
			return
		}
	}
	s.t.Fatalf("no %s in %s", line, text)
}

// Who hangs up behind a form whose body has more than the form is noticed too.
func TestHangUpBehindAForm(t *testing.T) {
	f := &fake{begins: make(chan struct{}), goes: make(chan struct{})}
	s := start(t, f, func(_ *setup, m *inspection.Options) { m.Batching.Batch = 1 })
	first := make(chan reply)
	go func() { first <- s.post("", plain(t, 9, 9, 51)) }()
	<-f.begins
	kind, body := form(t, nil, upload{"a.png", plain(t, 9, 9, 9)})
	connection, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	const more = 10_000 // more than the buffers of the form's reader
	body.WriteString(strings.Repeat("x", more))
	if _, err := fmt.Fprintf(connection, "POST /v1/score HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", kind, body.Len(), body.Bytes()); err != nil {
		t.Fatal(err)
	}
	s.until("acdclip_queue_waiting 1")
	connection.Close()
	s.until("acdclip_queue_waiting 0")
	f.goes <- struct{}{}
	if got := <-first; got.status != http.StatusOK {
		t.Errorf("%+v", got)
	}
}

// Who resets the connection in the middle of a request has gone; the fault is not the service's.
func TestResetInTheBody(t *testing.T) {
	s := start(t, &fake{}, nil)
	for _, kind := range []string{"image/png", "multipart/form-data; boundary=b"} {
		connection, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprintf(connection, "POST /v1/score HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nContent-Length: 10000\r\nExpect: 100-continue\r\n\r\n", kind); err != nil {
			t.Fatal(err)
		}
		// The service asks for the body when it reads it.
		if line, err := bufio.NewReader(connection).ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
			t.Fatalf("%q, %v", line, err)
		}
		if err := connection.(*net.TCPConn).SetLinger(0); err != nil {
			t.Fatal(err)
		}
		connection.Close()
	}
	s.until(`acdclip_errors_total{kind="client_gone"} 2`)
	if text := s.log.String(); strings.Contains(text, "internal error") {
		t.Errorf("the log is %s", text)
	}
}

// Chunks that are malformed are the client's fault.
func TestMalformedChunks(t *testing.T) {
	s := start(t, &fake{}, nil)
	for kind, says := range map[string]string{"image/png": "the body of the request is malformed", "multipart/form-data; boundary=b": "the form is malformed"} {
		connection, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer connection.Close()
		if _, err := fmt.Fprintf(connection, "POST /v1/score HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\nno length\r\n", kind); err != nil {
			t.Fatal(err)
		}
		if got := readReply(t, connection); got.status != http.StatusBadRequest || got.kind() != kindRequest || !strings.Contains(got.body, says) {
			t.Errorf("%s: %+v", kind, got)
		}
	}
}

// The headers of a form's parts count as its pictures do, and file names are short.
func TestHeadersOfParts(t *testing.T) {
	s := start(t, &fake{}, nil)
	kind, body := form(t, nil, upload{strings.Repeat("n", 1025), plain(t, 9, 9, 9)})
	if got := s.send(http.MethodPost, "/v1/score", kind, body); got.status != http.StatusBadRequest || !strings.Contains(got.body, "file name is longer than 1024 bytes") || len(got.body) > 300 {
		t.Errorf("a long name: %+v", got)
	}
	kind, body = form(t, nil, upload{strings.Repeat("n", 1024), plain(t, 9, 9, 9)})
	if got := s.send(http.MethodPost, "/v1/score", kind, body); got.status != http.StatusOK {
		t.Errorf("a name that is not too long: %+v", got)
	}
	if !s.server.bodies.TryAcquire(8<<20 - 100_000) {
		t.Fatal("no room")
	}
	large := "--b\r\nX: " + strings.Repeat("x", 500_000) + "\r\n\r\n--b--\r\n"
	if got := s.send(http.MethodPost, "/v1/score", "multipart/form-data; boundary=b", strings.NewReader(large)); got.status != http.StatusTooManyRequests {
		t.Errorf("large headers: %+v", got)
	}
	s.server.bodies.Release(8<<20 - 100_000)
}

// A panic of the model, and its words, stay inside; the service goes on.
func TestPanic(t *testing.T) {
	s := start(t, &fake{}, nil)
	if got := s.post("?class=panic", plain(t, 9, 9, 9)); got.status != http.StatusInternalServerError || got.kind() != kindInternal || strings.Contains(got.body, "passwd") {
		t.Errorf("%+v", got)
	}
	if !strings.Contains(s.log.String(), "passwd") {
		t.Errorf("the log does not say it: %s", s.log.String())
	}
	if got := s.post("?class=nan", plain(t, 9, 9, 9)); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, "not a finite number") {
		t.Errorf("%+v", got)
	}
	if got := s.post("", plain(t, 9, 9, 9)); got.status != http.StatusOK {
		t.Errorf("%+v", got)
	}
}

// A panic of a handler is answered too.
func TestPanicOfAHandler(t *testing.T) {
	s := start(t, &fake{}, nil)
	w := httptest.NewRecorder()
	s.server.answering("other", true, func(exchange, http.ResponseWriter, *http.Request) error { panic("secret") }).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "secret") || !strings.Contains(s.log.String(), "secret") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// panicking is a model that panics on the goroutine of its caller.
type panicking struct{ Model }

func (panicking) Score(context.Context, inspection.Picture) (*inspection.Result, error) {
	panic("secret of a row")
}

// A panic while a picture is worked on does not end the process. It is logged with its stack,
// and counted, once.
func TestPanicOfARow(t *testing.T) {
	s := start(t, &fake{}, nil)
	s.server.present.now.Model = panicking{s.model}
	got := s.post("", plain(t, 9, 9, 9))
	if got.status != http.StatusInternalServerError || got.kind() != kindInternal || strings.Contains(got.body, "secret") {
		t.Errorf("%+v", got)
	}
	text := s.log.String()
	if !strings.Contains(text, "secret of a row") || !strings.Contains(text, "goroutine") || strings.Count(text, "internal error") != 1 {
		t.Errorf("the log is %s", text)
	}
	s.until(`acdclip_errors_total{kind="internal"} 1`)
}

// A request that has begun waits for places for its further pictures.
func TestBegunRequestsWait(t *testing.T) {
	f := &fake{goes: make(chan struct{})}
	s := start(t, f, func(o *setup, m *inspection.Options) { o.Limits.AtOnce, m.Batching.Queue = 4, 1 })
	time.AfterFunc(50*time.Millisecond, func() { close(f.goes) }) // until then the first picture has the place
	kind, body := form(t, nil, upload{"a.png", plain(t, 9, 9, 9)}, upload{"b.png", plain(t, 9, 9, 9)}, upload{"c.png", plain(t, 9, 9, 9)})
	if got := s.send(http.MethodPost, "/v1/score", kind, body); got.status != http.StatusOK || len(got.rows(t)) != 3 {
		t.Errorf("%+v", got)
	}
}

// An answer that could never fit beside its request is not refused with a status that asks to
// try again.
func TestAnswerIsTooLarge(t *testing.T) {
	s := start(t, &fake{}, func(o *setup, _ *inspection.Options) { o.Limits.BodiesBytes = o.Limits.BodyBytes })
	content := noise(t, 430, 430)
	for accept, query := range map[string]string{"": "?heatmap=png", "image/png": ""} {
		got := s.post(query, content, "Accept", accept)
		if got.status != http.StatusRequestEntityTooLarge || got.kind() != kindLarge || !strings.Contains(got.body, "max_side") {
			t.Errorf("Accept %q: %d %.300s", accept, got.status, got.body)
		}
	}
}

// Work that takes longer than the limit is given up. The same request would take as long again.
func TestScoringTakesTooLong(t *testing.T) {
	f := &fake{goes: make(chan struct{})}
	s := start(t, f, func(o *setup, _ *inspection.Options) { o.Limits.Scoring = 20 * time.Millisecond })
	if got := s.post("", plain(t, 9, 9, 9)); got.status != http.StatusServiceUnavailable || got.kind() != kindTimeout || got.header.Get("Retry-After") != "" || !strings.Contains(got.body, "fewer pictures") {
		t.Errorf("%+v", got)
	}
	close(f.goes)
}

// FuzzScore sends anything as a request: the fault is never the service's.
func FuzzScore(f *testing.F) {
	kind, body := form(f, []string{"class=nut", "map=png"}, upload{"a.png", plain(f, 9, 9, 9)})
	f.Add("", kind, body.Bytes())
	f.Add("?heatmap=png&pixel_threshold=0.5", "image/png", plain(f, 9, 9, 9))
	f.Add("?threshold=nan", "", []byte("x"))
	metrics := NewMetrics()
	limits := Limits{BodyBytes: 1 << 16, BodiesBytes: 1 << 22, Parts: 4, AtOnce: 2, Reading: time.Minute, Scoring: time.Minute, Writing: time.Minute}
	model := inspection.New(&fake{calm: true}, inspection.Options{Batching: batching.Options{Batch: 2}})
	f.Cleanup(model.Close)
	server := fuzzed(model, metrics, limits)
	f.Fuzz(func(t *testing.T, query, kind string, body []byte) {
		r := httptest.NewRequest(http.MethodPost, "/v1/score", bytes.NewReader(body)).WithContext(context.Background())
		r.URL.RawQuery = strings.TrimPrefix(query, "?")
		r.Header.Set("Content-Type", kind)
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if load := model.Load(); load.Places != 0 {
			t.Errorf("%+v", load)
		}
		if !server.bodies.TryAcquire(limits.BodiesBytes) {
			t.Error("memory was not released")
		}
		server.bodies.Release(limits.BodiesBytes)
	})
}
