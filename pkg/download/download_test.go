package download

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// TestResumption: a second call asks for the rest only, if the file is still the same.
func TestResumption(t *testing.T) {
	s := serve(t, plain, cut(70000), status(404, ""), good)
	f, o := s.file(t), options()
	if _, err := Get(t.Context(), f, o.Options); !errors.Is(err, ErrServer) {
		t.Fatal(err)
	}
	var first int64 = -1
	o.Progress = func(done, _ int64) {
		if first < 0 {
			first = done
		}
	}
	if _, err := Get(t.Context(), f, o.Options); err != nil {
		t.Fatal(err)
	}
	last := s.seen()[2]
	if got := last.Header.Get("Range"); got != "bytes=70000-" {
		t.Errorf("it asked for %q", got)
	}
	if got := last.Header.Get("If-Range"); got != etag {
		t.Errorf("it asked if the file is %q", got)
	}
	if first != 70000 {
		t.Errorf("the progress starts at %d", first)
	}
}

// TestResumptionElsewhere: a mirror continues what the publisher began, with its own names
// for the same bytes; what belongs to another file is not used.
func TestResumptionElsewhere(t *testing.T) {
	s := serve(t, plain, cut(70000), status(404, ""), good)
	f := s.file(t)
	if _, err := Get(t.Context(), f, options().Options); err == nil {
		t.Fatal("no error")
	}
	mirrored := f
	mirrored.URL = strings.Replace(s.URL, "//", "//me:secret@", 1) + "/mirror/weights.pt"
	o := options()
	o.Progress = func(int64, int64) {
		if text, err := os.ReadFile(f.Path + ".part.json"); err == nil && strings.Contains(string(text), "secret") {
			t.Error("a password is stored")
		}
	}
	if _, err := Get(t.Context(), mirrored, o.Options); err != nil {
		t.Fatal(err)
	}
	last := s.seen()[2]
	if user, password, _ := last.BasicAuth(); user != "me" || password != "secret" {
		t.Errorf("it asked as %s", user)
	}
	if last.Header.Get("Range") != "bytes=70000-" || last.Header.Get("If-Range") != "" {
		t.Errorf("it asked with %v", last.Header)
	}

	s = serve(t, plain, good)
	g := s.file(t)
	for _, path := range []string{".part", ".part.json"} {
		if err := os.MkdirAll(strings.TrimSuffix(g.Path, "/weights.pt"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(g.Path+path, []byte(`{"sha256": "another"}`), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Get(t.Context(), g, options().Options); err != nil {
		t.Fatal(err)
	}
	if asked := s.seen()[0].Header.Get("Range"); asked != "" {
		t.Errorf("it asked for %s", asked)
	}
}

// TestPresent: a file that is there is read and not downloaded, unless it is another one.
func TestPresent(t *testing.T) {
	s := serve(t, plain, good)
	f, o := s.file(t), options()
	for i, want := range []Outcome{Downloaded, Present, Downloaded} {
		if i == 2 {
			damaged := content()
			damaged[1<<20]++
			if err := os.WriteFile(f.Path, damaged, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := Get(t.Context(), f, o.Options); got != want || err != nil {
			t.Errorf("call %d: outcome %v, error %v", i, got, err)
		}
	}
	if len(s.seen()) != 2 || len(o.notices) != 1 || !strings.Contains(o.notices[0], "downloading it again") {
		t.Errorf("%d requests, notices %q", len(s.seen()), o.notices)
	}
	if err := Verify(t.Context(), f, nil); err != nil {
		t.Error(err)
	}
	if err := os.Remove(f.Path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(f.Path, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Get(t.Context(), f, o.Options); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a folder of that name: %v", err)
	}
}

// TestInterruption: a call that is cancelled says so and leaves what was downloaded.
func TestInterruption(t *testing.T) {
	s := serve(t, plain, stall(5000), good)
	f, o := s.file(t), options()
	ctx, cancel := context.WithCancel(t.Context())
	o.Progress = func(done, _ int64) {
		if done == 5000 {
			cancel()
		}
	}
	if _, err := Get(ctx, f, o.Options); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "the 5000 bytes that are there are kept") {
		t.Errorf("the error is %v", err)
	}
	if got := entries(t, f); got != partial {
		t.Errorf("the folder has %s", got)
	}
	if _, err := Get(ctx, f, o.Options); !errors.Is(err, context.Canceled) { // before it has read what is there
		t.Errorf("the error is %v", err)
	}
	if got := entries(t, f); got != partial {
		t.Errorf("the folder has %s", got)
	}
	if _, err := Get(t.Context(), f, options().Options); err != nil {
		t.Error(err)
	}
}

// smallDisk is a partial file on a disk with so much room.
type smallDisk struct {
	*os.File
	room *int
}

func (d smallDisk) Write(b []byte) (int, error) {
	n, err := d.File.Write(b[:min(len(b), *d.room)])
	if *d.room -= n; err == nil && n < len(b) {
		err = &os.PathError{Op: "write", Path: d.Name(), Err: syscall.ENOSPC}
	}
	return n, err
}

// TestFullDisk: what was written is kept, and used when there is room again.
func TestFullDisk(t *testing.T) {
	s := serve(t, plain, good)
	f, o := s.file(t), options()
	room := 1_000_003
	o.create = func(path string) (part, error) {
		file, err := openPart(path)
		if err != nil {
			return nil, err
		}
		return smallDisk{file.(*os.File), &room}, nil
	}
	for _, kept := range []string{"1000003", "1000053"} {
		_, err := Get(t.Context(), f, o.Options)
		if !errors.Is(err, ErrDiskFull) || !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "the "+kept+" bytes that are there are kept") {
			t.Fatalf("the error is %v", err)
		}
		if got := entries(t, f); got != partial {
			t.Errorf("the folder has %s", got)
		}
		room = 50
	}
	room = 1 << 30
	if _, err := Get(t.Context(), f, o.Options); err != nil {
		t.Fatal(err)
	}
	if got := s.seen()[2].Header.Get("Range"); got != "bytes=1000053-" {
		t.Errorf("it asked for %q", got)
	}
}

// TestTwoAtOnce: the second waits for the first, and downloads nothing.
func TestTwoAtOnce(t *testing.T) {
	s := serve(t, plain, good)
	f := s.file(t)
	var outcomes [3]Outcome
	var group sync.WaitGroup
	for i := range outcomes {
		group.Go(func() {
			var err error
			if outcomes[i], err = Get(t.Context(), f, options().Options); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	downloads := 0
	for _, outcome := range outcomes {
		if outcome == Downloaded {
			downloads++
		}
	}
	if downloads != 1 || len(s.seen()) != 1 {
		t.Errorf("%d downloads in %d requests", downloads, len(s.seen()))
	}

	if err := os.Remove(f.Path); err != nil {
		t.Fatal(err)
	}
	lock, err := Hold(t.Context(), f.Path, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	ctx, cancel := context.WithCancel(t.Context())
	o := options()
	o.Notice = func(text string) {
		o.notices = append(o.notices, text)
		cancel()
	}
	if _, err := Get(ctx, f, o.Options); !errors.Is(err, context.Canceled) || len(o.notices) != 1 || !strings.Contains(o.notices[0], "another program is downloading") {
		t.Errorf("while another holds the lock: %v, %q", err, o.notices)
	}
}

// TestDowngrade: a way from https to http is refused, and one from http to https is not.
func TestDowngrade(t *testing.T) {
	target := serve(t, plain, good)
	source := serve(t, secure, status(302, "", "Location: "+target.URL))
	o := options()
	o.Transport = source.Client().Transport
	if _, err := Get(t.Context(), source.file(t), o.Options); !errors.Is(err, ErrServer) || !strings.Contains(err.Error(), "from https to http") {
		t.Errorf("the error is %v", err)
	}
	if len(target.seen()) > 0 {
		t.Error("the other server was asked")
	}

	target = serve(t, secure, good)
	source = serve(t, plain, status(302, "", "Location: "+target.URL))
	o.Transport = target.Client().Transport
	if _, err := Get(t.Context(), source.file(t), o.Options); err != nil {
		t.Error(err)
	}
	if _, err := Get(t.Context(), target.file(t), options().Options); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate that nobody knows: %v", err)
	}
	if got := len(target.seen()); got != 1 {
		t.Errorf("%d requests", got)
	}
}

// TestProxy: the file is asked of the proxy.
func TestProxy(t *testing.T) {
	proxy := serve(t, plain, good)
	f := proxy.file(t)
	f.URL = "http://publisher.invalid/weights.pt"
	o := options()
	transport, ok := newTransport().(*http.Transport)
	if !ok || transport.Proxy == nil {
		t.Fatal("the transport knows no proxy")
	}
	address, err := http.NewRequest(http.MethodGet, proxy.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	transport.Proxy = http.ProxyURL(address.URL)
	o.Transport = transport
	if _, err := Get(t.Context(), f, o.Options); err != nil {
		t.Fatal(err)
	}
	if got := proxy.seen()[0].Host; got != "publisher.invalid" {
		t.Errorf("the proxy was asked for %s", got)
	}
}

// TestPipes: a pipe in the place of a file is an error, and blocks nothing.
func TestPipes(t *testing.T) {
	s := serve(t, plain, good)
	for _, ending := range []string{"", ".part", ".part.json", ".lock"} {
		f := s.file(t)
		if err := os.MkdirAll(strings.TrimSuffix(f.Path, "/weights.pt"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(f.Path+ending, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Get(t.Context(), f, options().Options); err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("%s: %v", ending, err)
		}
	}
}
